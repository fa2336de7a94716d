"""A training recipe: one YAML file, read strictly, as frozen dataclasses."""
from __future__ import annotations

import dataclasses
import difflib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

import yaml

from fanet_ros.training.augment import Augmentation


class ConfigError(ValueError):
    """A recipe cannot be used; one line that names the file, the key and the remedy."""


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f'{name} is {value!r}: expected one of {", ".join(known)}')


@dataclass(frozen=True)
class DataConfig:
    """One data set.

    layout: 'folder' (images/ and labels/ with class indices, or colours of the class map), 'cityscapes'
    (leftImg8bit/ and gtFine/ with labelIds) or 'street' (the synthetic street).
    """

    layout: str = 'folder'
    path: str = ''                          # of the data set's root, from the current directory
    weight: float = 1.0                     # share of the batches, relative to the other data sets
    split: str = 'train'                    # cityscapes: its folder
    labels: str = 'indices'                 # folder: 'indices' or 'colors'
    class_map: str = ''                     # names of the data set's own classes; '': those that are trained
    rename: dict[str, str] = field(default_factory=dict)   # its class -> trained class, where the names differ; '': none
    only: tuple[str, ...] = ()              # begin of the names of the images that are taken; (): all
    hold_out: tuple[str, ...] = ()          # begin of the names of those that are not
    seeds: tuple[int, int] = (100, 200)     # street: first seed, and the one after the last
    frames: tuple[int, ...] = (7, 90, 173, 256)     # street: of each seed
    size: tuple[int, int] = (360, 480)      # street: height and width [px]

    def __post_init__(self) -> None:
        _one_of('layout', self.layout, ('folder', 'cityscapes', 'street'))
        _one_of('labels', self.labels, ('indices', 'colors'))
        if self.weight <= 0:
            raise ConfigError(f'weight is {self.weight}: expected more than 0')
        if self.layout != 'street' and not self.path:
            raise ConfigError(f'path is empty: layout {self.layout} needs the folder of the data set')


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the data come apart from it."""

    iterations: int = 6000
    batch_size: int = 8
    accumulate: int = 1                     # batches to one step of the optimiser
    optimizer: str = 'adamw'                # 'adamw' or 'sgd' (momentum 0.9)
    learning_rate: float = 1e-3
    schedule: str = 'cosine'                # 'cosine' or 'poly' (power 0.9)
    warmup_iterations: int = 100
    weight_decay: float = 0.05
    label_smoothing: float = 0.0
    class_balance: bool = True              # rare classes weigh more
    ema_decay: float = 0.998                # of the averaged weights, which are what is kept
    precision: str = 'bfloat16'             # of the forward pass: 'float32', 'bfloat16' or 'float16' (CUDA)
    channels_last: bool = True
    seed: int = 0
    save_every: int = 200
    validate_every: int = 0                 # iterations; 0: at the end only

    def __post_init__(self) -> None:
        _one_of('optimizer', self.optimizer, ('adamw', 'sgd'))
        _one_of('schedule', self.schedule, ('cosine', 'poly'))
        _one_of('precision', self.precision, ('float32', 'bfloat16', 'float16'))
        for name in ('iterations', 'batch_size', 'accumulate', 'learning_rate', 'save_every'):
            if getattr(self, name) <= 0:
                raise ConfigError(f'{name} is {getattr(self, name)}: expected more than 0')


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that `train` reads."""

    variant: str = 'fanet18'
    class_map: str = 'camvid11'             # of config/class_maps, or a path
    init: str = ''                          # checkpoint to start from, by name or path; '': random weights
    temporal_frames: int = 1                # 2 or more: a video network, trained on clips
    data: tuple[DataConfig, ...] = ()
    validation: tuple[DataConfig, ...] = ()
    augmentation: Augmentation = Augmentation(288, 384)
    training: TrainingSettings = TrainingSettings()
    data_name: str = ''                     # what the checkpoint says of its data
    license: str = ''                       # and of its licence

    def __post_init__(self) -> None:
        if not self.data:
            raise ConfigError('data is empty: expected at least one data set')

    @classmethod
    def load(cls, path: Union[str, Path], overrides: typing.Sequence[str] = ()) -> TrainingConfig:
        """Read a recipe.

        :param overrides: 'key=value' or 'section.key=value', values as in YAML
        :raises ConfigError: missing file, no YAML, unknown keys, values of the wrong type
        """
        try:
            content = yaml.safe_load(Path(path).expanduser().read_text(encoding='utf-8'))
        except OSError as error:
            raise ConfigError(f'{path}: {error.strerror}') from None
        except yaml.YAMLError as error:
            raise ConfigError(f'{path} is not YAML: {" ".join(str(error).split())}') from None
        if not isinstance(content, dict):
            raise ConfigError(f'{path}: expected keys and values, got {type(content).__name__}')
        for text in overrides:
            _override(content, text)
        try:
            return _build(cls, content, '')
        except ConfigError as error:
            raise ConfigError(f'{path}: {error}') from None


def _override(content: dict[str, Any], text: str) -> None:
    key, separator, value = text.partition('=')
    if not separator:
        raise ConfigError(f'--set {text!r}: expected key=value')
    *sections, last = key.strip().split('.')
    target: Any = content
    for section in sections:
        if isinstance(target, list):
            target = target[int(section)] if section.isdigit() and int(section) < len(target) else None
        elif isinstance(target, dict):
            target = target.setdefault(section, {})
    if not isinstance(target, dict):
        raise ConfigError(f'--set {text!r}: there is no such section')
    target[last] = yaml.safe_load(value)


def _build(cls: type, content: Any, where: str) -> Any:
    """An instance of the dataclass `cls` from a mapping; unknown keys are refused with the nearest that exists."""
    if not isinstance(content, dict):
        raise ConfigError(f'{where or "the file"}: expected keys and values, got {content!r}')
    types = typing.get_type_hints(cls)
    known = {item.name for item in dataclasses.fields(cls)}
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f'did you mean {near[0]}?' if near else f'expected one of {", ".join(sorted(known))}'
            raise ConfigError(f'unknown key {where}{key}: {hint}')
    values = {key: _convert(types[key], value, f'{where}{key}') for key, value in content.items()}
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f'{where}{error}') from None
    except TypeError as error:
        raise ConfigError(f'{where or "the file"}: {error}') from None


def _convert(wanted: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if dataclasses.is_dataclass(wanted):
        return _build(wanted, value, f'{where}.')
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f'{where} is {value!r}: expected a list')
        if arguments[-1] is not Ellipsis and len(value) != len(arguments):
            raise ConfigError(f'{where} is {value!r}: expected {len(arguments)} values')
        return tuple(_convert(arguments[0], item, f'{where}[{index}]') for index, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f'{where} is {value!r}: expected keys and values')
        return {str(key): '' if item is None else str(item) for key, item in value.items()}
    if wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if wanted is float and isinstance(value, str):      # YAML reads 1e-3 as text
        try:
            return float(value)
        except ValueError:
            pass
    if type(value) is not wanted:
        raise ConfigError(f'{where} is {value!r}: expected {wanted.__name__}')
    return value


def describe(config: TrainingConfig) -> dict[str, Any]:
    """The recipe as plain values, for comparing and for storing beside the weights."""
    return dataclasses.asdict(config)


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = '') -> Optional[str]:
    """The first key in which two described recipes differ, with both values; None if there is none."""
    for key in sorted(set(old) | set(new)):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            deeper = difference(before, after, f'{prefix}{key}.')
            if deeper:
                return deeper
        elif _plain(before) != _plain(after):
            return f'{prefix}{key} was {before!r}, is {after!r}'
    return None


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
