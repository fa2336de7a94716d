# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages between driver and workers: small and plain, since they may cross a network."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Union

from fanet_ros.inference import SegmenterOptions


@dataclass(frozen=True)
class Settings:
    """How every bag is segmented.

    :param checkpoint: path that every worker must be able to read
    :param checkpoint_sha256: of that file; a worker that reads a different file refuses to start
    :param topics: camera topics as [NAME=]TOPIC; empty: detected automatically
    :param storage: format of the new bags: 'input', 'mcap' or 'sqlite3'
    :param as_png: write masks as PNG instead of raw
    :param table: whether to keep a table row per frame
    :param key: digest of everything besides the bag that the masks depend on
    :param max_unit_images: maximum number of images per unit
    :param min_units: minimum number of units per bag, unless they would be shorter than MIN_UNIT_IMAGES
    """

    checkpoint: str
    checkpoint_name: str
    checkpoint_sha256: str
    options: SegmenterOptions
    topics: tuple[str, ...]
    storage: str
    as_png: bool
    table: bool
    key: str
    max_unit_images: int = 300
    min_units: int = 1


@dataclass(frozen=True)
class Bag:
    """A bag to segment. `input`, `output`: absolute paths or URLs of the bag and of the new one; `name`: path in the archive.

    :param input_digest: state of the files of `input` when it was found, from input_state(); '': unknown
    :param replace: overwrite the existing `output`, which is out of date
    :param partial: folder of the unfinished work; '': NAME.partial next to `output`
    """

    input: str
    output: str
    name: str
    size_bytes: int = 0
    input_digest: str = ''
    replace: bool = False
    partial: str = ''


@dataclass(frozen=True)
class Unit:
    """A unit of work: the images of a bag received at start <= time < stop [ns]; None: unbounded."""

    number: int
    start: Optional[int] = None
    stop: Optional[int] = None


@dataclass(frozen=True)
class Begin:
    """Open a bag. A short one is segmented and written at once (Finished), a long one is cut into units (Begun)."""

    bag: Bag
    tries: int = 0


@dataclass(frozen=True)
class Segment:
    """Segment one unit of a bag."""

    bag: Bag
    unit: Unit
    tries: int = 0


@dataclass(frozen=True)
class Assemble:
    """Write the new bag from its segmented units."""

    bag: Bag
    tries: int = 0


Job = Union[Begin, Segment, Assemble]


@dataclass(frozen=True)
class Begun:
    """A bag of `images` images that was cut into units."""

    images: int
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Segmented:
    """A finished unit of `images` images, `made` of them by this job, the others before an interruption."""

    images: int
    made: int


@dataclass(frozen=True)
class Finished:
    """A bag that is complete at its output path. `made`: as in Segmented; `reasons`: images without a mask, counted by reason."""

    images: int
    masks: int
    made: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Outcome of a job: its result (Begun, Segmented or Finished), or a one-line `error`.

    :param worker: who did it, as 'NODE PROCESS'; '': the worker was lost
    :param seconds: how long that took
    """

    job: Job
    result: Any = None
    error: str = ''
    worker: str = ''
    seconds: float = 0.0
