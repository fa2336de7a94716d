# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs next to the segmentation node while it is measured."""
from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping

from fanet_ros.host.child_process import start_child, stop_child
from fanet_ros.ros.common.node_command import node_command


@dataclass(frozen=True)
class Surroundings:
    """Conditions of a measurement.

    :param jpeg: the camera sends JPEGs
    :param overlay: the receiver subscribes to the overlay, too
    :param record: the recorder writes its default topics, with camera and overlay, to a bag
    :param busy: number of processes at normal priority that keep a core busy each, started by the camera
    :param busy_after_s: start them so long after the first measured image
    :param prefix: command that the node is started with, such as ('nice', '-n', '-5')
    """

    jpeg: bool = False
    overlay: bool = False
    record: bool = False
    busy: int = 0
    busy_after_s: float = 0.0
    prefix: tuple[str, ...] = ()

    @contextmanager
    def running(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Run the recorder until the block ends."""
        with ExitStack() as stack:
            if self.record:
                folder = tempfile.TemporaryDirectory(prefix='fanet_ros_transport_', ignore_cleanup_errors=True)
                output = {'output': str(Path(stack.enter_context(folder)) / 'bag')}
                recorder = start_child(node_command('recorder_node', output, ('--log-level', 'error')), env=dict(environment))
                stack.callback(stop_child, recorder)
            yield
