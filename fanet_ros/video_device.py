# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tells V4L2 devices from other sources."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Optional


def video_device(source: str) -> Optional[int]:
    """Number of the V4L2 device meant by '/dev/video0', '0' or a link such as those in /dev/v4l/by-id; None: no device.

    A number that is also the name of a file or folder here means that, as all other sources do.
    """
    path = Path(source).expanduser()
    found = re.fullmatch(r'/dev/video(\d+)', str(path.resolve())) or (None if path.exists() else re.fullmatch(r'(\d+)', source))
    return int(found[1]) if found else None
