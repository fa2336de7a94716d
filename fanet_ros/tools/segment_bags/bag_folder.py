# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder NAME.partial of an unfinished bag: its plan, and for each unit a journal of masks and the table rows of its frames."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Generator, Iterator, Optional, Sequence

import numpy as np

from fanet_ros.atomic_file import write_json
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import any_path
from fanet_ros.tools.segment_bag.journal import Journal
from fanet_ros.tools.segment_bags.done import input_state
from fanet_ros.tools.segment_bags.find import PARTIAL
from fanet_ros.tools.segment_bags.jobs import Bag, Settings, Unit


class BagFolder:
    """Work in progress on a bag. Work left from other contents of the bag or other settings is not reused.

    :raises BagError: the input bag does not exist
    """

    def __init__(self, bag: Bag, settings: Settings) -> None:
        self.path = Path(bag.partial or bag.output + PARTIAL)
        self._bag = bag
        self.input_digest = input_state(any_path(bag.input))[0]
        self._wanted = {'input': self.input_digest, 'key': settings.key, 'table': settings.table}

    @property
    def new_bag(self) -> Path:
        """Where the new bag is written before it is moved to its output path; same name, after which the files in it are named."""
        return self.path / 'bag' / Path(self._bag.output).name

    def plan(self) -> Optional[dict[str, Any]]:
        """The stored plan, or None if there is none for the current contents of the bag and these settings."""
        try:
            plan = json.loads((self.path / 'plan.json').read_text(encoding='utf-8'))
        except (FileNotFoundError, ValueError):
            return None
        return plan if {name: plan.get(name) for name in self._wanted} == self._wanted else None

    def store_plan(self, images: int, units: Sequence[Unit]) -> None:
        """Store a new plan with these units; remove any previous work."""
        self.remove()
        self.path.mkdir(parents=True)
        write_json(self.path / 'plan.json', {
            **self._wanted, 'images': images, 'units': [[item.start, item.stop] for item in units]}, is_durable=True)

    def units(self) -> tuple[Unit, ...]:
        """The units of the plan.

        :raises BagError: no plan for the current contents of the bag
        """
        plan = self.plan()
        if plan is None:
            raise BagError(f'{self._bag.input} changed while it was read: run the same command again')
        return tuple(Unit(number, *times) for number, times in enumerate(plan['units']))

    def journal(self, unit: Unit) -> Journal:
        """The journal of a unit's masks; only one process may open it at a time."""
        return Journal(self.path / f'unit_{unit.number:06d}', {'start': unit.start, 'stop': unit.stop})

    def rows(self, unit: Unit) -> Path:
        """The file with the table rows of a unit, for RowFile."""
        return self.path / f'unit_{unit.number:06d}' / 'rows.jsonl'

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Masks:
    """Iterate over the masks of all units in order, one per image and None for an image without a mask, for write_bag().

    `reasons`: images without a mask in the units read so far, counted by reason; `count`: images read so far.
    """

    def __init__(self, folder: BagFolder, units: Sequence[Unit]) -> None:
        self.reasons: dict[str, int] = {}
        self.count = 0
        self._folder, self._items = folder, self._read(units)

    def __iter__(self) -> Iterator[np.ndarray | None]:
        return self

    def __next__(self) -> np.ndarray | None:
        try:
            return next(self._items)
        except StopIteration:       # would silently end a loop in the caller
            raise BagError('there are fewer masks than images: the bag changed while it was read') from None

    def check_end(self, images: int) -> None:
        """Check that all masks were consumed and that their number is `images`, the image count in the bag's index.

        :raises BagError: masks are left over, or some images could not be read
        """
        if next(self._items, self) is not self:
            raise BagError('there are more masks than images: the bag changed while it was read')
        if self.count != images:
            raise BagError(f'only {self.count} of its {images} images can be read: one of its files is damaged; ros2 bag reindex '
                           'repairs some')

    def close(self) -> None:
        self._items.close()

    def _read(self, units: Sequence[Unit]) -> Generator[np.ndarray | None, None, None]:
        for unit in units:
            with self._folder.journal(unit) as journal:
                for reason, count in journal.reasons.items():
                    self.reasons[reason] = self.reasons.get(reason, 0) + count
                for mask in journal.masks():
                    self.count += 1
                    yield mask
