"""The training loop: AdamW, warm-up and cosine decay, an averaged copy of the weights, and resumable state."""
from __future__ import annotations

import copy
import json
import math
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
import torch
from tqdm import tqdm

from fanet_ros.model import BACKBONE_OF_VARIANT, CheckpointMetadata, FANet
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.datasets import Sample
from fanet_ros.training.losses import balanced_class_weights, fanet_loss


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what is on disk."""


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the data come apart from it."""

    iterations: int = 4000
    batch_size: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_iterations: int = 100
    ema_decay: float = 0.998
    bfloat16: bool = True
    channels_last: bool = True
    seed: int = 0
    save_every: int = 200


class Trainer:
    """Trains one network on weighted groups of samples, and can stop and resume at any iteration.

    The draw of iteration i depends on the seed and i alone, so a resumed run sees what an unbroken one would have.

    :param groups: lists of samples, each with the share of the batches that is drawn from it
    """

    def __init__(self, metadata: CheckpointMetadata, groups: list[tuple[list[Sample], float]],
                 augmentation: Augmentation, settings: TrainingSettings, output: Path,
                 device: str = 'cpu') -> None:
        self.metadata, self.groups, self.augmentation = metadata, groups, augmentation
        self.settings, self.output, self.device = settings, output, torch.device(device)
        torch.manual_seed(settings.seed)
        self.network = FANet(metadata.num_classes, BACKBONE_OF_VARIANT[metadata.variant], 'paper', aux_heads=True)
        self.network.to(self.device)
        if settings.channels_last:
            self.network.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        self.optimizer = torch.optim.AdamW(self.network.parameters(), settings.learning_rate,
                                           weight_decay=settings.weight_decay)
        self.class_weights = balanced_class_weights(
            torch.from_numpy(_count_pixels([samples for samples, _ in groups])), metadata.num_classes).to(self.device)
        self.iteration = 0
        self.losses: list[float] = []
        self._mean = np.array(metadata.mean, np.float32) * 255
        self._std = np.array(metadata.std, np.float32) * 255

    def run(self, until: Optional[int] = None) -> None:
        """Train up to iteration `until` (None: all), saving the state every `save_every` and at the end.

        :raises TrainingError: the loss is no longer a number
        """
        last = min(until or self.settings.iterations, self.settings.iterations)
        self.network.train()
        with ThreadPoolExecutor(1) as loader, tqdm(
                total=self.settings.iterations, initial=self.iteration, desc='train', unit='it', mininterval=5) as bar:
            upcoming: Future = loader.submit(self._batch, self.iteration)
            try:
                while self.iteration < last:
                    images, labels = upcoming.result()
                    upcoming = loader.submit(self._batch, self.iteration + 1)
                    self.losses.append(self._step(images, labels))
                    self.iteration += 1
                    bar.update()
                    bar.set_postfix(loss=f'{np.mean(self.losses[-50:]):.3f}', refresh=False)
                    if self.iteration % self.settings.save_every == 0:
                        self.save()
            finally:
                if self.losses and math.isfinite(self.losses[-1]):
                    self.save()

    def _step(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        settings = self.settings
        warm = min(1.0, (self.iteration + 1) / max(settings.warmup_iterations, 1))
        decay = 0.5 * (1 + math.cos(math.pi * self.iteration / settings.iterations))
        for group in self.optimizer.param_groups:
            group['lr'] = settings.learning_rate * warm * decay
        images, labels = images.to(self.device), labels.to(self.device)
        if settings.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=settings.bfloat16):
            outputs = self.network.forward_with_aux(images)
        loss = fanet_loss(outputs, labels, self.class_weights)
        if not torch.isfinite(loss):
            raise TrainingError(f'the loss is {loss.item()} at iteration {self.iteration}: lower the learning rate and '
                                f'resume from {self.state_path}')
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.settings.ema_decay, (1 + self.iteration) / (10 + self.iteration))
        for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def _batch(self, iteration: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Batch of one iteration: images (N, 3, H, W) float32 normalised, labels (N, H, W) int64."""
        rng = np.random.default_rng([self.settings.seed, iteration])
        shares = np.array([share for _, share in self.groups], float)
        picks = rng.choice(len(self.groups), self.settings.batch_size, p=shares / shares.sum())
        views = []
        for pick in picks:
            samples = self.groups[pick][0]
            views.append(self.augmentation(samples[rng.integers(len(samples))], rng))
        images = np.stack([(rgb - self._mean) / self._std for rgb, _ in views])         # (N, H, W, 3) float32
        labels = np.stack([labels for _, labels in views])
        return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels).long()

    @property
    def state_path(self) -> Path:
        """Where the resumable state is kept."""
        return self.output / 'state.pt'

    def save(self) -> None:
        """Write the resumable state and the loss curve, replacing the last ones atomically."""
        self.output.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {
            'iteration': self.iteration, 'losses': self.losses, 'network': self.network.state_dict(),
            'averaged': self.averaged.state_dict(), 'optimizer': self.optimizer.state_dict()}
        partial = self.state_path.with_suffix('.partial')
        torch.save(state, partial)
        os.replace(partial, self.state_path)
        (self.output / 'losses.json').write_text(json.dumps([round(loss, 5) for loss in self.losses]))
        _draw_curve(self.losses, self.output / 'loss.png')

    def resume(self) -> None:
        """Go on from the saved state, if there is one."""
        if self.state_path.is_file():
            state = torch.load(self.state_path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state['network'])
            self.averaged.load_state_dict(state['averaged'])
            self.optimizer.load_state_dict(state['optimizer'])
            self.iteration, self.losses = state['iteration'], state['losses']


def _count_pixels(groups: list[list[Sample]]) -> np.ndarray:
    return sum(np.bincount(sample.labels.ravel(), minlength=256) for group in groups for sample in group)


def _draw_curve(losses: list[float], path: Path) -> None:
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    window = max(len(losses) // 50, 1)
    smooth = np.convolve(losses, np.ones(window) / window, mode='valid')
    figure, axes = pyplot.subplots(figsize=(7, 4), layout='constrained')
    axes.plot(losses, color='0.8', linewidth=0.7, label='each iteration')
    axes.plot(np.arange(len(smooth)) + window, smooth, label=f'mean of {window}')
    axes.set(xlabel='iteration', ylabel='loss', yscale='log')
    axes.legend()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


cv2.setNumThreads(1)        # the loader runs beside the network: two pools of threads would fight for the cores
