# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Remembers, in the cache, what is needed to segment the first frames of the next start without torch."""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from fanet_ros import __version__
from fanet_ros.atomic_file import write_json
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.engines.cache import cache_directory
from fanet_ros.inference.input_size import Size
from fanet_ros.inference.segmenter_options import SegmenterOptions
from fanet_ros.model import resolve_checkpoint
from fanet_ros.strict_json import with_tuples

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.inference.segmenter import Segmenter

ENGINES, PRECISIONS = ('auto', 'onnxruntime'), ('auto', 'float32')      # options with which ONNX Runtime may answer first
# Of the options, those that decide on the result. The class map counts by its contents.
DECISIVE = 'device', 'input_height', 'input_width', 'scale', 'variant', 'num_threads'


@dataclass(frozen=True)
class FirstAnswer:
    """A network on the CPU in float32 at one size, as an ONNX file of the cache, and how to use it.

    `model` is the name of the file; `mean` and `std` normalise RGB values scaled to 0..1.
    """

    model: str
    input_size: Size
    threads: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    checkpoint_name: str
    variant: str
    class_map: ClassMap

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return cache_directory() / self.model


def recall(checkpoint: str, options: SegmenterOptions) -> Optional[FirstAnswer]:
    """What remember() stored for the same checkpoint and options; None if there is nothing, or the network is gone.

    :raises CheckpointError: there is no such checkpoint
    :raises OSError: the class map cannot be read
    """
    path = _path(checkpoint, options)
    try:
        values = None if path is None else json.loads(path.read_text())
        answer = None if values is None else FirstAnswer(**{
            **{name: with_tuples(value) for name, value in values.items()},
            'class_map': ClassMap(**{name: with_tuples(value) for name, value in values['class_map'].items()})})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):      # not stored yet, or damaged
        return None
    return answer if answer is not None and answer.path.is_file() else None


def remember(checkpoint: str, segmenter: Segmenter) -> None:
    """Store what the next start with this checkpoint and these options can answer with first, if there is anything."""
    import torch

    from fanet_ros.inference.engines.onnx_model import found_in_cache
    setup, path = segmenter.setup, _path(checkpoint, segmenter.options)
    if path is None or setup.device.type != 'cpu' or setup.precision != 'float32' or setup.needs_video:
        return
    size = segmenter.input_height, segmenter.input_width
    model = found_in_cache(setup, setup.precision, *size)
    if model is None:       # the engines in use are not made from it
        return
    metadata = segmenter.metadata
    answer = FirstAnswer(model.name, size, torch.get_num_threads(), metadata.mean, metadata.std, segmenter.checkpoint_name,
                         segmenter.variant, segmenter.class_map)
    write_json(path, asdict(answer))


def _path(checkpoint: str, options: SegmenterOptions) -> Optional[Path]:
    """The file for these weights and options; None if the options rule a first answer out."""
    if options.engine not in ENGINES or options.precision not in PRECISIONS or isinstance(options.class_map, ClassMap):
        return None
    class_map = Path(options.class_map).expanduser().read_bytes() if options.class_map else b''
    digest = hashlib.sha256(resolve_checkpoint(checkpoint).read_bytes())
    digest.update(repr((__version__, [getattr(options, name) for name in DECISIVE], class_map)).encode())
    return cache_directory() / f'first_{digest.hexdigest()[:16]}.json'
