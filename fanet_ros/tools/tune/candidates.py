# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The candidates that `tune` compares: checkpoints, resolutions, and the engines and precisions that run on the device."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Mapping, Optional, Sequence

import torch

from fanet_ros.inference import ClassMap, SegmentationError
from fanet_ros.inference.checkpoint_summary import summarize_checkpoint
from fanet_ros.inference.device import lower_precisions
from fanet_ros.inference.engines import engines_for, installed_engines
from fanet_ros.inference.input_size import InputSize, Size
from fanet_ros.model import BACKBONE_OF_VARIANT
from fanet_ros.model.checkpoint_files import display_name
from fanet_ros.size_text import size_text

Runner = tuple[str, str]        # engine, precision


@dataclass(frozen=True)
class Model:
    """A checkpoint and its metadata. `checkpoint`: value for the node's parameter. `own_size`: training resolution."""

    checkpoint: str
    path: Path
    variant: str
    own_size: Size
    temporal_frames: int
    class_map: ClassMap

    @property
    def name(self) -> str:
        return display_name(self.path)

    @property
    def identity(self) -> list[Any]:
        """Identity of the file, for detecting changes between runs."""
        status = self.path.stat()
        return [self.name, status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class Candidate:
    """One combination of node parameters to measure. `name`: display name of the checkpoint."""

    name: str
    checkpoint: str
    variant: str
    height: int
    width: int
    engine: str
    precision: str

    @property
    def size(self) -> str:
        return size_text(self.height, self.width)

    @property
    def runner(self) -> str:
        return f'{self.engine} {self.precision}'

    @property
    def title(self) -> str:
        return f'{self.name} {self.size} {self.runner}'


def load_model(checkpoint: str, class_map: str = '') -> Model:
    """Read the metadata of a shipped checkpoint (by name) or any other (by path).

    :param class_map: value of the node's parameter of that name; '': the checkpoint's own
    :raises ValueError: missing or corrupt
    """
    found = summarize_checkpoint(checkpoint)
    metadata, is_file = found.metadata, Path(checkpoint).expanduser().is_file()
    return Model(str(found.path.resolve()) if is_file else checkpoint, found.path, metadata.variant,
                 metadata.training_resolution, metadata.temporal_frames,
                 ClassMap.load(class_map) if class_map else found.class_map)


def sizes_of(model: Model, scales: Sequence[float], resolutions: Sequence[Size], frame: Size) -> tuple[Size, ...]:
    """Distinct sizes, smallest first: `resolutions`, or else what the node's input_scale gives for `scales` and a `frame` size."""
    chosen = resolutions or [InputSize(0, 0, model.own_size, scale).of(*frame) for scale in scales]
    return tuple(sorted(set(chosen), key=lambda size: size[0] * size[1]))


def find_runners(models: Sequence[Model], engines: Optional[Sequence[str]], precisions: Optional[Sequence[str]],
                 device: torch.device) -> dict[Model, tuple[Runner, ...]]:
    """Engines and precisions that run on `device`, for each model that has any.

    :param engines: None: those that are installed
    :param precisions: None: float16 on CUDA; float32 on the CPU, and bfloat16 if it supports that natively
    :raises ValueError: no model has any
    """
    engines = installed_engines(device) if engines is None else engines
    if precisions is None:
        precisions = (*(() if device.type == 'cuda' else ('float32',)), *lower_precisions(device))
    found, reason = {}, 'nothing was requested'
    for model in models:
        runners: list[Runner] = []
        for engine in dict.fromkeys(engines):
            for precision in dict.fromkeys(precisions):
                try:
                    engines_for(device, engine, precision, needs_video=model.temporal_frames > 1)
                    runners.append((engine, precision))
                except SegmentationError as error:
                    reason = str(error)
        if runners:
            found[model] = tuple(runners)
    if not found:
        raise ValueError(f'none of the engines {", ".join(engines)} runs in {", ".join(precisions)} on {device} '
                         f'({reason}): choose other --engines or --precisions')
    return found


def make_candidates(runners: Mapping[Model, Sequence[Runner]], scales: Sequence[float], resolutions: Sequence[Size],
                    frame: Size) -> tuple[Candidate, ...]:
    """All combinations, for frames of size `frame` (height, width); see sizes_of()."""
    return tuple(Candidate(model.name, model.checkpoint, model.variant, *size, *runner)
                 for model in runners for size in sizes_of(model, scales, resolutions, frame) for runner in runners[model])


def largest_of(models: Iterable[Model]) -> Model:
    """The model with the largest network; the first if there are several."""
    order = tuple(BACKBONE_OF_VARIANT)
    return max(models, key=lambda model: order.index(model.variant))


def reference_of(model: Model, candidates: Sequence[Candidate]) -> Candidate:
    """The candidate that replaces ground truth if there are no labels: `model` at its largest resolution, PyTorch in float32."""
    height, width = max(((item.height, item.width) for item in candidates if item.checkpoint == model.checkpoint),
                        key=lambda size: size[0] * size[1])
    return Candidate(model.name, model.checkpoint, model.variant, height, width, 'torch', 'float32')
