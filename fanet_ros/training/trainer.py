# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop, and the state from which it resumes exactly."""
from __future__ import annotations

import copy
import itertools
import time
from collections import deque
from contextlib import closing
from dataclasses import replace
from typing import Any, Callable, Generator, Optional, Union

import numpy as np
import torch
from tqdm import tqdm

from fanet_ros.in_order import in_order, thread_count
from fanet_ros.inference.device import computes_in, in_memory_format
from fanet_ros.model import CheckpointMetadata, FANet
from fanet_ros.training.batches import BatchSource
from fanet_ros.training.clip_loss import ClipLoss
from fanet_ros.training.config import LoaderSettings, TrainingSettings
from fanet_ros.training.device_batches import DeviceBatchSource
from fanet_ros.training.ending import Interruption, Progress
from fanet_ros.training.event_log import EventLog
from fanet_ros.training.losses import LabelMeaning
from fanet_ros.training.optimization import WeightAverage, learning_rate, make_optimizer, set_learning_rate
from fanet_ros.training.processes import Processes
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.step import RecordedStep, TrainStep

ANNOUNCED_AT = 20       # iterations
READ_EVERY = 20         # iterations, on a GPU: reading a loss waits for the device

# Returns the mean IoU, 0..1, of a network in eval mode.
Validate = Callable[[FANet], float]


def new_network(metadata: CheckpointMetadata, seed: int) -> FANet:
    """A network to train, with auxiliary heads; `seed` fixes its random weights."""
    torch.manual_seed(seed)
    return metadata.build_network(aux_heads=True)


def _precision(requested: str, device: torch.device) -> str:
    """:raises ValueError: the device does not support it"""
    if requested == 'float16' and device.type == 'cpu':
        raise ValueError('training.precision is float16, which is for a GPU: set it to auto')
    if requested == 'auto':
        return 'bfloat16' if computes_in('bfloat16', device) else 'float32'
    return requested


