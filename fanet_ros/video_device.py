# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tells V4L2 devices from other sources."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Optional


def video_device(source: str) -> Optional[int]:
    """Number of the V4L2 device meant by '/dev/video0', '0' or a link such as those in /dev/v4l/by-id; None: no device."""
    found = re.fullmatch(r'(?:/dev/video)?(\d+)', source) or re.fullmatch(r'/dev/video(\d+)', str(Path(source).resolve()))
    return int(found[1]) if found else None
