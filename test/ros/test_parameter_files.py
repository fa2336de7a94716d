# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""config/ and docs/parameters.md match the parameters that the nodes declare."""
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fanet_ros.package_share import share_directory
from fanet_ros.ros.common.node_help import help_text
from fanet_ros.ros.parameter_tables import FILES, SETTINGS, generated_files, page, parameter_file

CHECKOUT = Path(__file__).parents[2]
GENERATED = dict(generated_files(CHECKOUT))


@pytest.mark.parametrize('path', GENERATED, ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding='utf-8') == GENERATED[path], 'run python -m fanet_ros.ros.parameter_tables --write'


@pytest.mark.parametrize('executable', FILES)
def test_parameter_file_has_the_defaults(executable: str) -> None:
    content = yaml.safe_load((share_directory() / FILES[executable]).read_text(encoding='utf-8'))['/**']['ros__parameters']
    defaults = {spec.name: spec.default for spec in SETTINGS[executable].specs()}
    assert content == defaults and list(content) == list(defaults)
    assert {name: type(value) for name, value in content.items()} == {name: type(value) for name, value in defaults.items()}


@pytest.mark.parametrize('executable', FILES)
def test_parameter_file_explains_every_parameter(executable: str) -> None:
    specs = SETTINGS[executable].specs()
    text = parameter_file(executable, specs)
    assert all(len(line) <= 132 for line in text.splitlines())
    words = ' '.join(text.replace('#', ' ').split())
    for spec, following in zip(specs, (*specs[1:], None)):
        own = words[words.index(f' {spec.name}: '):words.index(f' {following.name}: ') if following else None]
        assert spec.description in own and own.endswith('; fixed') == (spec.read_only and executable == 'segmentation_node'), own


def test_page_without_table_markers_is_refused() -> None:
    with pytest.raises(ValueError, match='<!-- table of dashboard -->'):
        page((CHECKOUT / 'docs' / 'parameters.md').read_text(encoding='utf-8').replace('table of dashboard', 'no table'))


def test_the_help_of_a_node_has_every_default() -> None:
    for name, settings in SETTINGS.items():
        text = ' '.join(help_text(name, 'purpose', settings.specs()).split())
        assert all(f'default {spec.default!r}' in text for spec in settings.specs()), name
