# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the driver asks of a worker, and what comes back: small and plain, since it may cross a network."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Union

from fanet_ros.inference import SegmenterOptions


@dataclass(frozen=True)
class Settings:
    """How every bag is segmented.

    :param checkpoint: path, which every worker must be able to read
    :param checkpoint_sha256: of that file; a worker that finds another one refuses to work
    :param table: whether a row is kept of every frame
    :param storage: of the new bags: 'input', 'mcap' or 'sqlite3'
    :param key: tells apart all that the masks depend on, beside the bag
    :param longest: images of a unit at most
    :param share: a bag is cut into at least this many units, unless they would be shorter than SHORTEST
    """

    checkpoint: str
    checkpoint_name: str
    checkpoint_sha256: str
    options: SegmenterOptions
    topics: tuple[str, ...]
    storage: str
    table: bool
    key: str
    longest: int = 300
    share: int = 1


@dataclass(frozen=True)
class Bag:
    """A bag: `input`, the finished one's folder `output`, both absolute paths; `name`: its place in the archive."""

    input: str
    output: str
    name: str
    size_bytes: int = 0
    replace: bool = False       # what lies at `output` is of an earlier state


@dataclass(frozen=True)
class Stretch:
    """A unit of work: the images of a bag received from `start` on and before `stop`, in ns; None: no such end."""

    number: int
    start: Optional[int] = None
    stop: Optional[int] = None


@dataclass(frozen=True)
class Begin:
    """Open a bag. A short one is segmented and written at once, of a long one the units come back."""

    bag: Bag
    tries: int = 0


@dataclass(frozen=True)
class Segment:
    """Segment a unit of a bag."""

    bag: Bag
    stretch: Stretch
    tries: int = 0


@dataclass(frozen=True)
class Assemble:
    """Write the bag from its units."""

    bag: Bag
    tries: int = 0


Job = Union[Begin, Segment, Assemble]


@dataclass(frozen=True)
class Begun:
    """A bag of `images` images that was cut."""

    images: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Segmented:
    """A unit of `images` images, of which `made` were segmented now: the others had been before an interruption."""

    images: int
    made: int


@dataclass(frozen=True)
class Finished:
    """A bag that is in its place. `reasons`: how many images have no mask, and why. `made`: as in Segmented."""

    images: int
    masks: int
    made: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a job: a result, or the `error` in one line."""

    job: Job
    result: Any = None
    error: str = ''