class Trainer:
    """Trains one network, and can stop and resume at any iteration.

    :param network: see new_network()
    :param folder: where the state is kept
    :param meaning: of the labels in `batches`
    :param recipe: plain values to be stored in the state
    :param processes: that train together; `batches` gives this one's share of each batch
    """

    def __init__(self, network: FANet, metadata: CheckpointMetadata, batches: Union[BatchSource, DeviceBatchSource],
                 settings: TrainingSettings, folder: RunFolder, device: str = 'cpu', *, meaning: LabelMeaning = LabelMeaning(),
                 loader: LoaderSettings = LoaderSettings(), recipe: Optional[dict[str, Any]] = None,
                 validate: Optional[Validate] = None, processes: Processes = Processes()) -> None:
        self.metadata, self.settings, self.folder = metadata, settings, folder
        self._batches, self._recipe, self._validate, self._processes = batches, recipe or {}, validate, processes
        self._device = torch.device(device)
        self._threads = thread_count(loader.threads, self._device.type)
        precision = _precision(settings.precision, self._device)
        network = network.to(self._device)
        if settings.channels_last:
            network = in_memory_format(network, torch.channels_last)
        self.averaged = copy.deepcopy(network).eval()
        self.network = processes.synchronized_norm(network, self._device)
        self._average = WeightAverage(self.averaged, self.network)
        loss = ClipLoss(self.network, metadata.mean, metadata.std, meaning, settings, precision)
        self._loss = processes.wrap(loss.to(self._device), self._device)
        self._optimizer = make_optimizer(self.network, settings)
        self._progress = Progress(settings.iterations, settings.minutes)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=precision == 'float16')
        self._step = self._make_step()
        self._unread: list[torch.Tensor] = []       # loss and gradient norm of iterations that were not read yet
        self._durations_s: deque[float] = deque(maxlen=ANNOUNCED_AT)
        self.iteration = 0
        self.losses: list[float] = []
        self.validation: list[list[float]] = []     # [iteration, mIoU 0..1]
        self._saved_at = 0

    def _make_step(self) -> Union[TrainStep, RecordedStep]:
        step = TrainStep(self._loss, list(self.network.parameters()), self._optimizer, self._scaler)
        recorded = self._device.type == 'cuda' and self._processes.count == 1 and not self._scaler.is_enabled()
        return RecordedStep(step) if recorded else step

    def run(self, until: Optional[int] = None) -> bool:
        """Train up to iteration `until` (None: all), saving the state every `save_every` iterations and at the end.

        Returns False if Ctrl-C or SIGTERM stopped it early, between two iterations.

        :raises ValueError: the loss or the gradient is no longer finite, or the state cannot be written
        :raises DatasetError: an image cannot be read
        """
        self.network.train()
        whole, stopped = True, False        # whole: the weights match self.iteration, and are finite
        log = EventLog(self.folder.path / 'tensorboard', self.iteration) if self._processes.is_first else None
        with self._drawn_ahead() as batches, Interruption() as interruption, tqdm(
                total=100 if self.settings.minutes else self.settings.iterations, desc='train',
                unit='%' if self.settings.minutes else 'it', mininterval=5, disable=not self._processes.is_first) as bar:
            try:
                finished = self._is_finished(until)
                while not finished and not stopped:
                    taken = next(batches)
                    whole = False
                    self._iterate(taken)
                    finished = self._is_finished(until)
                    if finished or self._is_due():
                        self._read_losses()
                        whole = True
                        stopped = self._processes.mean([float(interruption.requested)], self._device)[0] > 0
                        self._measure()
                        self._report(bar, log)
                        self._announce(bar)
                        if self.iteration % self.settings.save_every == 0:
                            self.save()
            finally:
                if whole and self._saved_at != self.iteration:
                    self.save()
                if log is not None:
                    log.close()
        return not stopped

    def run_unsaved(self, iterations: int) -> None:
        """Run some iterations without writing anything; returns when the device has finished them. For measurements.

        :raises ValueError: the loss or the gradient is no longer finite
        """
        self.network.train()
        with self._drawn_ahead() as batches:
            for _ in range(iterations):
                self._iterate(next(batches))
            self._read_losses()

    def _is_finished(self, until: Optional[int]) -> bool:
        return self.iteration == until or self._progress.at(self.iteration) >= 1

    def _is_due(self) -> bool:
        """Whether to wait for the device now: always on a CPU, at intervals on a GPU."""
        every = (READ_EVERY if self._device.type == 'cuda' else 1, self.settings.save_every, self.settings.validate_every)
        return any(item and self.iteration % item == 0 for item in every)

    def _drawn_ahead(self) -> closing[Generator[list[Any], None, None]]:
        """_load() of this iteration and those after it."""
        return closing(in_order(self._load, itertools.count(self.iteration), self._threads))

    def _load(self, iteration: int) -> list[Any]:
        """The batches of an iteration, or their draws, which the device renders."""
        count = self.settings.accumulate
        progress = self._progress.at(iteration)
        return [self._batches.batch(iteration * count + number, progress) for number in range(count)]

    def _iterate(self, drawn: list[Any]) -> None:
        """Run one iteration; its loss is read later."""
        set_learning_rate(self._optimizer, learning_rate(
            self.settings, self.iteration, self._progress.at(self.iteration)))
        start = time.monotonic()
        self._unread.append(self._step([item.to(self._device) for item in drawn]))
        self._average.update(self.settings.ema_decay, self.iteration)
        self.iteration += 1
        self._durations_s.append(time.monotonic() - start)

    def _read_losses(self) -> None:
        """Wait for the device, collect the losses since the last call, and check that all are finite.

        :raises ValueError: one is not
        """
        first = self.iteration - len(self._unread)
        for number, (loss, norm) in enumerate(torch.stack(self._unread).tolist() if self._unread else [], first):
            loss, = self._processes.mean([loss], self._device)
            self._check(loss, 'loss', number)
            if not self._scaler.is_enabled():       # a scaler skips such steps itself
                self._check(norm, 'gradient', number)
            self.losses.append(loss)
        self._unread.clear()

    def _check(self, value: float, name: str, iteration: int) -> None:
        if not np.isfinite(value):
            rest = 'nothing was saved before: lower training.learning_rate'
            if self._saved_at:
                rest = (f'{self.folder.state_path} holds iteration {self._saved_at}: resume from it with a lower '
                        'training.learning_rate and --resume changed')
            raise ValueError(f'the {name} is {value} at iteration {iteration}; {rest}')

    def _measure(self) -> None:
        every = self.settings.validate_every
        if not every or self.iteration % every or self._validate is None or not self._processes.is_first:
            return
        miou = self._validate(self.averaged)
        self.validation.append([self.iteration, miou])
        self.folder.keep(self.averaged, self.metadata_with({'validation/mean_iou': miou}), best=miou >= self.best[1])

    @property
    def best(self) -> tuple[int, float]:
        """Iteration and mIoU, 0..1, of the best validation; (0, 0.0) before there was any."""
        number, miou = max(self.validation, key=lambda item: item[1], default=(0, 0.0))
        return int(number), miou

    def _report(self, bar: tqdm, log: Optional[EventLog]) -> None:
        shown = {'loss': f'{np.mean(self.losses[-50:]):.3f}'}
        values = {'loss': self.losses[-1], 'learning_rate': float(self._optimizer.param_groups[-1]['lr'])}
        if self.settings.minutes:
            shown['iteration'] = str(self.iteration)
        if self.validation:
            shown['mIoU'] = f'{100 * self.validation[-1][1]:.1f}'
            if self.validation[-1][0] == self.iteration:
                values['mean_iou'] = self.validation[-1][1]
        bar.set_postfix(shown, refresh=False)
        bar.n = int(100 * self._progress.at(self.iteration)) if self.settings.minutes else self.iteration
        bar.update(0)
        if log is not None:
            log.write(self.iteration, values)

    def _announce(self, bar: tqdm) -> None:
        """Estimate the duration early on a CPU: from the median of the first iterations, some of which wait for data."""
        if self.iteration == ANNOUNCED_AT and self._device.type == 'cpu' and not self.settings.minutes:
            rate = 1 / max(float(np.median(self._durations_s)), 1e-9)
            minutes = (self.settings.iterations - self.iteration) / rate / 60
            bar.write(f'about {max(minutes, 1):.0f} minutes to go, at {rate:.2g} iterations a second; set training.iterations, '
                      'training.batch_size or training.minutes for less')

    def save(self) -> None:
        """Write the resumable state and the curves.

        :raises ValueError: it cannot be written; the last state is kept
        """
        self._saved_at = self.iteration
        if self._processes.is_first:
            self.folder.save({
                'iteration': self.iteration, 'losses': self.losses, 'validation': self.validation,
                'recipe': self._recipe, 'seconds': self._progress.seconds,
                'network': self.network.state_dict(), 'averaged': self.averaged.state_dict(),
                'optimizer': self._optimizer.state_dict(), 'scaler': self._scaler.state_dict()})
            losses = [round(loss, 5) for loss in self.losses]
            self.folder.write_history({'losses': losses, 'validation': self.validation})

    def resume(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state['network'])
        self.averaged.load_state_dict(state['averaged'])
        self._optimizer.load_state_dict(state['optimizer'])
        self._scaler.load_state_dict(state['scaler'])
        self.iteration = self._saved_at = state['iteration']
        self._progress.resume(state.get('seconds', 0.0))
        self.losses, self.validation = state['losses'], state['validation']

    def metadata_with(self, figures: dict[str, float]) -> CheckpointMetadata:
        """The metadata with measured figures, by 'data/split/metric'."""
        return replace(self.metadata, figures=figures)
