# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Python snippets of docs/recording.md run."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

PAGE = Path(__file__).parents[3] / 'docs' / 'recording.md'
SNIPPETS = re.findall(r'```python\n(.*?)```', PAGE.read_text(encoding='utf-8'), flags=re.DOTALL)
LABELS = np.array([[3, 3, 8], [3, 255, 3]], np.uint8)


def fill(writer: Any) -> None:
    for number in range(2):
        writer.image('/camera/image_raw', number, np.zeros((2, 3, 3), np.uint8))
        writer.image('/segmentation/mask', number, LABELS)


def test_there_are_two_snippets() -> None:
    assert len(SNIPPETS) == 2


@pytest.mark.parametrize(('snippet', 'says'), list(zip(SNIPPETS, [
    "{'3': 0.667, '8': 0.167, '255': 0.167}", '(2, 3, 3) (2, 3)'])), ids=['rosbags', 'FrameReader'])
def test_each_snippet_runs(snippet: str, says: str, write_bag: Callable[[Callable[[Any], None]], Path],
                           monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    lines = printed(snippet, write_bag(fill), monkeypatch, capsys)
    assert len(lines) == 2 and all(says in line for line in lines)


def test_every_mask_gets_the_names_of_its_own_network(write_bag: Callable[[Callable[[Any], None]], Path],
                                                      monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def switched(writer: Any) -> None:
        """The node got another checkpoint at frame 1, and the recorder received the mask of that before its class map."""
        writer.class_map('/segmentation/class_map', 0, ('sky', 'road'))
        for number in range(3):
            writer.image('/segmentation/mask', number, np.zeros((2, 3), np.uint8))
            if number == 1:
                writer.class_map('/segmentation/class_map', 1, ('grass', 'path'))
    lines = printed(SNIPPETS[0], write_bag(switched), monkeypatch, capsys)
    assert [re.findall('[a-z]+', line) for line in lines] == [['sky'], ['grass'], ['grass']]


def printed(snippet: str, bag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> list[str]:
    """The lines that the snippet prints about this bag."""
    monkeypatch.chdir(bag.parent)
    bag.rename('drive_1')
    exec(compile(snippet, str(PAGE), 'exec'), {})
    return capsys.readouterr().out.splitlines()
