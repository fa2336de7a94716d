# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dashboard in the browser: shows the masks and timing of the segmentation node and controls it, at http://localhost:8765.

    ros2 run fanet_ros dashboard --ros-args -p port:=8766

It subscribes to nothing while nobody is watching.
"""
from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Optional

from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fanet_ros.error_text import error_text
from fanet_ros.ros.common.process import fail, shut_down, start_ros
from fanet_ros.ros.dashboard.dashboard_node import DashboardNode
from fanet_ros.ros.dashboard.recording import BagRecorder, RecordingError
from fanet_ros.ros.dashboard.viewer import Wakeup
from fanet_ros.ros.dashboard.web_server import WebServer

SPIN_S = 0.2


class RosThread:
    """Runs the callbacks of a node until stop()."""

    def __init__(self, node: DashboardNode) -> None:
        self._node = node
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='ros', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; no callback runs afterwards."""
        self._is_ending.set()
        self._thread.join()

    def _run(self) -> None:
        executor = SingleThreadedExecutor()
        executor.add_node(self._node)
        while not self._is_ending.is_set():
            try:
                executor.spin_once(timeout_sec=SPIN_S)
            except ExternalShutdownException:
                return
            except Exception as error:      # an unreadable message: the next one may be fine
                self._node.get_logger().error(error_text(error), throttle_duration_sec=1.0)


async def _run(node: DashboardNode) -> None:
    """Serve until SIGINT or SIGTERM.

    :raises OSError: cannot listen on the address and port
    """
    loop, end, wakeup = asyncio.get_running_loop(), asyncio.Event(), Wakeup()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    recorder = BagRecorder(node.settings.record_folder)
    server = WebServer(node, recorder, wakeup)
    await server.start()
    if server.has_token:        # only to the terminal: the ROS log also goes to files and /rosout
        print(f'dashboard: open {server.link}', flush=True)
        node.get_logger().info('the link with the token was printed to the terminal')
    else:
        node.get_logger().info(f'open {server.link}')

    def notify() -> None:
        loop.call_soon_threadsafe(wakeup.wake_all)
    node.notify = notify
    ros = RosThread(node)
    try:
        await end.wait()
    finally:
        with suppress(RecordingError):
            await recorder.stop()
        await server.stop()
        ros.stop()


def main(argv: Optional[list[str]] = None) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code: 1, with one line on stderr, if it cannot start."""
    if not start_ros('dashboard', argv, SignalHandlerOptions.NO):
        return 1
    try:
        with ThreadPoolExecutor(1, thread_name_prefix='encoder') as workers:
            asyncio.run(_run(DashboardNode(workers)))
    except KeyboardInterrupt:
        pass
    except (ValueError, OSError, NameValidationException, ParameterException) as error:
        return fail('dashboard', error)
    finally:
        shut_down()
    return 0
