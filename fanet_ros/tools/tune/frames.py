# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames that every candidate is measured on, as files: the same ones after an interruption too."""
from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterator, Optional

import cv2
import numpy as np
from tqdm import tqdm

from fanet_ros.datasets import UNLABELLED
from fanet_ros.tools.tune.source import SourceRequest, TuneError, TuningFrame, TuningFrames, open_tuning_frames

IMAGES, TRUTH, EARLIER = 'images', 'truth', 'earlier'


@dataclass(frozen=True)
class FrameSet:
    """Frames in `folder`: images/NNNN.png, earlier/NNNN_K.png before them and, for scoring, truth/NNNN.png.

    has_labels: truth holds labels that people or the source gave; else what the reference network makes of the frames.
    class_names: of the values in truth. height, width: of the first frame in px. rate_hz: of the camera, None: unknown.
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
    def truth(self) -> Path:
        return self.folder / TRUTH

    @property
    def has_truth(self) -> bool:
        """There is something to score against."""
        return self.truth.is_dir()

    def frames(self) -> Iterator[TuningFrame]:
        """The frames one by one, without truth: only one is in memory at a time."""
        for path in sorted(self.images.glob('*.png')):
            earlier = sorted((self.folder / EARLIER).glob(f'{path.stem}_*.png'))
            yield TuningFrame(path.stem, read_rgb(path), None, tuple(read_rgb(item) for item in earlier))


def gather_frames(folder: Path, request: SourceRequest, *, quiet: bool = False) -> FrameSet:
    """Those in `folder` if they are complete, else frames of the source, written there.

    :raises ValueError: the source cannot be used
    :raises OSError: `folder` cannot be written
    """
    if (folder / 'frames.json').is_file():
        return open_frames(folder)
    shutil.rmtree(folder, ignore_errors=True)       # of an interrupted attempt
    source = open_tuning_frames(request)
    for name in (IMAGES, EARLIER, *((TRUTH,) if source.has_labels else ())):
        (folder / name).mkdir(parents=True)
    found = _write(folder, source, request, quiet)
    partial = folder / 'frames.json.partial'
    partial.write_text(json.dumps(found, indent=1) + '\n')
    os.replace(partial, folder / 'frames.json')     # last: where it is, all are
    return open_frames(folder)


def open_frames(folder: Path) -> FrameSet:
    """The frames that gather_frames() left in `folder`."""
    content: dict[str, Any] = json.loads((folder / 'frames.json').read_text())
    return FrameSet(folder, **{**content, 'class_names': tuple(content['class_names'])})


def read_rgb(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB.

    :raises TuneError: it is gone or damaged
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TuneError(f'{path} is missing or damaged: remove {path.parents[1]} and give the same command again')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_labels(path: Path) -> np.ndarray:
    """(H, W) uint8.

    :raises TuneError: it is gone or damaged
    """
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise TuneError(f'{path} is missing or damaged: remove {path.parents[1]} and give the same command again')
    return labels


def write_png(path: Path, pixels: np.ndarray) -> None:
    """RGB or labels as PNG.

    :raises OSError: it cannot be written
    """
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode('.png', bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def _write(folder: Path, source: TuningFrames, request: SourceRequest, quiet: bool) -> dict[str, Any]:
    count, labelled, size, has_earlier = 0, 0, (0, 0), False
    title = f'frames of {request.source}'
    for frame in tqdm(source.frames, total=request.frames, desc=title, unit='frame', disable=quiet):
        size = size if count else frame.rgb.shape[:2]
        name = f'{count:04d}'
        write_png(folder / IMAGES / f'{name}.png', frame.rgb)
        for number, rgb in enumerate(frame.earlier):
            write_png(folder / EARLIER / f'{name}_{number}.png', rgb)
        if frame.labels is not None:
            write_png(folder / TRUTH / f'{name}.png', frame.labels)
            labelled += int((frame.labels != UNLABELLED).sum())
        count, has_earlier = count + 1, has_earlier or bool(frame.earlier)
    if not count:
        raise TuneError(f'{request.source} gave no frame: see whether it plays')
    if source.has_labels and not labelled:
        raise TuneError(f'no pixel of the labels of {request.source} is of a class of {request.class_map.name}: '
                        f'expected {", ".join(request.class_map.names)}; name pairs with --set rename.THEIRS=OURS')
    frames = FrameSet(folder, count, *size, source.has_labels, has_earlier, request.class_map.names, source.rate_hz,
                      source.image_topic)
    return {key: value for key, value in asdict(frames).items() if key != 'folder'}
