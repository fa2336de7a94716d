"""The training loop, which keeps a state from which it goes on exactly."""
from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Callable, Optional

import numpy as np
import torch
from tqdm import tqdm

from fanet_ros.model import CheckpointMetadata, FANet
from fanet_ros.training.batches import Batch, BatchSource
from fanet_ros.training.clip_loss import ClipLoss
from fanet_ros.training.config import LoaderSettings, TrainingSettings
from fanet_ros.training.event_log import EventLog
from fanet_ros.training.interruption import Interruption
from fanet_ros.training.optimization import learning_rate, make_optimizer, update_average
from fanet_ros.training.prefetch import Prefetcher, thread_count
from fanet_ros.training.processes import Processes
from fanet_ros.training.run_folder import RunFolder

MAX_GRADIENT_NORM = 5.0

# Gives the mean IoU, 0..1, of a network in eval mode.
Validate = Callable[[FANet], float]


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what is on disk."""


def new_network(metadata: CheckpointMetadata, seed: int) -> FANet:
    """A network to train, with auxiliary heads, its random weights fixed by `seed`."""
    torch.manual_seed(seed)
    return metadata.build_network(aux_heads=True)


class Trainer:
    """Trains one network, and can stop and resume at any iteration.

    :param network: see new_network()
    :param folder: where the state is kept
    :param class_weights: (C,), how much each class weighs in the loss; None: alike
    :param recipe: plain values that are stored in the state
    :param processes: which this one trains with; `batches` gives its share of each batch
    """

    def __init__(self, network: FANet, metadata: CheckpointMetadata, batches: BatchSource, settings: TrainingSettings,
                 folder: RunFolder, device: str = 'cpu', *, class_weights: Optional[torch.Tensor] = None,
                 loader: LoaderSettings = LoaderSettings(), recipe: Optional[dict[str, Any]] = None,
                 validate: Optional[Validate] = None, processes: Processes = Processes()) -> None:
        self.metadata, self.settings, self.folder = metadata, settings, folder
        self._batches, self._recipe, self._validate, self._processes = batches, recipe or {}, validate, processes
        self._device = torch.device(device)
        self._threads = thread_count(loader.threads, self._device.type)
        network = network.to(self._device)
        if settings.channels_last:
            network = network.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(network).eval()
        self.network = processes.synchronized_norm(network, self._device)
        self._loss = processes.wrap(ClipLoss(
            self.network, metadata.mean, metadata.std, class_weights, settings.label_smoothing, settings.precision,
            settings.channels_last).to(self._device), self._device)
        self._optimizer = make_optimizer(self.network.parameters(), settings)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=settings.precision == 'float16')
        self.iteration = 0
        self.losses: list[float] = []
        self.validation: list[list[float]] = []     # [iteration, mIoU 0..1]
        self._saved_at = 0

    def run(self, until: Optional[int] = None) -> bool:
        """Train up to iteration `until` (None: all), saving the state every `save_every` and at the end.

        Returns False when Ctrl-C or SIGTERM ended it before, between two iterations.

        :raises TrainingError: the loss is no longer a number
        :raises RunFolderError: the state cannot be written
        :raises DatasetError: a picture cannot be read
        """
        last = min(until or self.settings.iterations, self.settings.iterations)
        self.network.train()
        whole, stopped = True, False        # whole: the weights are those of self.iteration
        log = EventLog(self.folder.path / 'tensorboard', self.iteration) if self._processes.is_first else None
        with Prefetcher(self._load, self.iteration, self._threads) as batches, Interruption() as interruption, tqdm(
                total=self.settings.iterations, initial=self.iteration, desc='train', unit='it', mininterval=5,
                disable=not self._processes.is_first) as bar:
            try:
                while self.iteration < last and not stopped:
                    taken = batches.take()
                    whole = False
                    loss, stop = self._processes.mean([self._step(taken), float(interruption.requested)], self._device)
                    self.losses.append(loss)
                    self.iteration += 1
                    whole, stopped = True, stop > 0
                    self._measure()
                    self._report(bar, log)
                    if self.iteration % self.settings.save_every == 0:
                        self.save()
            finally:
                if whole and self._saved_at != self.iteration:
                    self.save()
                if log is not None:
                    log.close()
        return not stopped

    def _load(self, iteration: int) -> list[Batch]:
        count = self.settings.accumulate
        return [self._batches.batch(iteration * count + number) for number in range(count)]

    def _step(self, batches: list[Batch]) -> float:
        """One step of the optimiser over all `batches`; returns their mean loss."""
        for group in self._optimizer.param_groups:
            group['lr'] = learning_rate(self.settings, self.iteration)
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for number, (rgb, labels) in enumerate(batches, 1):
            with self._gradients_stay_here(number < len(batches)):
                loss = self._loss(rgb.to(self._device), labels.to(self._device)) / len(batches)
                total += float(loss.detach())
                self._check(total, 'loss')
                self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        if not self._scaler.is_enabled():       # a scaler leaves such steps out by itself
            self._check(float(norm), 'gradient')
        self._scaler.step(self._optimizer)
        self._scaler.update()
        update_average(self.averaged, self.network, self.settings.ema_decay, self.iteration)
        return total

    def _gradients_stay_here(self, needed: bool) -> AbstractContextManager:
        """Between processes, gradients need to be exchanged only once for each step."""
        return self._loss.no_sync() if needed and self._processes.count > 1 else nullcontext()

    def _check(self, value: float, name: str) -> None:
        if not np.isfinite(value):
            rest = 'nothing was saved before: lower training.learning_rate'
            if self._saved_at:
                rest = (f'{self.folder.state_path} holds iteration {self._saved_at}: go on from it with a lower '
                        'training.learning_rate and --resume changed')
            raise TrainingError(f'the {name} is {value} at iteration {self.iteration}; {rest}')

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
        values = {'loss': self.losses[-1], 'learning_rate': self._optimizer.param_groups[0]['lr']}
        if self.validation:
            shown['mIoU'] = f'{100 * self.validation[-1][1]:.1f}'
            if self.validation[-1][0] == self.iteration:
                values['mean_iou'] = self.validation[-1][1]
        bar.set_postfix(shown, refresh=False)
        bar.update()
        if log is not None:
            log.write(self.iteration, values)

    def save(self) -> None:
        """Write the resumable state and the curves.

        :raises RunFolderError: it cannot be written; the last state stays
        """
        self._saved_at = self.iteration
        if self._processes.is_first:
            self.folder.save({
                'iteration': self.iteration, 'losses': self.losses, 'validation': self.validation,
                'recipe': self._recipe,
                'network': self.network.state_dict(), 'averaged': self.averaged.state_dict(),
                'optimizer': self._optimizer.state_dict(), 'scaler': self._scaler.state_dict()})
            losses = [round(loss, 5) for loss in self.losses]
            self.folder.write_history({'losses': losses, 'validation': self.validation})

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.network.load_state_dict(state['network'])
        self.averaged.load_state_dict(state['averaged'])
        self._optimizer.load_state_dict(state['optimizer'])
        self._scaler.load_state_dict(state['scaler'])
        self.iteration = self._saved_at = state['iteration']
        self.losses, self.validation = state['losses'], state['validation']

    def metadata_with(self, figures: dict[str, float]) -> CheckpointMetadata:
        """The metadata with measured figures, by 'data/split/metric'."""
        return replace(self.metadata, figures=figures)
