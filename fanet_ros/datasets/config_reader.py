# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Strict reading of YAML into frozen dataclasses: errors name the misspelt key or wrong type, with the remedy."""
from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from pathlib import Path
from typing import Any, Union

import yaml

from fanet_ros.error_text import error_text

MAX_BASES = 4       # in a chain of recipes


class ConfigError(ValueError):
    """A recipe is unusable; one line that names the file, the key and the remedy."""


@dataclasses.dataclass(frozen=True)
class _Given:
    """A value of --set that YAML does not read as text, with the text: a name may be a number or a date."""

    value: Any
    text: str

    def __str__(self) -> str:
        return self.text


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """:raises ConfigError: the `value` of the key `name` is not in `known`."""
    if value not in known:
        raise ConfigError(f'{name} is {value!r}: expected one of {", ".join(known)}')


def read_mapping(path: Union[str, Path]) -> dict[str, Any]:
    """Read the keys and values of a YAML file.

    :raises ConfigError: missing, not YAML, or not keys and values
    """
    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding='utf-8'))
    except OSError as error:
        raise ConfigError(f'{path}: {error.strerror}') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f'{path} is not YAML: {error_text(error)}') from None
    if not isinstance(content, dict):
        raise ConfigError(f'{path}: expected keys and values, got {type(content).__name__}')
    return content


def read_with_base(path: Union[str, Path], depth: int = 0) -> dict[str, Any]:
    """Like read_mapping(), but a file with `base: NAME` extends NAME.yaml in the same folder.

    Keys are overridden one by one, also within sections; lists are replaced as a whole.
    """
    content = read_mapping(path)
    base = content.pop('base', None)
    if base is None:
        return content
    if not isinstance(base, str) or depth >= MAX_BASES:
        raise ConfigError(f'{path}: base is {base!r}: expected the name of a recipe in the same folder, without a cycle')
    return _merged(read_with_base(Path(path).expanduser().with_name(f'{base}.yaml'), depth + 1), content)


def _merged(base: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in content.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if both else value
    return result


def override(content: dict[str, Any], text: str) -> None:
    """Change one value of `content` by 'key=value' or 'section.key=value'; list elements are addressed by number.

    :raises ConfigError: `text` is not of that form, its value is not YAML, or there is no such section
    """
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
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f'--set {text!r}: the value is not YAML') from None
    target[last] = read if read is None or isinstance(read, (str, list, dict)) else _Given(read, value.strip())


def build(cls: type, content: Any, where: str) -> Any:
    """Build the dataclass `cls` from a mapping; for an unknown key, the error suggests the closest known one.

    :param where: prefix of key names in messages, such as 'training.'
    :raises ConfigError: unknown keys, values of the wrong type or out of range
    """
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
    except ValueError as error:
        raise ConfigError(f'{where}{error}') from None
    except TypeError as error:
        raise ConfigError(f'{where or "the file"}: {error}') from None


def _convert(wanted: Any, value: Any, where: str) -> Any:
    if isinstance(value, _Given):
        value = value.text if wanted is str else value.value
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        return build(wanted, value, f'{where}.')
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
    if wanted is float and not isinstance(value, bool) and isinstance(value, (int, float, str)):        # YAML reads 1e-3 as text
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        raise ConfigError(f'{where} is {value!r}: expected a finite number')
    if type(value) is not wanted:
        quotes = ', in quotes' if wanted is str and not isinstance(value, (list, dict)) else ''
        raise ConfigError(f'{where} is {value!r}: expected {wanted.__name__}{quotes}')
    return value
