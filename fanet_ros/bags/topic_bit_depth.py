# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bit depth of a topic's 16-bit images of one encoding: the same in the whole bag, whichever image is read first."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.decoding import ImageError, to_rgb

if TYPE_CHECKING:
    from fanet_ros.bags.reader import BagReader

SAMPLED = 9                 # images, spread over the bag
SPAN_NS = 5 * 10**9         # after each of these times, in which an image is looked for


class TopicBitDepth(BitDepth):
    """The smallest depth that holds all values of some images, read when the first 16-bit image is converted; thread-safe.

    A dim image alone would seem to have fewer bits than the others, and be brightened.

    :param open_bag: opens the bag once more
    :param encoding: see encoding_of(); another one means that the driver was changed, and may send other depths
    """

    def __init__(self, open_bag: Callable[[], BagReader], topic: str, encoding: str) -> None:
        super().__init__()
        self._open_bag, self._topic, self._encoding = open_bag, topic, encoding
        self._lock = threading.Lock()

    def to_bytes(self, values: np.ndarray, note: Callable[[str], None]) -> np.ndarray:
        """Same as BitDepth.to_bytes(); `note` is called for the first image."""
        with self._lock:
            if self._is_automatic:
                self._bits, self._is_automatic = self._measured(values), False
                if self._bits < 16:
                    note(f'{self._topic}: 16-bit values are taken as {self._bits}-bit ones')
        return super().to_bytes(values, note)

    def _measured(self, values: np.ndarray) -> int:
        """
        :param values: of one image, in case no other can be read
        """
        measuring, known = BitDepth(), 0
        with suppress(BagError), self._open_bag() as bag:
            for message in _some_messages(bag, self._topic):
                if encoding_of(message) != self._encoding:
                    continue
                with suppress(ImageError):
                    to_rgb(message, bit_depth=measuring, note=lambda _: None)
                    known += 1
        if not known:
            measuring.to_bytes(values, lambda _: None)
        return measuring.bits


def encoding_of(message: Any) -> str:
    """Encoding of an Image, format of a CompressedImage."""
    return message.format if hasattr(message, 'format') else message.encoding


def _some_messages(bag: BagReader, topic: str) -> Iterator[Any]:
    connections = bag.select([topic], IMAGE_TYPES)
    for start in np.linspace(bag.start_time, bag.end_time - 1, SAMPLED).astype(int).tolist():
        for connection, _, raw in islice(bag.messages(connections, start, min(start + SPAN_NS, bag.end_time)), 1):
            with suppress(BagError):
                yield bag.decode(connection, raw)
