# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Setup of a benchmark: settings, frames, and the networks and engines to compare."""
from __future__ import annotations

import os
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Iterator, Optional, Sequence

import cv2
import numpy as np
import torch
from torch import nn

from fanet_ros.datasets import UNLABELLED, Sample, load_folder
from fanet_ros.inference import SegmentationError, gpu
from fanet_ros.inference.engines import Engine, EngineFactory, engines_for, installed_engines
from fanet_ros.inference.input_size import Size
from fanet_ros.model import BACKBONE_OF_VARIANT, FANet
from fanet_ros.sources import open_source
from fanet_ros.tools.benchmark.authors import load_authors_network
from fanet_ros.tools.benchmark.timing import CPU_PACE, GPU_PACE, Case, Timing, take_turns

AUTHORS_CLASSES = 19            # of Cityscapes, for which the authors time their networks
CALIBRATION_FRAMES = 32


@dataclass(frozen=True)
class BenchmarkSettings:
    """Settings from the command line, see `benchmark --help`. `engines`: None for all that start within seconds."""

    checkpoint: str
    variants: tuple[str, ...]
    sizes: tuple[Size, ...]
    engines: Optional[tuple[str, ...]]
    precisions: tuple[str, ...]
    batches: tuple[int, ...]
    rounds: int
    frames: int
    source: str
    data: Optional[Path]
    calibration: Optional[Path]
    authors: Optional[Path]
    device: torch.device

    def authors_network(self, variant: str) -> Optional[nn.Module]:
        """The authors' network on the device, or None if no checkout was given."""
        if self.authors is None:
            return None
        return load_authors_network(self.authors, BACKBONE_OF_VARIANT[variant], AUTHORS_CLASSES).to(self.device)

    def combinations(self) -> Iterator[tuple[str, str]]:
        """Pairs (engine, precision) that are installed and run on the device."""
        installed = installed_engines(self.device, on_demand=self.engines is not None)
        for precision in self.precisions:
            for engine in (installed if self.engines is None else (name for name in self.engines if name in installed)):
                try:
                    engines_for(self.device, engine, precision)
                except SegmentationError:
                    continue
                yield engine, precision

    def synchronize(self) -> None:
        gpu.synchronize(self.device)

    def take_turns(self, cases: Sequence[Case], rounds: int = 0) -> list[Timing]:
        """Time the cases at the pace of the device; `rounds` 0: as in the settings."""
        return take_turns(cases, rounds or self.rounds, GPU_PACE if self.device.type == 'cuda' else CPU_PACE)


def random_network(variant: str, num_classes: int = AUTHORS_CLASSES) -> FANet:
    """This package's FANet, not rewritten, with reproducible random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FANet(num_classes, BACKBONE_OF_VARIANT[variant]).eval()


def build_engine(settings: BenchmarkSettings, network: FANet, engine: str, precision: str, size: Size,
                 batch: int = 1) -> Engine:
    """Engine for a network with random weights; int8 is calibrated on noise, which does not affect speed."""
    def noise(height: int, width: int) -> Iterator[np.ndarray]:
        generator = np.random.default_rng(0)
        for _ in range(8):
            yield generator.standard_normal((1, 3, height, width), np.float32)
    return EngineFactory(network, settings.device, engine, precision, noise).build(*size, batch)


@contextmanager
def scratch_cache() -> Iterator[None]:
    """Use a temporary engine cache, so that networks for a single benchmark do not fill the user's cache."""
    before = os.environ.get('XDG_CACHE_HOME')
    with tempfile.TemporaryDirectory(prefix='fanet_ros_benchmark_') as folder:
        os.environ['XDG_CACHE_HOME'] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ['XDG_CACHE_HOME']
            else:
                os.environ['XDG_CACHE_HOME'] = before


def load_frames(settings: BenchmarkSettings, num_classes: int) -> list[Sample]:
    """`settings.frames` frames: evenly spaced in the labelled folder `data`, or the first ones of `source`, unlabelled.

    :raises ValueError: there is nothing readable
    """
    if settings.data is not None:
        samples = load_folder(settings.data, num_classes)
        return list(samples[::max(len(samples) // settings.frames, 1)][:settings.frames])     # read now, not while timing
    with closing(open_source(settings.source)) as source:
        return [Sample(str(frame.index), frame.rgb, np.full(frame.rgb.shape[:2], UNLABELLED, np.uint8))
                for frame in islice(source, settings.frames)]


@contextmanager
def calibration_folder(settings: BenchmarkSettings) -> Iterator[Path]:
    """The given calibration folder, or a temporary one with frames of `source`."""
    if settings.calibration is not None:
        yield settings.calibration
        return
    with tempfile.TemporaryDirectory(prefix='fanet_ros_calibration_') as folder:
        with closing(open_source(settings.source, seed=1)) as source:
            for frame in islice(source, CALIBRATION_FRAMES):
                cv2.imwrite(str(Path(folder) / f'{frame.index:04d}.png'), cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
        yield Path(folder)
