# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training recipes: one YAML file, parsed strictly into frozen dataclasses."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence, Union

from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.config_reader import ConfigError, build, one_of, override, read_with_base
from fanet_ros.model import BACKBONE_OF_VARIANT, FLAVORS, STRIDES
from fanet_ros.training.augment import Augmentation


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the data are configured separately."""

    iterations: int = 6000
    minutes: float = 0.0                    # more than 0: train for this time instead; the schedule follows the clock
    batch_size: int = 8
    accumulate: int = 1                     # batches per optimiser step
    optimizer: str = 'adamw'                # 'adamw' or 'sgd' (momentum 0.9)
    learning_rate: float = 1e-3
    encoder_rate: float = 1.0               # factor on learning_rate for the encoder: below 1 for a pretrained one
    schedule: str = 'cosine'                # 'cosine', 'poly' (power 0.9) or 'constant' (with a long ema_decay)
    warmup_iterations: int = 100
    weight_decay: float = 0.05
    label_smoothing: float = 0.0
    class_balance: bool = True              # rare classes weigh more
    hard_below: float = 0.7                 # pixels whose class has a lower probability count in the loss; 1: all of them
    border_weight: float = 1.0              # of pixels within 4 px of another class, against that of others
    auxiliary_weight: float = 0.5           # of the loss of each auxiliary head; 0: without them
    soft_weight: float = 1.0                # weight of the loss on soft labels, where data sets have them
    ema_decay: float = 0.998                # of the averaged weights, which the checkpoints contain
    precision: str = 'auto'                 # of the forward pass: 'float32', 'bfloat16' or 'float16' (CUDA); auto:
                                            # bfloat16 where the device supports it, else float32
    channels_last: bool = True
    seed: int = 0
    save_every: int = 200
    validate_every: int = 0                 # iterations; 0: at the end only

    def __post_init__(self) -> None:
        one_of('optimizer', self.optimizer, ('adamw', 'sgd'))
        one_of('schedule', self.schedule, ('cosine', 'poly', 'constant'))
        one_of('precision', self.precision, ('auto', 'float32', 'bfloat16', 'float16'))
        if not 0 < self.hard_below <= 1:
            raise ConfigError(f'hard_below is {self.hard_below}: expected more than 0, at most 1')
        if self.border_weight <= 0:
            raise ConfigError(f'border_weight is {self.border_weight}: expected more than 0')
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f'label_smoothing is {self.label_smoothing}: expected at least 0, less than 1')
        if not 0 <= self.ema_decay <= 1:
            raise ConfigError(f'ema_decay is {self.ema_decay}: expected 0..1')
        for name in ('minutes', 'encoder_rate', 'warmup_iterations', 'weight_decay', 'auxiliary_weight', 'soft_weight',
                     'validate_every'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name} is {getattr(self, name)}: expected 0 or more')
        for name in ('iterations', 'batch_size', 'accumulate', 'learning_rate', 'save_every'):
            if getattr(self, name) <= 0:
                raise ConfigError(f'{name} is {getattr(self, name)}: expected more than 0')


@dataclass(frozen=True)
class LoaderSettings:
    """How data are loaded; affects only the speed."""

    threads: int = 0                        # that prepare batches; 0: one for a network on the CPU, up to 8 for a GPU
    cache_gib: float = 4.0                  # images kept in memory, per process
    on_device: str = 'auto'                 # keep all images on the device and render views there, except clips:
                                            # 'always', 'never', or 'auto': on a GPU. Much slower on a CPU

    def __post_init__(self) -> None:
        one_of('on_device', self.on_device, ('auto', 'always', 'never'))
        for name in ('threads', 'cache_gib'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name} is {getattr(self, name)}: expected 0 or more')


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that `train` reads."""

    variant: str = 'fanet18'
    flavor: str = 'paper'                   # or 'official': attention without 1/n, which ties it to one resolution
    strides: tuple[int, int, int, int] = STRIDES    # of the encoder's layers; (1, 2, 2, 2): no additional reduction
    class_map: str = 'camvid11'             # name in config/class_maps, or a path
    init: str = ''                          # checkpoint to start from, by name or path; 'imagenet': the shipped encoder
                                            # of weights/, for ResNet-18; '': random weights
    temporal_frames: int = 1                # 2 or more: a video network, trained on clips
    data: tuple[DataConfig, ...] = ()
    validation: tuple[DataConfig, ...] = ()
    hold_out: float = 0.0                   # share of each data set to validate on if validation is empty: whole drives
                                            # if their names can be told apart, else the end of the recording
    augmentation: Augmentation = Augmentation(288, 384)
    training: TrainingSettings = TrainingSettings()
    loader: LoaderSettings = LoaderSettings()
    allow_empty_classes: bool = False       # train even if a class of the class map occurs in no label
    data_name: str = ''                     # description of the data in the checkpoint
    license: str = ''                       # and its licence

    def __post_init__(self) -> None:
        one_of('variant', self.variant, tuple(BACKBONE_OF_VARIANT))
        one_of('flavor', self.flavor, FLAVORS)
        if not 0 <= self.hold_out <= 0.5:
            raise ConfigError(f'hold_out is {self.hold_out}: expected 0..0.5')
        if self.temporal_frames < 1:
            raise ConfigError(f'temporal_frames is {self.temporal_frames}: expected 1 or more')
        if self.loader.on_device == 'always' and self.temporal_frames > 1:
            raise ConfigError('loader.on_device is always: clips are made on the CPU, set it to auto')
        if not self.data:
            raise ConfigError('data is empty: expected at least one data set')

    @classmethod
    def load(cls, path: Union[str, Path], overrides: Sequence[str] = ()) -> TrainingConfig:
        """Read a recipe; with `base: NAME` it contains only what differs from NAME.yaml next to it, key by key in each section.

        :param overrides: 'key=value' or 'section.key=value', values as in YAML
        :raises ConfigError: missing file, invalid YAML, unknown keys, values of the wrong type
        """
        content = read_with_base(path)
        for text in overrides:
            override(content, text)
        try:
            return build(cls, content, '')
        except ConfigError as error:
            raise ConfigError(f'{path}: {error}') from None


def describe(config: TrainingConfig) -> dict[str, Any]:
    """The parts of the recipe that affect the result, as plain values to be stored with the weights."""
    values = dataclasses.asdict(config)
    del values['loader']
    return values


def difference(old: dict[str, Any], new: TrainingConfig) -> Optional[str]:
    """The first key in which a described recipe differs from another, with both values; None if there is none.

    Keys that were introduced after `old` was described count as left at their defaults.
    """
    try:
        old = describe(build(TrainingConfig, old, ''))
    except ConfigError as error:
        return str(error)
    return _first_difference(old, describe(new), '')


def _first_difference(old: dict, new: dict, prefix: str) -> Optional[str]:
    for key in sorted(old):
        before, after = _numbered(old[key]), _numbered(new[key])
        if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
            deeper = _first_difference(before, after, f'{prefix}{key}.')
            if deeper:
                return deeper
        elif before != after:
            return f'{prefix}{key} was {old[key]!r}, is {new[key]!r}'
    return None


def _numbered(value: Any) -> Any:
    """Lists as mappings from the index of each element, which overrides name them by."""
    return dict(enumerate(value)) if isinstance(value, (list, tuple)) else value
