# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint remembers of the frames that it was trained on: enough to tell them again, not to make them out."""
from __future__ import annotations

import base64
import zlib
from typing import Iterable, Sequence

import numpy as np

from fanet_ros.datasets import Entry

# Beside data whose pictures were coded again: what to_text() gives of the pictures that they were.
TRAINING_FRAMES = 'training_frames.txt'


def fingerprint(entry: Entry) -> int:
    """32 bits of the image's file, or of the name where there is no file of its own."""
    return zlib.crc32(entry.files[0].read_bytes() if entry.files else entry.name.encode())


def to_text(entries: Iterable[Entry]) -> str:
    """The fingerprints of all, sorted, in base64."""
    numbers = np.array(sorted({fingerprint(entry) for entry in entries}), '<u4')
    return base64.b64encode(numbers.tobytes()).decode()


def count_known(text: str, entries: Sequence[Entry]) -> int:
    """How many of the entries are among those that `text` was made of."""
    if not text:
        return 0
    known = set(np.frombuffer(base64.b64decode(text), '<u4').tolist())
    return sum(fingerprint(entry) in known for entry in entries)
