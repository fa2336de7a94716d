# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""differences.jpg: the frames that differ most, each with its image, both masks and the pixels where they differ."""
from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence

import cv2
import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import MAX_LAG_NS
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.evaluation.report import mark_pixels
from fanet_ros.images.decoding import ImageError
from fanet_ros.images.files import write_jpeg
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.tools.compare_masks.bag_pair import BagPair, Comparison
from fanet_ros.tools.compare_masks.counts import ClassUnion
from fanet_ros.tools.compare_masks.frames import FrameDifference
from fanet_ros.tools.compare_masks.pairs import Mask
from fanet_ros.visualization.contact_sheet import TileRow, draw_sheet

TILE_WIDTH_PX, GUTTER_PX = 300, 190
JPEG_QUALITY = 88


def write_sheet(path: Path, frames: Sequence[FrameDifference], pairs: Sequence[BagPair], classes: ClassUnion, title: str,
                subtitle: str) -> None:
    """Read the frames again and draw them; frames that cannot be read are left out. Writes no file without frames."""
    found = {pair.name: pair for pair in pairs}
    rows = [row for frame in frames if (row := _row(frame, found[frame.bag], classes)) is not None]
    if rows:
        sheet = draw_sheet(rows, ('camera', 'A', 'B', 'different'), classes.legend(), classes.palette(), title, subtitle,
                           TILE_WIDTH_PX, GUTTER_PX)
        write_jpeg(path, sheet, JPEG_QUALITY)


def _row(frame: FrameDifference, pair: BagPair, classes: ClassUnion) -> Optional[TileRow]:
    try:
        return _read_row(frame, pair, classes)
    except BagError:
        return None


def _read_row(frame: FrameDifference, pair: BagPair, classes: ClassUnion) -> Optional[TileRow]:
    with Comparison(pair, classes) as comparison:
        masks = [_mask(bag, next(camera.mask_topic for camera in cameras if camera.topic == frame.topic), frame, received_ns)
                 for bag, cameras, received_ns in zip(comparison.bags, comparison.cameras, frame.received_ns)]
        if masks[0] is None or masks[1] is None:
            return None
        labels = comparison.labels((masks[0], masks[1]))
        if labels is None:
            return None
        a, b = labels
        images = (_image(bag, frame, received_ns) for bag, received_ns in zip(comparison.bags, frame.received_ns))
        rgb = next((image for image in images if image is not None), np.full((*a.shape, 3), 128, np.uint8))
    if rgb.shape[:2] != a.shape:
        rgb = cv2.resize(rgb, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_AREA)
    lines = (f'{frame.differs:.1%} differ', f'A: {frame.a}', f'B: {frame.b} ({frame.pair_differs:.1%})', frame.bag, frame.topic,
             f'{frame.stamp_ns / 1e9:.3f} s')
    return TileRow(lines, (rgb, a, b, mark_pixels(rgb, a != b)))


def _mask(bag: BagReader, topic: str, frame: FrameDifference, received_ns: int) -> Optional[Mask]:
    for connection, at_ns, raw in bag.messages(bag.select([topic], IMAGE_TYPES), received_ns, received_ns + 1):
        message = bag.decode(connection, raw)
        if stamp_ns(message.header) == frame.stamp_ns:
            return Mask(frame.topic, frame.stamp_ns, at_ns, message)
    return None


def _image(bag: BagReader, frame: FrameDifference, received_ns: int) -> Optional[np.ndarray]:
    """The camera image of a mask; None if the bag lacks it or it is unreadable."""
    found = None
    try:
        for connection, _, raw in bag.messages(bag.select([frame.topic], IMAGE_TYPES), received_ns - MAX_LAG_NS, received_ns + 1):
            message = bag.decode(connection, raw)
            if stamp_ns(message.header) == frame.stamp_ns:
                found = message         # the last one: that of the mask, if several have the stamp 0
        return None if found is None else bag.rgb(frame.topic, found)
    except (BagError, ImageError):
        return None
