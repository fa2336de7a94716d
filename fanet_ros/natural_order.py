# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of file names in which numbers count as numbers."""
from __future__ import annotations

import re
from typing import Union


def natural_key(name: str) -> tuple[list[Union[int, str]], str]:
    """Key for sorted(): 'frame9' comes before 'frame10'."""
    return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', name)], name
