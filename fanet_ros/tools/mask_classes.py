# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes of the masks in a bag, from the ClassMap recorded with them."""
from __future__ import annotations

import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import class_map_topic, recorded_class_maps
from fanet_ros.bags.reader import BagReader
from fanet_ros.inference import UNLABELLED, ClassMap, SegmentationError


def mask_classes(bag: BagReader, mask_topic: str) -> tuple[ClassMap, np.ndarray]:
    """The classes of these masks, and a table (256,) uint8 from mask value to class index, UNLABELLED for all other values.

    :raises BagError: no class map in the bag, an invalid one, or one that changes (the node got another checkpoint while it was
        recorded)
    """
    found = recorded_class_maps(bag, mask_topic)
    if len(found) != 1:
        raise BagError(f'{bag.path}: expected one class map on {class_map_topic(mask_topic)} for the masks on {mask_topic}, got '
                       f'{len(found)} different ones' + ('; segment the bag again with segment_bag' if found else ''))
    message = found[0]
    classes = [(int(value), name, color) for value, name, color in zip(message.ids, message.names, message.colors)
               if value != UNLABELLED]
    table = np.full(256, UNLABELLED, np.uint8)
    table[[value for value, _, _ in classes]] = range(len(classes))
    try:
        return ClassMap(message.name, tuple(name for _, name, _ in classes),
                        tuple((_byte(color.r), _byte(color.g), _byte(color.b)) for _, _, color in classes)), table
    except SegmentationError as error:
        raise BagError(f'{bag.path}: {class_map_topic(mask_topic)}: {error}') from None


def _byte(share: float) -> int:
    return min(max(round(255 * share), 0), 255)
