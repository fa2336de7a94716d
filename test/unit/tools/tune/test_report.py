# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report, plot and parameter file for given findings."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from fanet_ros.datasets.frame_set import FrameSet
from fanet_ros.package_share import share_directory
from fanet_ros.tools.tune.candidates import Candidate
from fanet_ros.tools.tune.choice import Budget, choose
from fanet_ros.tools.tune.output import launch_command, write_findings
from fanet_ros.tools.tune.params import parameter_file, read_parameters
from fanet_ros.tools.tune.report import Findings, content, notes, table
from fanet_ros.tools.tune.results import Row

MACHINE = {'cpu': 'a processor', 'threads': 2, 'cores': 2, 'instruction_set': 'AVX2', 'load_average': 0.1,
           'versions': {'torch': '2.6'}}
REFERENCE = Candidate('mine', '/weights/mine.safetensors', 'fanet34', 256, 512, 'torch', 'float32')


def row(height: int, engine: str, p95_ms: float, quality: float) -> Row:
    candidate = replace(REFERENCE, height=height, width=2 * height, engine=engine)
    return Row(candidate, p95_ms / 2, p95_ms, 1500 / p95_ms, 500.0, 600.0, None, quality, 0.9, 1.0, 30, engine, 0.0)


ROWS = (row(256, 'torch', 80.0, 1.0), row(256, 'openvino', 40.0, 0.99), row(128, 'openvino', 12.5, 0.8),
        Row(replace(REFERENCE, engine='ncnn'), error='crashed with SIGSEGV'))


def findings(folder: Path, budget_ms: float = 50.0, **more: Any) -> Findings:
    frames = FrameSet(folder / 'frames', 7, 480, 640, False, True, ('a', 'b'), 20.0, '')
    budget = Budget(budget_ms, 'as requested')
    return Findings(**{**dict(source='drive', frames=frames, rows=ROWS, choice=choose(ROWS, budget), budget=budget,
                              reference=REFERENCE, machine=MACHINE, date='2026-01-02'), **more})


def test_table_is_aligned_with_the_fastest_first_and_names_the_quality(tmp_path: Path) -> None:
    lines = table(findings(tmp_path)).splitlines()
    assert len({len(line) for line in lines}) == 1 and len(lines) == 2 + 3
    assert 'agreement %' in lines[0] and 'mIoU' not in lines[0]
    assert lines[2].startswith('|  * | mine       | 256x128') and lines[3].startswith('| >* | mine       | 512x256    | o')
    assert lines[4].split('|')[-3:-1] == ['       100.0 ', '     90.0 ']
    assert 'mIoU %' in table(findings(tmp_path, reference=None))


def test_times_measured_under_background_load_are_marked(tmp_path: Path) -> None:
    assert not any('~' in line for line in notes(findings(tmp_path)))
    found = findings(tmp_path, rows=(replace(ROWS[0], busy_cores=1.5), ROWS[1]), choice=None)
    assert '|  ~80.0 |' in table(found) and table(found).count('~') == 1
    assert any(line.startswith('`~` other processes kept up to 1.5 cores busy') for line in notes(found))


def test_all_files_are_written(tmp_path: Path) -> None:
    text = write_findings(findings(tmp_path), read_parameters(None), '', tmp_path)
    assert 'chosen: mine 512x256 openvino float32: p95 40.0 ms' in text and 'WARN' not in text
    assert 'not measured: mine 512x256 ncnn float32: crashed with SIGSEGV' in text
    assert 'not accuracy, because there is no ground truth' in text
    assert text.splitlines()[-1] == (
        f'ros2 launch fanet_ros segmentation.launch.py params_file:={tmp_path}/tuned.param.yaml')
    report = (tmp_path / 'tune.md').read_text()
    assert table(findings(tmp_path)) in report and '7 frames of 640x480' in report and 'crashed with SIGSEGV' in report
    plot = cv2.imread(str(tmp_path / 'tune.png'))
    assert plot.shape[1] > 800 and plot.std() > 5
    found = json.loads((tmp_path / 'tune.json').read_text())
    assert found == json.loads(json.dumps(content(findings(tmp_path))))
    assert [item['chosen'] for item in found['rows']] == [False, True, False, False]
    assert [item['pareto'] for item in found['rows']] == [True, True, True, False]


