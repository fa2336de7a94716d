# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start-up and shutdown of a node's process: tuning, ROS initialisation, and errors as one line on stderr."""
from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from typing import NoReturn, Optional

import rclpy
from rclpy.signals import SignalHandlerOptions, uninstall_signal_handlers
from rclpy.utilities import remove_ros_args

from fanet_ros.error_text import error_text
from fanet_ros.host.process_tuning import tune_process
from fanet_ros.ros.common.ros_arguments import why_refused, with_even_lists


def start_ros(name: str, argv: Optional[list[str]], signals: SignalHandlerOptions) -> bool:
    """Tune the process and initialise ROS; False, with one line on stderr, if the arguments are invalid.

    :param name: of the executable, for the error message
    :param argv: command line without the name of the program; None: sys.argv
    """
    tune_process()
    given = sys.argv[1:] if argv is None else argv
    try:
        if unknown := init_ros([name, *given], signals)[1:]:
            shut_down()
            raise ValueError(f'unknown argument {unknown[0]}: parameters are set with --ros-args -p NAME:=VALUE, '
                             'topics remapped with --ros-args -r OLD:=NEW')
    except ValueError as error:
        fail(name, error)
        return False
    return True


def init_ros(argv: list[str], signals: SignalHandlerOptions = SignalHandlerOptions.ALL) -> list[str]:
    """rclpy.init() that also accepts number lists mixing integers and floats; returns the arguments that ROS does not use.

    :raises ValueError: ROS cannot parse the arguments
    """
    with ExitStack() as files:
        given_to_ros = with_even_lists(argv, files)
        try:
            rclpy.init(args=given_to_ros, signal_handler_options=signals)
        except RuntimeError as error:
            raise ValueError(why_refused(error, argv, given_to_ros)) from None
        return remove_ros_args(given_to_ros)


def fail(name: str, error: Exception) -> int:
    """Print `error` as one line on stderr, prefixed with `name`; returns the exit code, 1."""
    print(f'{name}: {error_text(error)}', file=sys.stderr)
    return 1


def ignore_signals() -> None:
    """From here on Ctrl-C and SIGTERM do not interrupt the shutdown."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def shut_down() -> None:
    """Shut ROS down.

    Waits for rclpy's signal-handling thread first: it still uses guard conditions and contexts after it has woken the executor,
    and try_shutdown() leaves it running while the interpreter frees them.
    """
    uninstall_signal_handlers()
    rclpy.try_shutdown()


def leave() -> NoReturn:
    """Exit with code 0 immediately, abandoning a thread whose result is no longer needed."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
