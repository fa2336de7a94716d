# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a node's process begins and ends: tuned for images, then with ROS, or with one line that says why not."""
from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import NoReturn, Optional

import rclpy
from rclpy.signals import SignalHandlerOptions

from fanet_ros.host.process_tuning import tune_process
from fanet_ros.ros.common.ros_arguments import why_refused, with_even_lists


def start_ros(name: str, argv: Optional[list[str]], signals: SignalHandlerOptions) -> bool:
    """Tune the process and initialise ROS; False, with one line on stderr, for arguments that ROS does not understand.

    :param name: of the executable
    """
    tune_process()
    try:
        init_ros(sys.argv if argv is None else argv, signals)
    except ValueError as error:
        fail(name, error)
        return False
    return True


def init_ros(argv: list[str], signals: SignalHandlerOptions = SignalHandlerOptions.ALL) -> None:
    """rclpy.init() for arguments as people write them.

    :raises ValueError: ROS does not understand them
    """
    with ExitStack() as files:
        given_to_ros = with_even_lists(argv, files)
        try:
            rclpy.init(args=given_to_ros, signal_handler_options=signals)
        except RuntimeError as error:
            raise ValueError(why_refused(error, argv, given_to_ros)) from None


def fail(name: str, error: Exception) -> int:
    """Print `error` as one line on stderr, under the node's `name`; returns the exit code, 1."""
    print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1


def shut_down() -> None:
    """Shut ROS down unless that has been done, or is being done at this moment by the thread that handles signals."""
    try:
        rclpy.try_shutdown()
    except RuntimeError:
        if rclpy.ok():
            raise


def leave() -> NoReturn:
    """End the process with exit code 0 although a thread works on something that nobody needs any more."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
