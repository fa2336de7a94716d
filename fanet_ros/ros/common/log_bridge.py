# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the layers below ROS tell of their progress, in the node's own log."""
from __future__ import annotations

import logging

from rclpy.node import Node

LOGGER_NAME = 'fanet_ros'


class LogBridge(logging.Handler):
    """Hands the records of the `fanet_ros` loggers to the log of `node`, where the log level of ROS decides."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def install(self) -> None:
        """From now on."""
        logger = logging.getLogger(LOGGER_NAME)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """To the severity of the same name."""
        text = record.getMessage()
        # One call for each: rclpy remembers the severity of every calling line.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)
