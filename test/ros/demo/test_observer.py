# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's observer node, over real DDS in a separate domain."""
from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from domains import own_domain
from fanet_ros.msg import FrameTiming
from rclpy.node import Node
from ros_nodes import node_in_domain
from waiting import wait_for

from fanet_ros.ros.demo.observer import Observer


@pytest.fixture(name='domain_id')
def domain_id_fixture() -> Iterator[int]:
    with own_domain() as domain_id:
        yield domain_id


@pytest.fixture(name='segmentation')
def segmentation_fixture(domain_id: int) -> Iterator[Node]:
    with node_in_domain('segmentation', domain_id) as node:
        yield node


def watch_until(observer: Observer, condition: Callable[[], bool]) -> None:
    wait_for(condition, lambda: observer.watch(0.02))


def test_frames_are_counted_from_the_first_segmented_one(segmentation: Node, domain_id: int) -> None:
    with Observer(domain_id, '/segmentation/timing') as observer:
        timings = segmentation.create_publisher(FrameTiming, '~/timing', 5)
        watch_until(observer, lambda: timings.get_subscription_count() == 1)
        assert (observer.frames, observer.masks) == (0, 0)
        for frames_received, frames_segmented in ((7, 1), (8, 2), (12, 3)):
            timings.publish(FrameTiming(frames_received=frames_received, frames_segmented=frames_segmented))
        watch_until(observer, lambda: observer.masks == 3)
        assert observer.frames == 6


def test_subscribers_are_listed_by_name(segmentation: Node, domain_id: int) -> None:
    with Observer(domain_id, '/segmentation/timing') as observer:
        assert observer.listeners('/image') == set()
        segmentation.create_subscription(FrameTiming, '/image', lambda message: None, 5)
        watch_until(observer, lambda: observer.listeners('/image') == {'segmentation'})


def test_its_node_disappears_when_the_context_ends(segmentation: Node, domain_id: int) -> None:
    def nodes() -> list[str]:
        return segmentation.get_node_names()
    with Observer(domain_id, '/segmentation/timing') as observer:
        watch_until(observer, lambda: 'demo' in nodes())
    wait_for(lambda: 'demo' not in nodes())
