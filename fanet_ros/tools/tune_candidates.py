"""What is compared: checkpoints, resolutions, engines and precisions that exist on the device."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

import torch

from fanet_ros.inference import ClassMap, SegmentationError
from fanet_ros.inference.checkpoint_summary import summarize_checkpoint
from fanet_ros.inference.engines import EngineFactory, installed_engines
from fanet_ros.inference.input_size import scaled_px
from fanet_ros.model import BACKBONE_OF_VARIANT, FANet
from fanet_ros.tools.tune_source import TuneError

Size = tuple[int, int]          # height, width [px]


@dataclass(frozen=True)
class Model:
    """A checkpoint, as the parameter of the node names it, and what is known about it."""

    checkpoint: str
    path: Path
    variant: str
    own_size: Size
    temporal_frames: int
    class_map: ClassMap

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def identity(self) -> list[Any]:
        """Tells whether it is still the same file."""
        status = self.path.stat()
        return [self.name, status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class Candidate:
    """One way to run: the parameters of the node that make it. `name`: of the checkpoint, for people."""

    name: str
    checkpoint: str
    variant: str
    height: int
    width: int
    engine: str
    precision: str

    @property
    def size(self) -> str:
        return f'{self.height}x{self.width}'

    @property
    def runner(self) -> str:
        return f'{self.engine} {self.precision}'

    @property
    def title(self) -> str:
        return f'{self.name} {self.size} {self.runner}'

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def load_model(checkpoint: str, class_map: str = '') -> Model:
    """A shipped checkpoint by name, or any by path.

    :param class_map: as the node's parameter of that name
    :raises ValueError: missing or corrupt
    """
    found = summarize_checkpoint(checkpoint)
    metadata, is_file = found.metadata, Path(checkpoint).expanduser().is_file()
    return Model(str(found.path.resolve()) if is_file else checkpoint, found.path, metadata.variant,
                 metadata.training_resolution, metadata.temporal_frames,
                 ClassMap.load(class_map) if class_map else found.class_map)


def sizes_of(model: Model, scales: Sequence[float], resolutions: Sequence[Size]) -> tuple[Size, ...]:
    """`resolutions`, or else `scales` of the checkpoint's own as the node rounds them; without repetition, rising."""
    height, width = model.own_size
    chosen = resolutions or [(scaled_px(height, scale), scaled_px(width, scale)) for scale in scales]
    return tuple(sorted(set(chosen), key=lambda size: size[0] * size[1]))


def make_candidates(models: Sequence[Model], scales: Sequence[float], resolutions: Sequence[Size],
                    engines: Optional[Sequence[str]], precisions: Optional[Sequence[str]],
                    device: torch.device) -> tuple[Candidate, ...]:
    """All combinations that exist on `device`.

    :param engines: None: those that are installed
    :param precisions: None: float16 on CUDA; float32 and bfloat16 on the CPU
    :raises TuneError: there is none
    """
    engines = installed_engines(device) if engines is None else engines
    if precisions is None:
        precisions = ('float16',) if device.type == 'cuda' else ('float32', 'bfloat16')
    probe, found, reason = FANet(1).eval(), [], 'nothing was asked for'
    for model in models:
        runners = []
        for engine in engines:
            for precision in precisions:
                try:
                    EngineFactory(probe, device, engine, precision, needs_video=model.temporal_frames > 1)
                    runners.append((engine, precision))
                except SegmentationError as error:
                    reason = str(error)
        found += [Candidate(model.name, model.checkpoint, model.variant, *size, engine, precision)
                  for size in sizes_of(model, scales, resolutions) for engine, precision in runners]
    if not found:
        raise TuneError(f'none of the engines {", ".join(engines)} runs in {", ".join(precisions)} on {device} '
                        f'({reason}): choose other --engines or --precisions')
    return tuple(found)


def reference_of(models: Sequence[Model], candidates: Sequence[Candidate]) -> Candidate:
    """What the others are held to where there are no labels: the largest network (the first of several) at its largest
    resolution, by PyTorch in float32.
    """
    order = tuple(BACKBONE_OF_VARIANT)
    with_candidates = [model for model in models if any(item.checkpoint == model.checkpoint for item in candidates)]
    largest = max(with_candidates, key=lambda model: order.index(model.variant))      # the first of equals
    height, width = max(((item.height, item.width) for item in candidates if item.checkpoint == largest.checkpoint),
                        key=lambda size: size[0] * size[1])
    return Candidate(largest.name, largest.checkpoint, largest.variant, height, width, 'torch', 'float32')
