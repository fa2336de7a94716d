# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Optimisers, learning rate schedules and averaged weights."""
from __future__ import annotations

import math

import torch
from torch import nn

from fanet_ros.model import FANet
from fanet_ros.training.config import TrainingSettings


def make_optimizer(network: FANet, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimiser of the recipe; `rate_factor` of each of its groups is for set_learning_rate()."""
    encoder = {id(parameter) for parameter in network.resnet.parameters()}
    groups = [{'params': [p for p in network.parameters() if (id(p) in encoder) == inside], 'rate_factor': factor}
              for inside, factor in ((True, settings.encoder_rate), (False, 1.0))]
    on_cuda = next(network.parameters()).is_cuda
    rate = settings.learning_rate
    optimizer: torch.optim.Optimizer
    if settings.optimizer == 'sgd':
        optimizer = torch.optim.SGD(groups, rate, momentum=0.9, weight_decay=settings.weight_decay, fused=on_cuda or None)
    else:
        optimizer = torch.optim.AdamW(groups, rate, weight_decay=settings.weight_decay, fused=on_cuda or None, capturable=on_cuda)
    own = [{key: value for key, value in group.items() if key not in ('params', 'lr')} for group in optimizer.param_groups]

    def keep_settings(loaded: torch.optim.Optimizer) -> None:
        """Those of the recipe count, not those stored in a state, which may be of an earlier version of the recipe."""
        for group, settings_of_group in zip(loaded.param_groups, own):
            group.update(settings_of_group)
    optimizer.register_load_state_dict_post_hook(keep_settings)
    return optimizer


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of each group to `rate` times its factor; on CUDA in a tensor, which a step captured as a graph reads."""
    for group in optimizer.param_groups:
        own = rate * group['rate_factor']
        if isinstance(group['lr'], torch.Tensor):
            group['lr'].fill_(own)
        elif group['params'][0].is_cuda:
            group['lr'] = torch.tensor(own, device=group['params'][0].device)
        else:
            group['lr'] = own


def learning_rate(settings: TrainingSettings, iteration: int, progress: float) -> float:
    """Learning rate of an iteration, when `progress`, 0..1, of the training is done.

    Linear warm-up, then down to 0 along a cosine (Loshchilov and Hutter, arXiv 1608.03983) or a power of 0.9, or constant.

    At a constant rate the averaged weights are the result: they reach wide minima, which generalise better (Izmailov et al.,
    arXiv 1803.05407; Cha et al., arXiv 2102.08604).
    """
    warm = min(1.0, (iteration + 1) / max(settings.warmup_iterations, 1))
    decay = {'cosine': 0.5 * (1 + math.cos(math.pi * progress)), 'poly': (1 - progress) ** 0.9, 'constant': 1.0}
    return settings.learning_rate * warm * decay[settings.schedule]


class WeightAverage:
    """Exponential moving average of the weights of `network` in `average`; their tensors must stay the same objects."""

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        pairs = list(zip(average.state_dict().values(), network.state_dict().values()))
        # Collected once: traversing two networks takes longer than the update itself.
        self._means, self._values = zip(*(pair for pair in pairs if pair[0].is_floating_point()))
        self._counts, self._present = zip(*(pair for pair in pairs if not pair[0].is_floating_point()))

    @torch.no_grad()
    def update(self, decay: float, iteration: int) -> None:
        """Move by 1 - decay, faster at first, while the initial weights dominate; counters of BatchNorm are copied."""
        torch._foreach_lerp_(self._means, self._values, 1 - min(decay, (1 + iteration) / (10 + iteration)))
        torch._foreach_copy_(self._counts, self._present)
