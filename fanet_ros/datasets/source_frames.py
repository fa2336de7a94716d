# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evenly spaced frames of a bag, a video, a camera, a folder or the synthetic street."""
from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Iterator, Optional, Sequence

import numpy as np

from fanet_ros.bags.bag_files import is_bag
from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.topics import Camera, choose_cameras
from fanet_ros.datasets import DatasetError, Sample, Samples
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.config_reader import build, override
from fanet_ros.datasets.layouts import OWN_CLASS_MAP, find_class_map, load_dataset
from fanet_ros.inference import ClassMap
from fanet_ros.sources import FolderSource, SourceError, open_source
from fanet_ros.video_device import video_device

RATE_STAMPS = 300               # images of a bag from which its rate is measured
CAMERA_STEP = 10                # take every tenth frame of a live camera: leaves time to point it elsewhere
STREET_FIRST_SEED = 900         # streets that no shipped network was trained on
STREET_SECONDS = 20
STREET_RATE_HZ = 15


@dataclass(frozen=True)
class SourceFrame:
    """One frame: `rgb` (H, W, 3) uint8; `labels` (H, W) uint8 if known; `earlier`: the frames just before it, oldest first."""

    name: str
    rgb: np.ndarray
    labels: Optional[np.ndarray] = None
    earlier: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class SourceRequest:
    """Which frames to take.

    :param context: number of preceding frames to take with each, for networks that use previous frames
    :param class_map: classes whose indices the labels use
    :param with_labels: False: ignore labels next to the images
    """

    source: str
    frames: int
    context: int
    class_map: ClassMap
    image_topic: str = ''
    labels: str = ''
    label_settings: tuple[str, ...] = ()
    with_labels: bool = True


@dataclass(frozen=True)
class SourceFrames:
    """Frames, read on demand, with what is known about them.

    rate_hz: of the camera; None: unknown. unreadable: files of a folder that could not be read, known once `frames` ends.
    """

    frames: Iterator[SourceFrame]
    has_labels: bool = False
    rate_hz: Optional[float] = None
    image_topic: str = ''
    unreadable: list[str] = field(default_factory=list)


