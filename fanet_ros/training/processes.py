# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The processes that train one network together, as started by torchrun; a single one without it."""
from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Sequence, TypeVar

import torch
from torch import distributed, nn

# The others wait while the first validates and writes.
TIMEOUT = timedelta(hours=2)

_Module = TypeVar('_Module', bound=nn.Module)


@dataclass(frozen=True)
class Processes:
    """This process among `count`. Call join() before and leave() after the work that it shares with the others."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls) -> Processes:
        """Read the environment variables of torchrun; a single process without them."""
        return cls(*(int(os.environ.get(name, default)) for name, default in
                     (('RANK', 0), ('WORLD_SIZE', 1), ('LOCAL_RANK', 0))))

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def device(self, asked: str) -> torch.device:
        """Device of this process: with several processes on CUDA, each has its own."""
        return torch.device('cuda', self.local_rank) if asked == 'cuda' and self.count > 1 else torch.device(asked)

    def share(self, batch_size: int) -> range:
        """The clips of a batch that this process takes.

        :raises ValueError: the batch cannot be divided evenly
        """
        if batch_size % self.count:
            raise ValueError(f'training.batch_size is {batch_size} for {self.count} processes: expected a '
                             f'multiple of {self.count}, since they share each batch')
        own = batch_size // self.count
        return range(self.rank * own, (self.rank + 1) * own)

    def join(self, device: torch.device) -> None:
        """Join the process group: NCCL on CUDA, Gloo elsewhere."""
        if self.count > 1:
            if device.type == 'cuda':
                torch.cuda.set_device(device)
            distributed.init_process_group('nccl' if device.type == 'cuda' else 'gloo', timeout=TIMEOUT)

    def leave(self) -> None:
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def wrap(self, module: nn.Module, device: torch.device) -> nn.Module:
        """`module` with its gradients averaged over the processes."""
        if self.count == 1:
            return module
        return nn.parallel.DistributedDataParallel(module, device_ids=[device.index] if device.type == 'cuda' else None)

    def synchronized_norm(self, module: _Module, device: torch.device) -> _Module:
        """`module` with BatchNorm statistics over all processes; only on CUDA, as in PyTorch."""
        if self.count == 1 or device.type != 'cuda':
            return module
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)

    def mean(self, values: list[float], device: torch.device) -> list[float]:
        """The mean of each value over the processes; all of them must call it."""
        if self.count == 1:
            return values
        totals = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(totals)
        return (totals / self.count).tolist()

    def are_equal(self, values: Sequence[int], device: torch.device) -> bool:
        """Whether `values` are the same in all processes; all of them must call it."""
        if self.count == 1:
            return True
        own = torch.tensor(values, dtype=torch.int64, device=device)
        low, high = own.clone(), own.clone()
        distributed.all_reduce(low, distributed.ReduceOp.MIN)
        distributed.all_reduce(high, distributed.ReduceOp.MAX)
        return torch.equal(low, high)
