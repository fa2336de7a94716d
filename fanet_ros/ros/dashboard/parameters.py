# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the dashboard, in one table; all are fixed at start-up."""
from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node

from fanet_ros.ros.common.parameters import ParameterSpec, declare

DASHBOARD_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec('node', 'segmentation', 'Name of the segmentation node, relative to this namespace or full', read_only=True),
    ParameterSpec('address', '127.0.0.1',
                  'Address to listen on; 0.0.0.0: all. Beyond loopback the page opens only by the link with its token, printed '
                  'at the start', read_only=True),
    ParameterSpec('port', 8765, 'Port to listen on; 0: any free one', minimum=0, maximum=65535, read_only=True),
    ParameterSpec('allow_changes', True,
                  'The page sets parameters, switches the lifecycle and records; beyond loopback only if this is given as true',
                  read_only=True),
    ParameterSpec('token_file', '', 'File that holds the token, so that the link outlives a restart; empty: a new one each start',
                  read_only=True),
    ParameterSpec('max_rate_hz', 15.0, 'Pictures sent to each browser in a second at most; 0: all', unit='Hz', minimum=0.0,
                  maximum=1000.0, read_only=True),
    ParameterSpec('max_width_px', 960, 'Pictures are sent at this width at most', unit='px', minimum=64, maximum=8192,
                  read_only=True),
    ParameterSpec('jpeg_quality', 80, 'Quality of the camera pictures', minimum=1, maximum=100, read_only=True),
    ParameterSpec('record_folder', 'recordings', 'Where the bags go that are recorded from the page', read_only=True),
)
MIN_TOKEN_CHARACTERS = 16


@dataclass(frozen=True)
class DashboardSettings:
    """The values of DASHBOARD_PARAMETERS by the same names, with the token read from its file ('': there is none)."""

    node: str
    address: str
    port: int
    allow_changes: bool
    token: str
    max_rate_hz: float
    max_width_px: int
    jpeg_quality: int
    record_folder: Path

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.address)


def declare_settings(node: Node) -> DashboardSettings:
    """Declare and read all parameters.

    :raises ValueError: an address or a token file that cannot be used, in one line
    """
    are_given = set(node._parameter_overrides)      # nothing public tells what was given from what is the default
    values = declare(node, DASHBOARD_PARAMETERS)
    address, token_file = values.read('address', str), values.read('token_file', str)
    return DashboardSettings(
        node=values.read('node', str), address=address, port=values.read('port', int),
        allow_changes=values.read('allow_changes', bool) and (is_loopback(address) or 'allow_changes' in are_given),
        token=read_token(token_file) if token_file else '', max_rate_hz=values.read('max_rate_hz', float),
        max_width_px=values.read('max_width_px', int), jpeg_quality=values.read('jpeg_quality', int),
        record_folder=Path(values.read('record_folder', str)).expanduser())


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine alone.

    :raises ValueError: it is neither an IP address nor localhost
    """
    if address == 'localhost':
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise ValueError(f'parameter address is {address!r}: expected an IP address such as 127.0.0.1 or 0.0.0.0') from None


def read_token(path: str) -> str:
    """The token in a file.

    :raises ValueError: there is none, or it is too short to be one
    """
    try:
        token = Path(path).expanduser().read_text(encoding='ascii').strip()
    except (OSError, ValueError) as error:
        raise ValueError(f'token_file {path!r} cannot be read: {getattr(error, "strerror", None) or error}') from None
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isprintable() or ' ' in token:
        raise ValueError(f'token_file {path!r}: expected one word of at least {MIN_TOKEN_CHARACTERS} characters, such as '
                         'openssl rand -hex 16 prints')
    return token
