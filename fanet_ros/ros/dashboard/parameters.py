# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the dashboard; all are fixed at start-up."""
from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Optional

from rclpy.node import Node

from fanet_ros.ros.common.parameters import Settings, fixed_parameter

MIN_TOKEN_CHARACTERS = 16


@dataclass(frozen=True)
class DashboardSettings(Settings):
    """Values of the dashboard's parameters, with the token read from its file ('' without a file).

    :raises ValueError: unusable address or token file, in one line
    """

    node: str = fixed_parameter('segmentation', 'Name of the segmentation node, relative to this namespace or absolute')
    address: str = fixed_parameter(
        '127.0.0.1', 'Address to listen on; 0.0.0.0: all. Beyond loopback the page requires the link with a token that is '
        'printed at start-up')
    port: int = fixed_parameter(8765, 'Port to listen on; 0: any free port', minimum=0, maximum=65535)
    allow_changes: bool = fixed_parameter(
        True, 'Let the page set parameters, change the lifecycle state and record; beyond loopback only if explicitly true')
    token_file: str = fixed_parameter(
        '', 'File with the token, to keep the link valid across restarts; empty: a new token at each start')
    max_rate_hz: float = fixed_parameter(
        15.0, 'Maximum rate of frames sent to each browser; 0: no limit', unit='Hz', minimum=0.0, maximum=1000.0)
    max_width_px: int = fixed_parameter(960, 'Maximum width of the images sent', unit='px', minimum=64, maximum=8192)
    jpeg_quality: int = fixed_parameter(80, 'JPEG quality of the camera images', minimum=1, maximum=100)
    record_folder: Path = fixed_parameter(
        'recordings', 'Folder for bags recorded from the page', convert=lambda text: Path(text).expanduser())
    is_local: bool = field(init=False)      # listens on loopback only
    token: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, 'is_local', is_loopback(self.address))
        object.__setattr__(self, 'token', read_token(self.token_file) if self.token_file else '')

    @classmethod
    def declare(cls, node: Node, tell: Optional[Callable[[str], Any]] = None) -> DashboardSettings:
        """Declare the parameters; beyond loopback, `allow_changes` defaults to false."""
        are_given = set(node._parameter_overrides)      # no public API tells given values from defaults
        settings = super().declare(node, tell)
        return settings if settings.is_local or 'allow_changes' in are_given else replace(settings, allow_changes=False)


def is_loopback(address: str) -> bool:
    """Whether an address is reachable only from this machine.

    :raises ValueError: neither an IP address nor localhost
    """
    if address == 'localhost':
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise ValueError(f'parameter address is {address!r}: expected an IP address such as 127.0.0.1 or 0.0.0.0') from None


def read_token(path: str) -> str:
    """Read a token from a file.

    :raises ValueError: unreadable file, or not one word of at least MIN_TOKEN_CHARACTERS characters
    """
    try:
        token = Path(path).expanduser().read_text(encoding='ascii').strip()
    except (OSError, ValueError) as error:
        raise ValueError(f'token_file {path!r} cannot be read: {getattr(error, "strerror", None) or error}') from None
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isprintable() or ' ' in token:
        raise ValueError(f'token_file {path!r}: expected one word of at least {MIN_TOKEN_CHARACTERS} characters, such as '
                         'openssl rand -hex 16 prints')
    return token
