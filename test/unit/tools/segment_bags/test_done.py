# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""By which options finished bags are recognised."""
from __future__ import annotations

import json
from pathlib import Path

from street_bags import write_street_bag

from fanet_ros.model import resolve_checkpoint
from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE, file_sha256, key_of


def test_bags_made_before_there_was_a_choice_of_masks_are_done(tmp_path: Path, quick: list[str]) -> None:
    write_street_bag(tmp_path / 'in/a', 1)
    command = [str(tmp_path / 'in'), '--output', str(tmp_path / 'out'), *quick]
    assert main([*command, '--masks', 'raw']) == 0
    assert json.loads((tmp_path / 'out/a' / DONE).read_text())['key'] == key_of({
        'checkpoint': file_sha256(resolve_checkpoint('fanet18_camvid')), 'class_map': '', 'engine': 'torch', 'precision': 'auto',
        'resolution': [64, 96], 'topics': [], 'storage': 'input', 'calibration_images': ''})
    assert main(command) == 0
    assert json.loads((tmp_path / 'out/report.json').read_text())['bags_skipped'] == 1
    assert main([*command, '--masks', 'png']) == 2
