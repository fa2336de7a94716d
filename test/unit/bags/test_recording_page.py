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
    bag = write_bag(fill)
    monkeypatch.chdir(bag.parent)
    bag.rename('drive_1')
    exec(compile(snippet, str(PAGE), 'exec'), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(says in line for line in lines)