def open_source_frames(request: SourceRequest) -> SourceFrames:
    """Open the source that `request.source` names.

    :raises ValueError: it does not exist or is unusable; the message says what to do
    """
    path = Path(request.source).expanduser()
    if is_bag(path):
        _refuse_labels(request)
        return _bag(path, request)
    if request.source == 'street':
        return _street(request)
    if path.is_dir():
        if request.labels or (request.with_labels and (path / 'images').is_dir() and (path / 'labels').is_dir()):
            return _labelled_folder(path, request)
        _refuse_labels(request)
        return _folder(path / 'images' if (path / 'images').is_dir() else path, request)
    if not path.exists() and video_device(request.source) is None:
        raise DatasetError(f'source {request.source!r} does not exist: expected a rosbag2, a folder of images (or one '
                        "with images/ and labels/), a video, /dev/videoN or 'street'; for a live camera topic, record a "
                        'few seconds first: ros2 run fanet_ros recorder_node --help')
    _refuse_labels(request)
    return _video(request)


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` of the numbers 0..count-1, evenly spaced."""
    return sorted({int(number) for number in np.linspace(0, count - 1, min(count, wanted)).round()}) if count else []


def _refuse_labels(request: SourceRequest) -> None:
    if request.labels or request.label_settings:
        raise DatasetError(f'--labels and --set are for folders of images: {request.source} is not one')


def _bag(path: Path, request: SourceRequest) -> SourceFrames:
    with CameraReader(path) as bag:
        requested = (request.image_topic,) if request.image_topic else ()
        cameras = choose_cameras(bag.list_topics(), requested, '--image-topic')
        if len(cameras) > 1:
            raise DatasetError(f'the bag has {len(cameras)} cameras: choose one with --image-topic: '
                            f'{", ".join(camera.topic for camera in cameras)}')
        if not bag.count(cameras):
            raise DatasetError(f'{cameras[0].topic} has no image in {path}: expected at least one; choose another topic')
        steps = np.diff(bag.stamps_s(cameras[0], RATE_STAMPS))
    median_s = float(np.median(steps)) if len(steps) else 0.0
    return SourceFrames(_bag_frames(path, cameras[0], request), rate_hz=1 / median_s if median_s > 0 else None,
                        image_topic=cameras[0].topic)


def _bag_frames(path: Path, camera: Camera, request: SourceRequest) -> Iterator[SourceFrame]:
    with CameraReader(path) as bag:
        chosen = spread(bag.count([camera]), request.frames)
        numbers = _with_earlier(chosen, request.context)
        reasons: dict[str, int] = {}

        def readable() -> Iterator[tuple[int, np.ndarray]]:
            for number, image in zip(sorted(numbers), bag.images([camera], only=numbers)):
                if image.rgb is not None:
                    yield number, image.rgb
                else:
                    reasons[image.reason] = reasons.get(image.reason, 0) + 1
        frames = 0
        for frame in _joined(readable(), chosen, request.context):
            frames += 1
            yield frame
    if not frames:
        found = ', '.join(f'{count} {reason}' for reason, count in reasons.items())
        raise DatasetError(f'no image of {camera.topic} in {path} can be read ({found}): check that the bag plays')


def _with_earlier(chosen: Sequence[int], context: int) -> set[int]:
    return {number - back for number in chosen for back in range(context + 1) if number >= back}


def _joined(frames: Iterator[tuple[int, np.ndarray]], chosen: Sequence[int], context: int) -> Iterator[SourceFrame]:
    """Yield the `chosen` frames, each with those of the `context` frames before it that `frames` has."""
    wanted = set(chosen)
    last: dict[int, np.ndarray] = {}
    for number, rgb in frames:
        if number in wanted:
            earlier = [last[number - back] for back in range(context, 0, -1) if number - back in last]
            yield SourceFrame(f'{number:06d}', rgb, None, tuple(earlier))
        last = {key: value for key, value in [*last.items(), (number, rgb)] if key > number - context}


def _folder(path: Path, request: SourceRequest) -> SourceFrames:
    """Only the chosen images are decoded: a folder may hold a long recording."""
    source = FolderSource(path)
    unreadable: list[str] = []
    chosen = spread(source.length or 0, request.frames)
    images = source.only(_with_earlier(chosen, request.context), unreadable)
    return SourceFrames(_joined(((image.index, image.rgb) for image in images), chosen, request.context), unreadable=unreadable)


def _video(request: SourceRequest) -> SourceFrames:
    """A video or a camera."""
    source = open_source(request.source)
    rate_hz, length = source.rate_hz, source.length
    if length is None and video_device(request.source) is None:
        length = sum(1 for _ in source)     # the length stated in the file is often wrong
    source.close()

    def frames() -> Iterator[SourceFrame]:
        chosen = [CAMERA_STEP * (number + 1) for number in range(request.frames)] if length is None else spread(
            length, request.frames)
        again = open_source(request.source)
        try:
            frames = ((frame.index, frame.rgb) for frame in islice(again, chosen[-1] + 1))
            yield from _joined(frames, chosen, request.context)
        finally:
            again.close()
    if length == 0:
        raise SourceError(f'{request.source} has no readable frame: check that it plays')
    return SourceFrames(frames(), rate_hz=rate_hz)


def _street(request: SourceRequest) -> SourceFrames:
    """Synthetic streets of a few seeds, with ground truth if the network has any of their classes."""
    _refuse_labels(request)
    each = min(8, request.frames)
    config = DataConfig(
        layout='street', seeds=(STREET_FIRST_SEED, STREET_FIRST_SEED - (-request.frames // each)),
        frames=tuple(request.context + number for number in spread(STREET_SECONDS * STREET_RATE_HZ, each)))
    try:
        samples, has_labels = load_dataset(config, request.class_map), True
    except DatasetError:        # the network has no class in common with the street
        samples, has_labels = load_dataset(config, find_class_map(OWN_CLASS_MAP['street'])), False
    return SourceFrames(_samples(samples, request, has_labels), has_labels, float(STREET_RATE_HZ))


def _labelled_folder(path: Path, request: SourceRequest) -> SourceFrames:
    content: dict[str, object] = {'path': str(path)}
    if request.labels:
        content.update(images='images' if (path / 'images').is_dir() else '.',
                       masks=str(Path(request.labels).expanduser().resolve()))
    for text in request.label_settings:
        override(content, text)
    samples = load_dataset(build(DataConfig, content, ''), request.class_map)
    return SourceFrames(_samples(samples, request, True), True)


def _samples(samples: Samples, request: SourceRequest, has_labels: bool) -> Iterator[SourceFrame]:
    for index in spread(len(samples), request.frames):
        clip: Optional[list[Sample]] = samples.video(index, request.context + 1)
        sample = clip[-1] if clip else samples[index]
        yield SourceFrame(sample.name, sample.rgb, sample.labels if has_labels else None,
                          tuple(item.rgb for item in (clip or [sample])[:-1]))
