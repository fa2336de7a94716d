"""How the weights follow the loss: optimisers, learning rate schedules, averaged weights."""
from __future__ import annotations

import math
from typing import Iterable

import torch
from torch import nn

from fanet_ros.training.config import TrainingSettings


def make_optimizer(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimiser that the recipe names."""
    if settings.optimizer == 'sgd':
        return torch.optim.SGD(parameters, settings.learning_rate, momentum=0.9, weight_decay=settings.weight_decay)
    return torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay)


def learning_rate(settings: TrainingSettings, iteration: int) -> float:
    """Linear warm-up, then down to 0 along a cosine (Loshchilov and Hutter, arXiv 1608.03983) or a power of 0.9, or constant.

    At a constant rate the averaged weights are the result: wide minima, which serve other data better (Izmailov et al.,
    arXiv 1803.05407; Cha et al., arXiv 2102.08604).
    """
    warm = min(1.0, (iteration + 1) / max(settings.warmup_iterations, 1))
    done = iteration / settings.iterations
    decay = {'cosine': 0.5 * (1 + math.cos(math.pi * done)), 'poly': (1 - done) ** 0.9, 'constant': 1.0}
    return settings.learning_rate * warm * decay[settings.schedule]


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, iteration: int) -> None:
    """Move `average` towards `network`: by 1 - decay, faster while it still holds much of the first weights."""
    decay = min(decay, (1 + iteration) / (10 + iteration))
    for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
