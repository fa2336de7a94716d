# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder NAME.partial of a bag under way: its plan, and of every unit a journal of masks and the rows of its frames."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Generator, Iterator, Optional, Sequence

import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.tools.segment_bag.journal import Journal
from fanet_ros.tools.segment_bags.done import input_state, write_json
from fanet_ros.tools.segment_bags.find import PARTIAL
from fanet_ros.tools.segment_bags.jobs import Bag, Settings, Stretch


class BagFolder:
    """Work on `bag` with `settings`; begun anew if what is there was made of another state of the bag, or otherwise.

    :raises BagError: the bag is gone
    """

    def __init__(self, bag: Bag, settings: Settings) -> None:
        output = Path(bag.output)
        self.path = output.with_name(output.name + PARTIAL)
        self._bag = bag
        self.input_digest = input_state(Path(bag.input))[0]
        self._wanted = {'input': self.input_digest, 'key': settings.key, 'table': settings.table}

    @property
    def made(self) -> Path:
        """Where the new bag is written before it is put in its place. The files in a bag are named after their folder."""
        return self.path / 'bag' / Path(self._bag.output).name

    def plan(self) -> Optional[dict[str, Any]]:
        """What planned() was given for the present state of the bag and the same settings; None: not yet."""
        try:
            plan = json.loads((self.path / 'plan.json').read_text(encoding='utf-8'))
        except (FileNotFoundError, ValueError):
            return None
        return plan if {name: plan.get(name) for name in self._wanted} == self._wanted else None

    def planned(self, images: int, stretches: Sequence[Stretch]) -> None:
        """Begin with these units; whatever was there is removed."""
        self.remove()
        self.path.mkdir(parents=True)
        write_json(self.path / 'plan.json', {
            **self._wanted, 'images': images, 'stretches': [[item.start, item.stop] for item in stretches]})

    def stretches(self) -> tuple[Stretch, ...]:
        """The units of the plan.

        :raises BagError: there is none for this state of the bag
        """
        plan = self.plan()
        if plan is None:
            raise BagError(f'{self._bag.input} changed while it was read: give the same command again')
        return tuple(Stretch(number, *times) for number, times in enumerate(plan['stretches']))

    def journal(self, stretch: Stretch) -> Journal:
        """Of the masks of a unit; one process at a time."""
        return Journal(self.path / f'unit_{stretch.number:06d}', {'start': stretch.start, 'stop': stretch.stop})

    def rows(self, stretch: Stretch) -> Path:
        """The file with the rows of a unit, for RowFile."""
        return self.path / f'unit_{stretch.number:06d}' / 'rows.jsonl'

    def remove(self) -> None:
        """Remove all of it, if it is there."""
        shutil.rmtree(self.path, ignore_errors=True)


class Masks:
    """The masks of all units in order, for write_bag(), which takes one for each image.

    `reasons`: how many images of the units read so far have none, and why; `count`: images read so far.
    """

    def __init__(self, folder: BagFolder, stretches: Sequence[Stretch]) -> None:
        self.reasons: dict[str, int] = {}
        self.count = 0
        self._folder, self._items = folder, self._read(stretches)

    def __iter__(self) -> Iterator[np.ndarray | None]:
        return self

    def __next__(self) -> np.ndarray | None:
        try:
            return next(self._items)
        except StopIteration:       # which would end a loop elsewhere without a word
            raise BagError('there are fewer masks than images: the bag changed while it was read') from None

    def check_end(self, images: int) -> None:
        """All of them were taken, and there were as many as the bag says that it has images.

        :raises BagError: so it is not
        """
        if next(self._items, self) is not self:
            raise BagError('there are more masks than images: the bag changed while it was read')
        if self.count != images:
            raise BagError(f'only {self.count} of its {images} images can be read: a file of it is damaged; ros2 bag reindex '
                           'repairs some')

    def close(self) -> None:
        """Let go of the journal that is being read."""
        self._items.close()

    def _read(self, stretches: Sequence[Stretch]) -> Generator[np.ndarray | None, None, None]:
        for stretch in stretches:
            with self._folder.journal(stretch) as journal:
                for reason, count in journal.reasons.items():
                    self.reasons[reason] = self.reasons.get(reason, 0) + count
                for mask in journal.masks():
                    self.count += 1
                    yield mask
