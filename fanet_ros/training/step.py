# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of the optimiser, run eagerly or captured as a CUDA graph."""
from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Optional, Sequence

import torch
from torch import Tensor, nn

from fanet_ros.training.batches import Batch

MAX_GRADIENT_NORM = 5.0
WARM_UP_STEPS = 3           # on a side stream, before the capture


class TrainStep:
    """Loss, gradients and optimiser step over the batches of one iteration. Only a gradient scaler waits for the device.

    :param loss: returns the loss of a Batch; in DistributedDataParallel if several processes train
    """

    def __init__(self, loss: nn.Module, parameters: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer,
                 scaler: torch.amp.GradScaler) -> None:
        self._loss, self._parameters = loss, list(parameters)
        self._optimizer, self._scaler = optimizer, scaler

    def __call__(self, batches: Sequence[Batch]) -> Tensor:
        """Run the step; returns (2,) on the device: the mean loss over the batches and the norm of the gradient."""
        self._optimizer.zero_grad(set_to_none=True)
        losses = []
        for number, batch in enumerate(batches, 1):
            with self._no_gradient_exchange(number < len(batches)):
                loss = self._loss(batch) / len(batches)
                losses.append(loss.detach())
                self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, MAX_GRADIENT_NORM)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return torch.stack([sum(losses, torch.zeros_like(norm)), norm])

    def _no_gradient_exchange(self, needed: bool) -> AbstractContextManager:
        """Processes need to exchange gradients only once per step."""
        if needed and isinstance(self._loss, nn.parallel.DistributedDataParallel):
            return self._loss.no_sync()
        return nullcontext()


class RecordedStep:
    """A TrainStep on CUDA, captured once and then replayed, so that one launch replaces thousands.

    The learning rate of the optimiser must be a tensor, and its steps capturable. All batches must have one shape.

    :param step: without a scaler and for one process
    """

    def __init__(self, step: TrainStep) -> None:
        self._step, self._warm_up = step, WARM_UP_STEPS
        self._graph: Optional[torch.cuda.CUDAGraph] = None
        self._batches: list[Batch] = []

    def __call__(self, batches: Sequence[Batch]) -> Tensor:
        """Same as TrainStep. The first steps run eagerly on another stream, as a capture requires."""
        if self._warm_up:
            self._warm_up -= 1
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                result = self._step(batches)
            torch.cuda.current_stream().wait_stream(side)
            return result
        if self._graph is None:
            self._graph = self._record(batches)
        else:
            for kept, batch in zip(self._batches, batches):
                kept.copy_(batch)
        self._graph.replay()
        return self._result.clone()

    def _record(self, batches: Sequence[Batch]) -> torch.cuda.CUDAGraph:
        """A capture executes nothing: the step itself runs in the replay that follows."""
        self._batches = [batch.clone() for batch in batches]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):      # other threads draw the next batches
            self._result = self._step(self._batches)
        return graph