def test_parameter_file_is_complete_and_states_its_origin(tmp_path: Path) -> None:
    write_findings(findings(tmp_path), read_parameters(None), '', tmp_path)
    text = (tmp_path / 'tuned.param.yaml').read_text()
    values = yaml.safe_load(text)['/**']['ros__parameters']
    shipped = read_parameters(None)
    expected = {**shipped, 'checkpoint': '/weights/mine.safetensors', 'variant': 'auto', 'engine': 'openvino',
                'precision': 'float32', 'input_height': 256, 'input_width': 512, 'latency_budget_ms': 50.0}
    assert values == expected and list(values) == list(shipped)
    assert {name: type(value) for name, value in values.items()} == {name: type(value) for name, value in shipped.items()}
    head = text.split('/**')[0]
    assert all(word in head for word in ('a processor', '2026-01-02', 'drive', 'p95 40.0 ms', '# '))
    assert all(line.startswith('#') for line in head.strip().splitlines())
    shipped_text = (share_directory() / 'config' / 'segmentation.param.yaml').read_text()
    assert text.count('# ') >= shipped_text.count('# ')


def test_when_nothing_fits_it_warns(tmp_path: Path) -> None:
    text = write_findings(findings(tmp_path, 5.0), read_parameters(None), '', tmp_path)
    assert 'WARN: nothing fits 5 ms; the fastest is mine 256x128 openvino' in text
    assert 'WARN' in (tmp_path / 'tuned.param.yaml').read_text() and 'WARN' in (tmp_path / 'tune.md').read_text()


def test_a_budget_that_the_node_would_refuse_is_its_largest(tmp_path: Path) -> None:
    write_findings(findings(tmp_path, 120_000.0), read_parameters(None), '', tmp_path)
    assert yaml.safe_load((tmp_path / 'tuned.param.yaml').read_text())['/**']['ros__parameters']['latency_budget_ms'] == 60_000.0


def test_given_parameters_are_kept_except_tuned_ones(tmp_path: Path) -> None:
    own = tmp_path / 'own.yaml'
    own.write_text(yaml.safe_dump({
        'robot': {'segmentation': {'ros__parameters': {
            'overlay_alpha': 0.25, 'input_height': 99, 'qos_overrides': {'/image': {'subscription': {'depth': 3}}}}}},
        'camera': {'ros__parameters': {'rate_hz': 3.0}}}))
    write_findings(findings(tmp_path), read_parameters(own), 'cpu', tmp_path)
    values = yaml.safe_load((tmp_path / 'tuned.param.yaml').read_text())['/**']['ros__parameters']
    assert (values['overlay_alpha'], values['input_height'], values['device']) == (0.25, 256, 'cpu')
    assert values['qos_overrides'] == {'/image': {'subscription': {'depth': 3}}} and 'rate_hz' not in values


def test_int8_comes_with_its_calibration_and_a_compressed_topic_with_its_transport(tmp_path: Path) -> None:
    quantized = replace(ROWS[1], candidate=replace(ROWS[1].candidate, precision='int8'))
    frames = replace(findings(tmp_path).frames, image_topic='/front/image_raw/compressed')
    budget = Budget(50.0, 'as requested')
    found = findings(tmp_path, rows=(quantized,), choice=choose([quantized], budget), frames=frames)
    write_findings(found, read_parameters(None), '', tmp_path)
    values = yaml.safe_load((tmp_path / 'tuned.param.yaml').read_text())['/**']['ros__parameters']
    assert values['calibration_images'] == str(tmp_path / 'frames' / 'images')
    assert values['image_transport'] == 'compressed'
    assert launch_command(found, tmp_path).endswith('image_topic:=/front/image_raw')


@pytest.mark.parametrize(('text', 'message'), [
    ('{[', 'is not YAML'), ('a: 1', 'found no ros__parameters'),
    ('{camera: {ros__parameters: {a: 1}}, lidar: {ros__parameters: {a: 1}}}', 'found /camera, /lidar')])
def test_other_files_are_rejected(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'own.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_parameters(path)
    with pytest.raises(ValueError, match='cannot be read'):
        read_parameters(tmp_path / 'missing.yaml')


def test_values_that_yaml_would_misread_are_quoted() -> None:
    values = {**read_parameters(None), 'class_filter': 'no', 'checkpoint': '/a: b/#c.safetensors', 'overlay_alpha': 1.0}
    assert yaml.safe_load(parameter_file(values, 'x'))['/**']['ros__parameters'] == values


def test_values_of_any_length_are_kept_whole() -> None:
    remap = ', '.join(f'class {number}=unlabelled' for number in range(171))
    values = {**read_parameters(None), 'class_remap': remap, 'resolution_ladder': [1 / number for number in range(1, 200)]}
    assert yaml.safe_load(parameter_file(values, 'x'))['/**']['ros__parameters'] == values
