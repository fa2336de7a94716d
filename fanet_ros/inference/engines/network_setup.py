# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The inputs that engines are built from."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Iterator, Optional

import numpy as np
import torch

from fanet_ros.inference.device import in_memory_format
from fanet_ros.inference.engines.cache import weights_digest
from fanet_ros.inference.gpu import GraphPool
from fanet_ros.model import FANet
from fanet_ros.model.fused_passes import FusedPasses
from fanet_ros.model.rewrites import InferenceFANet

# Precisions that PyTorch itself computes in.
DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
# (height, width) -> normalised images (1, 3, h, w) float32 of the frames that int8 is calibrated on.
CalibrationImages = Callable[[int, int], Iterator[np.ndarray]]


@dataclass(frozen=True, eq=False)
class NetworkSetup:
    """One network on one device in one precision, shared by its engines of all sizes.

    :param calibration: frames to calibrate int8 on
    :param needs_video: the engine must be able to attend to earlier frames
    """

    network: FANet
    device: torch.device
    precision: str
    calibration: Optional[CalibrationImages] = None
    needs_video: bool = False

    @cached_property
    def digest(self) -> str:
        """weights_digest() of the network, which takes too long to compute at every change of the resolution."""
        return weights_digest(self.network)

    @cached_property
    def rewritten(self) -> InferenceFANet:
        """The rewritten network that all PyTorch engines share; `precision` must be a key of DTYPES."""
        return rewritten_network(self.network, self.device, self.precision)

    @cached_property
    def pool(self) -> Optional[GraphPool]:
        """The memory that the CUDA graphs of all engines share; None on the CPU."""
        return GraphPool(self.device) if self.device.type == 'cuda' else None


def rewritten_network(network: FANet, device: torch.device, precision: str, *, commute_head: bool = True,
                      fused: bool = False) -> InferenceFANet:
    """Rewrite `network` and move it to `device`, channels last, in a precision that is a key of DTYPES.

    :param commute_head: see InferenceFANet
    :param fused: run what is between convolutions and products in Triton, see TritonPasses; for a GPU
    """
    passes: Optional[FusedPasses] = None
    if fused:
        from fanet_ros.inference.triton_passes import TritonPasses
        passes = TritonPasses()
    rewritten = InferenceFANet(network, commute_head=commute_head, passes=passes).eval()
    return in_memory_format(rewritten.to(device, DTYPES[precision]), torch.channels_last)
