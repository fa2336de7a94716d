"""How a node's process begins: tuned for images, then with ROS, or with one line that says why not."""
from __future__ import annotations

from typing import Optional

import rclpy
from rclpy.signals import SignalHandlerOptions

from fanet_ros.ros.node_help import answer_help
from fanet_ros.ros.process_end import fail
from fanet_ros.ros.process_tuning import tune_process


def start_ros(name: str, argv: Optional[list[str]], signals: SignalHandlerOptions) -> bool:
    """Tune the process and initialise ROS; False, with one line on stderr, for arguments that ROS does not understand.

    :param name: of the executable
    :raises SystemExit: help was asked for, and given
    """
    answer_help(name, argv)
    tune_process()
    try:
        rclpy.init(args=argv, signal_handler_options=signals)
    except RuntimeError as error:
        fail(name, error)
        return False
    return True
