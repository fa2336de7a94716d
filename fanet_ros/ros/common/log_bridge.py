# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forwards Python logging of the ROS-independent layers to the node's log."""
from __future__ import annotations

import logging

from rclpy.node import Node

LOGGER_NAME = 'fanet_ros'


class LogBridge(logging.Handler):
    """Forwards records of the `fanet_ros` loggers to the log of `node`, subject to its ROS log level."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def install(self) -> None:
        logger = logging.getLogger(LOGGER_NAME)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Log `record` with the ROS severity of the same name."""
        text = record.getMessage()
        # Separate calls: rclpy requires that each call site keeps its severity.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)
