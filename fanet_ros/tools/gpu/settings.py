# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings and test data shared by all steps."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import cv2
import numpy as np
import torch

from fanet_ros.inference import ClassMap
from fanet_ros.model import Checkpoint, CheckpointError, CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.package_share import class_map_file
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools.benchmark.setup import BenchmarkSettings, Size

SETTLING_RUNS, SETTLING_SIZE = 3, (128, 192)


class StepSkipped(Exception):
    """A step cannot run on this machine; the message is the reason, for the summary."""


@dataclass(frozen=True)
class StepSettings:
    """Where a step runs. On a CPU it is a rehearsal: the same code at toy size, with meaningless figures.

    `authors`: a checkout of github.com/feinanshan/FANet. `scratch`: a folder that is deleted when all steps are done.
    """

    device: torch.device
    scratch: Path
    authors: Optional[Path] = None

    @property
    def is_rehearsal(self) -> bool:
        """Whether there is no GPU."""
        return self.device.type != 'cuda'

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Network resolutions [px], the largest last."""
        return ((64, 96),) if self.is_rehearsal else ((512, 1024), (1024, 2048))

    @property
    def precision(self) -> str:
        """The precision that 'auto' selects on the device."""
        return 'float32' if self.is_rehearsal else 'float16'

    def pick(self, real: int, toy: int) -> int:
        """A number of rounds, frames or the like: `toy` in a rehearsal, else `real`."""
        return toy if self.is_rehearsal else real

    def benchmark(self, *, variant: str = 'fanet18', sizes: tuple[Size, ...] = (), precisions: tuple[str, ...] = (),
                  batches: tuple[int, ...] = (1,)) -> BenchmarkSettings:
        """Settings for the suites of `benchmark`."""
        return BenchmarkSettings(
            checkpoint='', variants=(variant,), sizes=sizes or self.sizes, engines=('torch',),
            precisions=precisions or (self.precision,), batches=batches, rounds=self.pick(5, 1), frames=1, source='street',
            data=None, calibration=None, authors=self.authors, device=self.device)

    def checkpoint(self, name: str) -> tuple[Path, str]:
        """The shipped checkpoint and 'shipped'; if its file is missing, one with random weights and 'random'."""
        try:
            load_checkpoint(name)
            return Path(name), 'shipped'
        except CheckpointError:
            path = self.scratch / f'{name}.safetensors'
            if not path.is_file():
                made = random_checkpoint(name)
                save_checkpoint(path, made.network, made.metadata)
            return path, 'random'

    def frames(self, size: Size, count: int) -> list[np.ndarray]:
        """Frames of the synthetic street at `size`, (H, W, 3) uint8 RGB."""
        street = SyntheticStreet(seed=1)
        return [cv2.resize(street.frame(5 * number).rgb, size[::-1]) for number in range(count)]


def random_checkpoint(name: str) -> Checkpoint:
    """A network like that of the shipped checkpoint `name`, with reproducible random weights.

    BatchNorm has seen a few images: without them, activations would grow from layer to layer and overflow half precision.
    """
    classes = ClassMap.load(class_map_file('camvid11'))
    metadata = CheckpointMetadata(
        'fanet34' if name.startswith('fanet34') else 'fanet18', 'paper', classes.name, classes.names, classes.colors,
        (360, 480), temporal_frames=4 if name.endswith('_video') else 1, data='none: random weights')
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = metadata.build_network().train()
        for _ in range(SETTLING_RUNS):
            network(torch.randn(2, 3, *SETTLING_SIZE))
    return Checkpoint(network.eval(), metadata)
