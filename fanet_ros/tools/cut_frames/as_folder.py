# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut frames into a folder of images and masks that train reads."""
from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import MAX_LAG_NS, masked_cameras
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.images.decoding import ImageError, to_labels
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.inference import ClassMap
from fanet_ros.tools.cut_frames.selection import FoundFrame, merged
from fanet_ros.tools.mask_classes import mask_classes
from fanet_ros.tools.segment_images.run import write_mask

IMAGES, LABELS, UNLABELLED_IMAGES = 'images', 'labels', 'unlabelled'
MAX_PREFIX = 180


@dataclass
class _Entry:
    """A frame and what was written of it: (height, width) of the image and of the mask."""

    name: str
    frame: FoundFrame
    image: Optional[tuple[int, int]] = None
    mask: Optional[tuple[int, int]] = None
    reason: str = ''        # why it has no image


class FolderCutter:
    """Writes images/NAME.png and labels/NAME.png below `folder`, and class_map.yaml if there are masks."""

    def __init__(self, folder: Path) -> None:
        self.columns: Sequence[str] = ('name', 'folder', 'has_labels', 'bag', 'topic', 'stamp_ns')
        self.rows: list[dict[str, object]] = []
        self._folder = folder
        self._names: set[str] = set()
        self._prefixes: dict[tuple[str, str], str] = {}     # (bag, topic) -> begin of its names
        self._class_map: Optional[ClassMap] = None
        for name in (IMAGES, LABELS):
            (folder / name).mkdir()

    def cut(self, name: str, bag: BagReader, frames: Sequence[FoundFrame]) -> dict[FoundFrame, str]:
        """Write the frames of the bag `name`; returns those that could not be cut, with the reason.

        :raises BagError: the bag is damaged, or its classes are not those of the bags before; nothing is written then
        """
        entries = [_Entry(self._name(name, frame), frame) for frame in frames]
        before = self._class_map
        try:
            self._write(bag, entries)
        except BagError:
            for entry in entries:
                self._path(IMAGES, entry).unlink(missing_ok=True)
                self._path(LABELS, entry).unlink(missing_ok=True)
            self._class_map = before        # nothing was kept that binds the bags after it
            raise
        for entry in entries:
            if entry.mask is not None and entry.mask != entry.image:
                self._path(LABELS, entry).unlink()
        self.rows += [{'name': entry.name, 'folder': IMAGES, 'has_labels': int(entry.mask == entry.image), 'bag': name,
                       'topic': entry.frame.topic, 'stamp_ns': entry.frame.stamp_ns} for entry in entries if entry.image]
        return {entry.frame: entry.reason for entry in entries if not entry.image}

    def finish(self) -> None:
        """Call after the last bag: move images without a mask aside, since train refuses them next to others."""
        if self._class_map is None or not any(row['has_labels'] for row in self.rows):
            (self._folder / LABELS).rmdir()
            return
        (self._folder / 'class_map.yaml').write_text(self._class_map.to_yaml(), encoding='utf-8')
        for row in self.rows:
            if not row['has_labels']:
                row['folder'] = UNLABELLED_IMAGES
                (self._folder / UNLABELLED_IMAGES).mkdir(exist_ok=True)
                file = f'{row["name"]}.png'
                (self._folder / IMAGES / file).rename(self._folder / UNLABELLED_IMAGES / file)

    def _write(self, bag: BagReader, entries: Sequence[_Entry]) -> None:
        topics = {entry.frame.topic for entry in entries}
        cameras = {camera.mask_topic: camera.topic for camera in masked_cameras(bag) if camera.topic in topics}
        tables = {mask_topic: self._table(bag, mask_topic) for mask_topic in cameras}
        found: dict[tuple[str, int], list[_Entry]] = {}
        for entry in entries:
            found.setdefault((entry.frame.topic, entry.frame.stamp_ns), []).append(entry)
        for start, stop in merged([entry.frame.received_ns for entry in entries], 0, MAX_LAG_NS if cameras else 0):
            waiting = sum(start <= entry.frame.received_ns < stop for entry in entries) * (2 if cameras else 1)
            for item, received_ns, raw in bag.messages(bag.select([*topics, *cameras], IMAGE_TYPES), start, stop):
                try:
                    message = bag.decode(item, raw)
                except BagError:        # damaged, and not the one that was selected
                    continue
                table = tables.get(item.topic)
                same = found.get((cameras.get(item.topic, item.topic), stamp_ns(message.header)), [])
                hit = _entry(same, received_ns, table is not None)
                if hit is not None and table is None and hit.image is None:
                    self._write_image(bag, hit, message)
                elif hit is not None and table is not None and hit.mask is None:
                    self._write_labels(hit, message, table)
                else:
                    continue
                waiting -= 1
                if not waiting:
                    break

    def _write_image(self, bag: BagReader, entry: _Entry, message: Any) -> None:
        try:
            rgb = bag.rgb(entry.frame.topic, message)
        except ImageError as error:
            entry.reason = error.kind
            return
        self._path(IMAGES, entry).write_bytes(cv2.imencode('.png', rgb[..., ::-1])[1].tobytes())
        entry.image = rgb.shape[0], rgb.shape[1]

    def _write_labels(self, entry: _Entry, message: Any, table: np.ndarray) -> None:
        assert self._class_map is not None
        try:
            labels = np.asarray(cv2.LUT(to_labels(message), table))
        except ImageError:      # the image counts as one without a mask
            return
        write_mask(self._path(LABELS, entry), labels, self._class_map)
        entry.mask = labels.shape[0], labels.shape[1]

    def _table(self, bag: BagReader, mask_topic: str) -> np.ndarray:
        """Mask value -> class index."""
        class_map, table = mask_classes(bag, mask_topic)
        if self._class_map is None:
            self._class_map = class_map
        if class_map.names != self._class_map.names:
            raise BagError(f'{bag.path} has masks of other classes ({class_map.name}) than those before '
                           f'({self._class_map.name}): cut it into a folder of its own')
        return table

    def _name(self, bag: str, frame: FoundFrame) -> str:
        """Unique file name: bag, topic and stamp [ns]. Names that differ only in the last number are one drive to train."""
        prefix = self._prefixes.get((bag, frame.topic))
        if prefix is None:
            prefix = '__'.join(re.sub(r'[^A-Za-z0-9.-]+', '_', part).strip('_') for part in (bag, frame.topic))
            if len(prefix) > MAX_PREFIX or prefix in self._prefixes.values():       # a/b and a_b
                digest = hashlib.sha256(repr((bag, frame.topic)).encode()).hexdigest()[:12]
                prefix = f'{prefix[-MAX_PREFIX:]}-{digest}'
            self._prefixes[bag, frame.topic] = prefix
        name = base = f'{prefix}__{frame.stamp_ns}'
        number = 1
        while name in self._names:      # several frames with one stamp, such as 0
            number += 1
            name = f'{base}_{number}'
        self._names.add(name)
        return name

    def _path(self, kind: str, entry: _Entry) -> Path:
        return self._folder / kind / f'{entry.name}.png'


def _entry(same: Sequence[_Entry], received_ns: int, is_mask: bool) -> Optional[_Entry]:
    """Which of the frames with one stamp an image or a mask belongs to: that received at the same time, or the only one."""
    exact = [entry for entry in same if entry.frame.received_ns == received_ns]
    if exact:
        return exact[0]
    return same[0] if is_mask and len(same) == 1 and same[0].mask is None else None
