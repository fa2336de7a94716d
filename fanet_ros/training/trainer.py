"""The training loop: AdamW or SGD, warm-up and decay, an averaged copy of the weights, and resumable state."""
from __future__ import annotations

import copy
import math
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Callable, Optional, Sequence

import numpy as np
import torch
from tqdm import tqdm

from fanet_ros.model import BACKBONE_OF_VARIANT, CheckpointMetadata, FANet, FANetOutputs, FrameContext
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.datasets import Sample
from fanet_ros.training.losses import balanced_class_weights, fanet_loss
from fanet_ros.training.run_folder import RunFolder

DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
MAX_GRADIENT_NORM = 5.0

# Gives the mean IoU, 0..1, of a network in eval mode.
Validate = Callable[[FANet], float]


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what is on disk."""


class Trainer:
    """Trains one network on weighted groups of samples, and can stop and resume at any iteration.

    :param groups: lists of samples, each with the share of the batches that is drawn from it
    :param folder: where the state is kept
    :param start: weights to start from; what does not fit (another number of classes) stays random
    :param recipe: plain values that a resumed run must share
    """

    def __init__(self, metadata: CheckpointMetadata, groups: Sequence[tuple[list[Sample], float]],
                 augmentation: Augmentation, settings: TrainingSettings, folder: RunFolder, device: str = 'cpu', *,
                 start: Optional[FANet] = None, recipe: Optional[dict[str, Any]] = None,
                 validate: Optional[Validate] = None) -> None:
        self.metadata, self.settings, self.folder = metadata, settings, folder
        self._device, self._validate, self._recipe = torch.device(device), validate, recipe or {}
        torch.manual_seed(settings.seed)
        self.network = FANet(metadata.num_classes, BACKBONE_OF_VARIANT[metadata.variant], 'paper', aux_heads=True)
        self.remade = load_fitting(self.network, start) if start is not None else []
        self.network.to(self._device)
        if settings.channels_last:
            self.network.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        self._optimizer = self._make_optimizer()
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=settings.precision == 'float16')
        self._class_weights = None
        if settings.class_balance:
            pixels = torch.from_numpy(_count_pixels([samples for samples, _ in groups]))
            self._class_weights = balanced_class_weights(pixels, metadata.num_classes).to(self._device)
        self._batches = BatchSource(groups, augmentation, settings.batch_size, settings.seed, metadata.mean, metadata.std,
                                    metadata.temporal_frames)
        self.iteration = 0
        self.losses: list[float] = []
        self.validation: list[list[float]] = []     # [iteration, mIoU 0..1]

    def run(self, until: Optional[int] = None) -> None:
        """Train up to iteration `until` (None: all), saving the state every `save_every` and at the end.

        :raises TrainingError: the loss is no longer a number
        :raises RunFolderError: the state cannot be written
        """
        settings = self.settings
        last = min(until or settings.iterations, settings.iterations)
        self.network.train()
        with ThreadPoolExecutor(1) as loader, tqdm(
                total=settings.iterations, initial=self.iteration, desc='train', unit='it', mininterval=5) as bar:
            upcoming: Future = loader.submit(self._load, self.iteration)
            try:
                while self.iteration < last:
                    batches = upcoming.result()
                    upcoming = loader.submit(self._load, self.iteration + 1)
                    self.losses.append(self._step(batches))
                    self.iteration += 1
                    bar.update()
                    if settings.validate_every and self.iteration % settings.validate_every == 0:
                        self._measure()
                    bar.set_postfix(self._progress(), refresh=False)
                    if self.iteration % settings.save_every == 0:
                        self.save()
            finally:
                if self.losses and math.isfinite(self.losses[-1]):
                    self.save()

    def _progress(self) -> dict[str, str]:
        shown = {'loss': f'{np.mean(self.losses[-50:]):.3f}'}
        if self.validation:
            shown['mIoU'] = f'{100 * self.validation[-1][1]:.1f}'
        return shown

    def _measure(self) -> None:
        if self._validate is not None:
            self.validation.append([self.iteration, self._validate(self.averaged)])

    def _load(self, iteration: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        count = self.settings.accumulate
        return [self._batches.batch(iteration * count + number) for number in range(count)]

    def _step(self, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
        """One step of the optimiser over all `batches`; returns their mean loss."""
        for group in self._optimizer.param_groups:
            group['lr'] = self.settings.learning_rate * self._rate()
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for images, labels in batches:
            loss = self._loss(images.to(self._device), labels.to(self._device))
            if not torch.isfinite(loss):
                raise TrainingError(f'the loss is {loss.item()} at iteration {self.iteration}: lower learning_rate and resume '
                                    f'from {self.folder.state_path}')
            self._scaler.scale(loss / len(batches)).backward()
            total += float(loss.detach()) / len(batches)
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._average()
        return total

    def _loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean loss over the frames of the clips; images (T, N, 3, H, W), labels (T, N, H, W)."""
        settings, past = self.settings, []      # type: ignore[var-annotated]
        losses = []
        for frames, truth in zip(images, labels):
            if settings.channels_last:
                frames = frames.contiguous(memory_format=torch.channels_last)
            outputs = self._forward(frames, past)
            past.append(outputs.context)
            losses.append(fanet_loss(outputs, truth, self._class_weights, settings.label_smoothing))
        return torch.stack(losses).mean()

    def _forward(self, frames: torch.Tensor, past: list[FrameContext]) -> FANetOutputs:
        dtype = DTYPES[self.settings.precision]
        mixed = torch.autocast(self._device.type, dtype=dtype) if dtype != torch.float32 else nullcontext()
        with mixed:
            return self.network.forward_with_aux(frames, past)

    def _rate(self) -> float:
        """Factor of the learning rate: linear warm-up, then down to 0 along a cosine or a power of 0.9."""
        settings = self.settings
        warm = min(1.0, (self.iteration + 1) / max(settings.warmup_iterations, 1))
        done = self.iteration / settings.iterations
        return warm * (0.5 * (1 + math.cos(math.pi * done)) if settings.schedule == 'cosine' else (1 - done) ** 0.9)

    def _make_optimizer(self) -> torch.optim.Optimizer:
        settings, parameters = self.settings, self.network.parameters()
        if settings.optimizer == 'sgd':
            return torch.optim.SGD(parameters, settings.learning_rate, momentum=0.9, weight_decay=settings.weight_decay)
        return torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.settings.ema_decay, (1 + self.iteration) / (10 + self.iteration))
        for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def save(self) -> None:
        """Write the resumable state and the curves.

        :raises RunFolderError: it cannot be written; the last state stays
        """
        self.folder.save({
            'iteration': self.iteration, 'losses': self.losses, 'validation': self.validation, 'recipe': self._recipe,
            'network': self.network.state_dict(), 'averaged': self.averaged.state_dict(),
            'optimizer': self._optimizer.state_dict(), 'scaler': self._scaler.state_dict()})
        self.folder.write_history({'losses': [round(loss, 5) for loss in self.losses], 'validation': self.validation})

    def resume(self) -> None:
        """Go on from the saved state, if there is one."""
        state = self.folder.load(self._device)
        if state is not None:
            self.network.load_state_dict(state['network'])
            self.averaged.load_state_dict(state['averaged'])
            self._optimizer.load_state_dict(state['optimizer'])
            self._scaler.load_state_dict(state.get('scaler', {}) or self._scaler.state_dict())
            self.iteration, self.losses = state['iteration'], state['losses']
            self.validation = state.get('validation', [])

    def metadata_with(self, figures: dict[str, float]) -> CheckpointMetadata:
        """The metadata with measured figures, by 'data/split/metric'."""
        return replace(self.metadata, figures=figures)


def load_fitting(network: FANet, source: FANet) -> list[str]:
    """Copy into `network` every tensor of `source` that it has in the same shape; returns the names of those left out."""
    wanted, given = network.state_dict(), source.state_dict()
    fitting = {name: value for name, value in given.items() if name in wanted and wanted[name].shape == value.shape}
    network.load_state_dict(fitting, strict=False)
    return sorted(set(wanted) - set(fitting))


def _count_pixels(groups: list[list[Sample]]) -> np.ndarray:
    return sum(np.bincount(sample.labels.ravel(), minlength=256) for group in groups for sample in group)
