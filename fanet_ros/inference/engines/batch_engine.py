# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of any size, run by engines with fixed batch sizes."""
from __future__ import annotations

from typing import Mapping

import torch

from fanet_ros.inference.engines.engine import Engine


class BatchEngine(Engine):
    """Splits a batch among engines with fixed batch sizes, the largest first.

    :param engines: by batch size; one of them for 1
    """

    def __init__(self, engines: Mapping[int, Engine]) -> None:
        self._engines = dict(sorted(engines.items(), reverse=True))
        single = engines[1]
        self.name, self.precision, self.memory_format = single.name, single.precision, single.memory_format

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) in self._engines:
            return self._engines[len(images)](images)
        logits, start = [], 0
        for size, engine in self._engines.items():
            while len(images) - start >= size:
                logits.append(engine(images[start:start + size]).clone())     # the next call may overwrite it
                start += size
        return torch.cat(logits)


def batch_sizes(largest: int) -> tuple[int, ...]:
    """Batch sizes that are worth an engine if batches have up to `largest` images: powers of two, and `largest`."""
    return tuple(sorted({largest, *(2 ** power for power in range(largest.bit_length()))}))
