# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training recipes are parsed strictly."""
import math
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from fanet_ros.package_share import share_directory
from fanet_ros.training.config import ConfigError, TrainingConfig, describe, difference

GOOD = {'data': [{'path': 'somewhere'}]}


def load(tmp_path: Path, content: object, *overrides: str) -> TrainingConfig:
    path = tmp_path / 'recipe.yaml'
    path.write_text(yaml.safe_dump(content))
    return TrainingConfig.load(path, overrides)


@pytest.mark.parametrize('path', sorted((share_directory() / 'config' / 'training').glob('*.yaml')), ids=lambda path: path.stem)
def test_shipped_recipes_can_be_read(path: Path) -> None:
    assert TrainingConfig.load(path).data


def test_values_and_overrides(tmp_path: Path) -> None:
    config = load(tmp_path, {**GOOD, 'training': {'learning_rate': '1e-3'}}, 'training.iterations=7', 'data.0.weight=2',
                  'augmentation.crop_height=96', 'augmentation.crop_width=128', 'augmentation.scale=[1, 1.5]')
    assert (config.training.iterations, config.training.learning_rate, config.data[0].weight) == (7, 1e-3, 2.0)
    assert config.augmentation.scale == (1.0, 1.5)


@pytest.mark.parametrize('name', ['2024', '007', '2026-11-28', '1e5', 'on'])
def test_a_name_may_be_a_number_a_date_or_a_word_of_yaml(tmp_path: Path, name: str) -> None:
    config = load(tmp_path, GOOD, f'data.0.path={name}', f'class_map={name}', f'data.0.rename.car={name}', 'training.seed=7')
    assert (config.data[0].path, config.class_map, config.data[0].rename, config.training.seed) == (name, name, {'car': name}, 7)


@pytest.mark.parametrize(('content', 'reason'), [
    ({'data': [{'path': 2024}]}, r'data\[0\].path is 2024: expected str, in quotes'),
    ({**GOOD, 'varient': 'fanet18'}, 'unknown key varient: did you mean variant?'),
    ({**GOOD, 'training': {'iteration': 3}}, 'unknown key training.iteration: did you mean iterations?'),
    ({'data': [{'path': 'x', 'wieght': 2}]}, r'unknown key data\[0\].wieght: did you mean weight?'),
    ({**GOOD, 'training': {'iterations': 'many'}}, "training.iterations is 'many': expected int"),
    ({**GOOD, 'training': {'iterations': 0}}, 'iterations is 0: expected more than 0'),
    ({**GOOD, 'training': {'optimizer': 'adam'}}, 'expected one of adamw, sgd'),
    ({**GOOD, 'training': {'channels_last': 'maybe'}}, 'expected bool'),
    ({**GOOD, 'training': {'label_smoothing': 1.5}}, 'label_smoothing is 1.5: expected at least 0, less than 1'),
    ({**GOOD, 'training': {'minutes': -1}}, 'minutes is -1.0: expected 0 or more'),
    ({**GOOD, 'training': {'soft_weight': -0.5}}, 'soft_weight is -0.5: expected 0 or more'),
    ({**GOOD, 'training': {'ema_decay': -0.9}}, 'ema_decay is -0.9: expected 0..1'),
    ({**GOOD, 'training': {'ema_decay': math.nan}}, 'training.ema_decay is nan: expected a finite number'),
    ({**GOOD, 'training': {'learning_rate': math.inf}}, 'training.learning_rate is inf: expected a finite number'),
    ({**GOOD, 'training': {'learning_rate': 'fast'}}, "training.learning_rate is 'fast': expected a finite number"),
    ({**GOOD, 'augmentation': {'scale': [1.0, math.nan]}}, r'augmentation.scale\[1\] is nan: expected a finite number'),
    ({'data': [{'path': 'x', 'weight': math.nan}]}, r'data\[0\].weight is nan: expected a finite number'),
    ({'data': [{'path': 'x', 'ignore_borders': -1}]}, 'ignore_borders is -1: expected 0 or more'),
    ({'data': [{'layout': 'street', 'seeds': [5, 2]}]}, r'seeds is \[5, 2\]: expected the first, 0 or more, and the one after'),
    ({'data': []}, 'data is empty'), ({'data': [{'layout': 'folder'}]}, 'path is empty'),
    ({'data': {'path': 'x'}}, 'expected a list'), ({'data': [{'path': 'x', 'size': [1, 2, 3]}]}, 'expected 2 values'),
    ([1, 2], 'expected keys and values')])
def test_mistakes_are_reported_in_one_line(tmp_path: Path, content: object, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        load(tmp_path, content)
    assert 'recipe.yaml' in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('override', ['training.iterations', 'data.5.path=x', 'variant.x=1'])
def test_overrides_of_unknown_keys_are_rejected(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match='--set'):
        load(tmp_path, {**GOOD, 'variant': 'fanet18'}, override)


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='No such file'):
        TrainingConfig.load(tmp_path / 'none.yaml')
    (tmp_path / 'broken.yaml').write_text('a: [')
    with pytest.raises(ConfigError, match='is not YAML'):
        TrainingConfig.load(tmp_path / 'broken.yaml')


def test_first_difference_between_recipes_is_reported(tmp_path: Path) -> None:
    one, other = load(tmp_path, GOOD), load(tmp_path, GOOD, 'training.batch_size=3')
    assert difference(describe(one), one) is None
    assert difference(describe(one), other) == 'training.batch_size was 8, is 3'
    moved = load(tmp_path, GOOD, 'data.0.path=elsewhere', 'loader.threads=3')
    assert difference(describe(one), moved) == "data.0.path was 'somewhere', is 'elsewhere'"
    older = describe(one)
    del older['allow_empty_classes']        # a key that did not exist yet
    assert difference(older, one) is None
    assert difference({**older, 'gone': 1}, one) == 'unknown key gone: expected one of ' + ', '.join(
        sorted(item.name for item in fields(TrainingConfig)))


def test_recipe_may_contain_only_differences_from_a_base(tmp_path: Path) -> None:
    (tmp_path / 'whole.yaml').write_text(
        'variant: fanet18\ndata: [{path: a}, {path: b}]\ntraining: {iterations: 7, batch_size: 3}\n')
    (tmp_path / 'change.yaml').write_text('base: whole\nvariant: fanet34\ntraining: {iterations: 9}\n')
    (tmp_path / 'more.yaml').write_text('base: change\ndata: [{path: c}]\n')
    config = TrainingConfig.load(tmp_path / 'more.yaml', ['training.seed=5'])
    assert (config.variant, config.training.iterations, config.training.batch_size, config.training.seed) == ('fanet34', 9, 3, 5)
    assert [item.path for item in config.data] == ['c']
    (tmp_path / 'whole.yaml').write_text('base: more\n')
    with pytest.raises(ConfigError, match='without a cycle'):
        TrainingConfig.load(tmp_path / 'more.yaml')
    (tmp_path / 'lost.yaml').write_text('base: nothing\n')
    with pytest.raises(ConfigError, match='nothing.yaml: No such file'):
        TrainingConfig.load(tmp_path / 'lost.yaml')
