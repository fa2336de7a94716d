# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle of the installed node, through the services that a lifecycle manager calls."""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from fanet_ros.msg import FrameTiming
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import Image

from fanet_ros.ros.common.image_conversion import rgb_to_image_message

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
NODE = '/managed'
ROUNDS = int(os.environ.get('FANET_ROS_LIFECYCLE_ROUNDS', '16'))        # 100 take minutes
SETTLING_ROUNDS = min(10, ROUNDS - 4)      # until every thread has allocated its scratch memory
ALLOWED_GROWTH = 0.02
PIECES = 2      # large one-off allocations, whose time depends on the load of the machine
RGB = np.full((120, 160, 3), 90, np.uint8)


class Managed:
    """The node under test and a camera."""

    def __init__(self, client: Any, process: Any) -> None:
        self.client, self.process = client, process
        self.images = client.node.create_publisher(Image, '/managed_image', 5)
        self.timings = client.collect(FrameTiming, f'{NODE}/timing')
        self._stamp_s = 0

    def change(self, transition: int) -> bool:
        return self.client.change_state(NODE, transition)

    def send(self) -> bool:
        self._stamp_s += 1
        message = rgb_to_image_message(RGB, Image().header)
        message.header.stamp.sec = self._stamp_s
        self.images.publish(message)
        return True

    def flows(self) -> None:
        """Expect frames sent from now on to be answered."""
        since = self._stamp_s
        self.client.wait_for(lambda: self.send() and any(
            timing.header.stamp.sec > since for timing in self.timings), 'a frame', self.process)

    def stands_still(self) -> None:
        """Expect the node to unsubscribe, and frames to stay unanswered."""
        self.client.wait_for(lambda: self.images.get_subscription_count() == 0, 'the subscription to end', self.process)
        before = len(self.timings)
        for _ in range(5):
            self.send()
        assert self.client.state(NODE) in ('inactive', 'unconfigured')      # a round trip: by now an answer would have arrived
        assert len(self.timings) == before


@pytest.fixture(name='managed', scope='module')
def managed_fixture(client: Any, start_segmentation: Callable[..., Any]) -> Managed:
    return Managed(client, start_segmentation('autostart:=false', rules=[f'__node:={NODE[1:]}', 'image:=managed_image']))


def test_it_waits_for_a_manager(managed: Managed) -> None:
    assert managed.client.state(NODE) == 'unconfigured'
    assert not managed.client.node.get_publishers_info_by_topic(f'{NODE}/mask')


def test_a_transition_invalid_in_its_state_is_refused_and_the_node_survives(managed: Managed) -> None:
    for transition in (Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE, 77):
        assert not managed.change(transition)
    assert managed.process.is_alive and managed.client.state(NODE) == 'unconfigured'
    expected = ('transition number 77 is not possible from the state unconfigured',
            "Unable to start transition 77 from current state (1, 'unconfigured')")     # by rclpy itself, since Kilted
    assert any(line in managed.process.log for line in expected)


def test_a_transition_that_fails_leaves_it_usable(managed: Managed, small_checkpoint: Path) -> None:
    managed.client.apply(NODE, checkpoint='no_such_network')     # accepted: nothing is loaded yet
    assert not managed.change(CONFIGURE)
    assert managed.client.state(NODE) == 'unconfigured'
    assert "cannot be configured: checkpoint 'no_such_network' not found" in managed.process.log
    managed.client.apply(NODE, checkpoint=str(small_checkpoint))
    assert managed.change(CONFIGURE) and managed.client.state(NODE) == 'inactive'
    assert managed.change(CLEANUP) and managed.client.state(NODE) == 'unconfigured'


@pytest.mark.slow
def test_many_rounds_in_one_process(managed: Managed) -> None:
    resident: list[int] = []
    for _ in range(ROUNDS):
        assert managed.change(CONFIGURE)
        managed.stands_still()
        assert managed.change(ACTIVATE)
        managed.flows()
        assert managed.change(DEACTIVATE)
        managed.stands_still()
        assert managed.change(ACTIVATE)
        managed.flows()
        assert managed.change(DEACTIVATE) and managed.change(CLEANUP)
        assert not managed.client.node.get_publishers_info_by_topic(f'{NODE}/mask')
        managed.timings.clear()
        resident.append(managed.process.resident_bytes)
    print('resident MiB after each round:', [round(value / 2**20, 1) for value in resident])
    steps = np.sort(np.diff(resident[SETTLING_ROUNDS:]))        # a leak would show in every round
    assert steps[:-PIECES].sum() <= ALLOWED_GROWTH * resident[SETTLING_ROUNDS]


def test_the_counts_add_up_over_all_rounds(managed: Managed) -> None:
    assert managed.change(CONFIGURE) and managed.change(ACTIVATE)
    managed.flows()
    timing = managed.timings[-1]
    assert timing.frames_segmented + timing.frames_dropped + timing.frames_rejected <= timing.frames_received
    assert timing.frames_rejected == 0


def test_shutdown_finalizes_the_node_and_a_signal_ends_the_process(managed: Managed) -> None:
    assert managed.change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert managed.client.state(NODE) == 'finalized'
    arrays = managed.client.collect(DiagnosticArray, '/diagnostics')
    managed.client.wait_for(lambda: bool(arrays), 'diagnostics', managed.process)
    assert {status.message for status in arrays[-1].status} == {'finalized'}
    assert managed.process.stop() == 0
    assert 'Traceback' not in managed.process.log
