# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of training frames, stored in a checkpoint: enough to recognise the frames, not to reconstruct them."""
from __future__ import annotations

import base64
import zlib
from typing import Iterable, Sequence

import numpy as np

from fanet_ros.datasets import Entry

# File next to data with re-encoded images: to_text() of the original images.
TRAINING_FRAMES = 'training_frames.txt'


def fingerprint(entry: Entry) -> int:
    """CRC-32 of the image file or of the message in a bag, or of the name of a rendered image."""
    if entry.checksum is not None:      # names are stamps, which simulated time repeats in each bag
        return entry.checksum
    return zlib.crc32(entry.files[0].read_bytes() if entry.files else entry.name.encode())


def to_text(entries: Iterable[Entry]) -> str:
    """The fingerprints of all entries, sorted, in base64."""
    return _encoded({fingerprint(entry) for entry in entries})


def merged(texts: Iterable[str]) -> str:
    """All fingerprints of several texts from to_text()."""
    return _encoded(set().union(*map(_decoded, texts)))


def count_known(text: str, entries: Sequence[Entry]) -> int:
    """Number of entries whose fingerprints are in `text`, from to_text()."""
    known = _decoded(text)
    return sum(fingerprint(entry) in known for entry in entries) if known else 0


def _encoded(numbers: set[int]) -> str:
    return base64.b64encode(np.array(sorted(numbers), '<u4').tobytes()).decode()


def _decoded(text: str) -> set[int]:
    return set(np.frombuffer(base64.b64decode(text), '<u4').tolist())
