# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a source, kept as files so that a resumed run uses the same ones."""
from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import cv2
import numpy as np
from tqdm import tqdm

from fanet_ros.atomic_file import PARTIAL_PREFIX, write_json
from fanet_ros.datasets import UNLABELLED, DatasetError
from fanet_ros.datasets.source_frames import SourceFrame, SourceFrames, SourceRequest, open_source_frames

LOG = logging.getLogger(__name__)
IMAGES, TRUTH, EARLIER = 'images', 'truth', 'earlier'
# What an interrupted run may leave behind in a folder; others start with PARTIAL_PREFIX.
OWN = IMAGES, TRUTH, EARLIER, f'{TRUTH}.partial', 'soft_labels.npz'
LEAST_CONTRAST = 4.0        # standard deviation of the grey image, of 255

FrameChange = Callable[[SourceFrame], Optional[SourceFrame]]


@dataclass(frozen=True)
class FrameSet:
    """Frames in `folder`: images/NNNN.png, their predecessors earlier/NNNN_K.png and, for scoring, truth/NNNN.png.

    has_labels: `labels` come from the source; otherwise from the reference network.
    class_names: of the values in `labels`. height, width: of the first frame [px]. rate_hz: of the camera, None: unknown.
    """

    folder: Path
    count: int
    height: int
    width: int
    has_labels: bool
    has_earlier: bool
    class_names: tuple[str, ...]
    rate_hz: Optional[float]
    image_topic: str

    @property
    def images(self) -> Path:
        return self.folder / IMAGES

    @property
    def labels(self) -> Path:
        return self.folder / TRUTH

    @property
    def is_scorable(self) -> bool:
        """Whether there are labels to score against."""
        return self.labels.is_dir()

    def frame(self, number: int) -> SourceFrame:
        """Load one frame, without labels."""
        name = name_of(number)
        earlier = sorted((self.folder / EARLIER).glob(f'{name}_*.png'))
        return SourceFrame(name, self.rgb(number), None, tuple(read_rgb(item) for item in earlier))

    def rgb(self, number: int) -> np.ndarray:
        """Load the image of one frame, (H, W, 3) uint8, without those before it."""
        return read_rgb(self.images / f'{name_of(number)}.png')

    def frames(self) -> Iterator[SourceFrame]:
        """Yield the frames without labels, loading one at a time to save memory."""
        return map(self.frame, range(self.count))


def gather_frames(folder: Path, request: SourceRequest, *, change: Optional[FrameChange] = None, quiet: bool = False) -> FrameSet:
    """Return the frames in `folder` if they are complete; otherwise read them from the source and write them there.

    :param change: applied to each frame before it is written; may return None to leave out a blank frame
    :raises ValueError: the source cannot be used, or `folder` holds files of somebody else
    :raises OSError: `folder` cannot be written
    """
    if (folder / 'frames.json').is_file():
        return open_frames(folder)
    foreign = [path.name for path in folder.iterdir() if path.name not in OWN and not path.name.startswith(PARTIAL_PREFIX)] \
        if folder.is_dir() else []
    if foreign:
        raise DatasetError(f'{folder} would be replaced, but holds {min(foreign)}: choose another output or work folder')
    shutil.rmtree(folder, ignore_errors=True)       # left by an interrupted run
    source = open_source_frames(request)
    for name in (IMAGES, EARLIER, *((TRUTH,) if source.has_labels else ())):
        (folder / name).mkdir(parents=True)
    found = _write(folder, source, request, change, quiet)
    write_json(folder / 'frames.json', found)       # written last: marks the folder as complete
    return open_frames(folder)


def open_frames(folder: Path) -> FrameSet:
    """Open the frames that gather_frames() wrote to `folder`."""
    content: dict[str, Any] = json.loads((folder / 'frames.json').read_text())
    return FrameSet(folder, **{**content, 'class_names': tuple(content['class_names'])})


def name_of(number: int) -> str:
    """Name of a frame and its files."""
    return f'{number:04d}'


def read_rgb(path: Path) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 RGB.

    :raises DatasetError: it is missing or damaged
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DatasetError(f'{path} is missing or damaged: remove {path.parents[1]} and run the same command again')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_labels(path: Path) -> np.ndarray:
    """Read labels as (H, W) uint8.

    :raises DatasetError: it is missing or damaged
    """
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise DatasetError(f'{path} is missing or damaged: remove {path.parents[1]} and run the same command again')
    return labels


def is_blank(rgb: np.ndarray) -> bool:
    """Whether a frame (H, W, 3) uint8 shows nothing, such as one of a covered camera."""
    return float(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).std()) < LEAST_CONTRAST


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) RGB or (H, W) labels, uint8, as PNG.

    :raises OSError: it cannot be written
    """
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode('.png', bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def _write(folder: Path, source: SourceFrames, request: SourceRequest, change: Optional[FrameChange],
           quiet: bool) -> dict[str, Any]:
    count, left_out, labelled, size, has_earlier = 0, 0, 0, (0, 0), False
    title = f'frames of {request.source}'
    for original in tqdm(source.frames, total=request.frames, desc=title, unit='frame', disable=quiet):
        frame = original if change is None else change(original)
        if frame is None:
            left_out += 1
            continue
        size = size if count else frame.rgb.shape[:2]
        name = name_of(count)
        write_png(folder / IMAGES / f'{name}.png', frame.rgb)
        for number, rgb in enumerate(frame.earlier):
            write_png(folder / EARLIER / f'{name}_{number}.png', rgb)
        if frame.labels is not None:
            write_png(folder / TRUTH / f'{name}.png', frame.labels)
            labelled += int((frame.labels != UNLABELLED).sum())
        count, has_earlier = count + 1, has_earlier or bool(frame.earlier)
    if source.unreadable:
        LOG.warning(f'images of {request.source} that cannot be read and are left out: {len(source.unreadable)}, '
                    f'the first is {source.unreadable[0]}')
    if not count and left_out:
        raise DatasetError(f'all {left_out} frames of {request.source} are blank (of one brightness): was the camera covered?')
    if not count:
        raise DatasetError(f'{request.source} yielded no frame: check that it plays')
    if source.has_labels and not labelled:
        raise DatasetError(f'no labelled pixel of {request.source} has a class of {request.class_map.name}: '
                        f'expected {", ".join(request.class_map.names)}; map names with --set rename.THEIRS=OURS')
    frames = FrameSet(folder, count, *size, source.has_labels, has_earlier, request.class_map.names, source.rate_hz,
                      source.image_topic)
    return {key: value for key, value in asdict(frames).items() if key != 'folder'}
