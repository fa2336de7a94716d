# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A choice that was measured under load is used, marked, and measured again later."""
import json
import logging
from pathlib import Path

import pytest

from fanet_ros.inference.engines.choices import RETRY_S, EngineChoices

QUIET, BUSY = 0.0, 1.4


@pytest.fixture(name='path')
def path_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'fanet_ros' / 'fastest_engine.json'


def age(path: Path) -> None:
    """Let time pass."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: {**entry, 'time_s': entry['time_s'] - RETRY_S - 1} for key, entry in content.items()}))


def test_choice_measured_under_load_is_forgotten_after_a_while(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    choices = EngineChoices()
    with caplog.at_level(logging.WARNING):
        choices.put('quiet', 'ncnn', QUIET)
        assert not caplog.records
        choices.put('busy', 'onnxruntime', BUSY)
    assert 'onnxruntime was chosen while other processes kept 1.4 cores busy' in caplog.text
    assert (choices.get('quiet'), choices.get('busy')) == ('ncnn', 'onnxruntime') and not choices.forget_due()
    age(path)
    assert (choices.get('quiet'), choices.get('busy')) == ('ncnn', None)
    assert choices.forget_due() and not choices.forget_due()
    assert json.loads(path.read_text()).keys() == {'quiet'}


def test_choice_made_for_lack_of_space_is_forgotten_after_a_while(path: Path) -> None:
    choices = EngineChoices()
    choices.put('full', 'torch', QUIET, lacked_space=True)
    assert choices.get('full') == 'torch' and not choices.forget_due()
    age(path)
    assert choices.get('full') is None and choices.forget_due()


@pytest.mark.parametrize('content', ['{ no JSON', '[]', '{"old": "torch"}'])
def test_malformed_file_is_ignored(path: Path, content: str) -> None:
    choices = EngineChoices()
    path.write_text(content)
    assert choices.get('old') is None and not choices.forget_due()
    choices.put('new', 'torch', QUIET)
    assert choices.get('new') == 'torch'


def test_a_choice_that_cannot_be_stored_is_no_failure(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    choices = EngineChoices()
    path.mkdir()
    choices.put('new', 'torch', QUIET)
    assert 'the engines will be measured again' in caplog.text and choices.get('new') is None and [*path.parent.iterdir()] == [path]
