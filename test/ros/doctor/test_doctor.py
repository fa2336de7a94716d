# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Individual checks of doctor, and their report."""
from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Iterable

import numpy as np
import pytest
import torch

from fanet_ros.host.process_tuning import Tuning
from fanet_ros.inference import Segmenter
from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.ros.doctor import speed
from fanet_ros.ros.doctor import transport as doctor_transport
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding, exit_code, findings_of, lines_of, summary
from fanet_ros.ros.doctor.machine import check_cv_bridge, check_engines, check_torch
from fanet_ros.ros.doctor.model import check_model
from fanet_ros.ros.doctor.speed import check_speed
from fanet_ros.ros.doctor.transport import NAMED, check_leftovers, check_transport
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128))


@pytest.fixture(name='settings', scope='module')
def settings_fixture(tmp_path_factory: pytest.TempPathFactory) -> SegmentationSettings:
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    torch.manual_seed(0)
    save_checkpoint(path, METADATA.build_network(), METADATA)
    return SegmentationSettings(resolution_ladder=(1.0, 0.5), checkpoint=str(path), device='cpu', engine='torch')


def only(findings: Iterable[Finding], level: str) -> Finding:
    found, = [finding for finding in findings if finding.level == level]
    return found


def test_a_check_that_raises_is_a_finding() -> None:
    def breaks() -> Iterable[Finding]:
        yield Finding('x', OK, 'fine')
        raise OSError('no such\nthing')
    assert findings_of('x', breaks) == [Finding('x', ERROR, 'could not be checked: OSError: no such thing')]


def test_report_and_exit_code() -> None:
    findings = [Finding('gpu', OK, 'none'), Finding('dds', WARN, 'word ' * 40, 'do this')]
    assert (exit_code(findings, strict=False), exit_code(findings, strict=True)) == (0, 1)
    assert exit_code([Finding('x', ERROR, 'y')], strict=False) == 1
    lines = lines_of(findings, colored=False)
    assert lines[0] == 'OK    gpu        none' and lines[-1].split() == ['->', 'do', 'this'] and len(lines) > 3
    assert max(map(len, lines)) <= 110
    assert lines_of(findings, colored=True)[1].startswith('\033[33mWARN')
    assert summary(findings) == 'ready, with warnings: 0 errors, 1 warning, 1 OK'


def test_this_machine_has_no_errors() -> None:
    for check in (check_torch, check_cv_bridge, check_engines):
        assert ERROR not in [finding.level for finding in check()]


@pytest.mark.parametrize(('trial', 'said', 'remedy'), [
    ('import nothing_of_that_name', "No module named 'nothing_of_that_name'", 'apt install'),
    ('import os; os.abort()', 'crashes with SIGABRT', 'numpy<2')])
def test_a_cv_bridge_that_fails_or_crashes_is_a_warning(trial: str, said: str, remedy: str) -> None:
    finding = only(check_cv_bridge(trial), WARN)
    assert said in finding.what and remedy in finding.remedy


@pytest.mark.skipif(torch.cuda.is_available(), reason='torch can use the GPU')
def test_a_gpu_that_torch_cannot_use_is_reported() -> None:
    finding = next(finding for finding in check_torch(has_nvidia=True) if finding.check == 'gpu')
    assert finding.level in (WARN, ERROR) and 'there is an NVIDIA GPU' in finding.what and finding.remedy


def test_a_checkpoint_that_fits(settings: SegmentationSettings) -> None:
    findings = list(check_model(settings))
    assert not [finding for finding in findings if finding.level == ERROR]
    assert any('3 classes, trained at 128x96' in finding.what for finding in findings)


@pytest.mark.parametrize(('change', 'check', 'said'), [
    ({'checkpoint': 'no_such_one'}, 'checkpoint', "'no_such_one' not found"),
    ({'class_map': 'MAP'}, 'class map', 'has 2 classes, the checkpoint 3'),
    ({'class_map': 'missing.yaml'}, 'class map', 'missing.yaml'),
    ({'class_filter': 'zebra'}, 'class map', 'zebra'),
    ({'variant': 'fanet34'}, 'checkpoint', 'fanet34')])
def test_settings_that_do_not_fit_the_checkpoint_are_an_error(
        settings: SegmentationSettings, tmp_path: Path, change: dict[str, str], check: str, said: str) -> None:
    if change.get('class_map') == 'MAP':
        path = tmp_path / 'two.yaml'
        path.write_text('name: two\nclasses:\n- {name: a, color: [1, 2, 3]}\n- {name: b, color: [3, 2, 1]}\n')
        change = {'class_map': str(path)}
    finding = only(check_model(replace(settings, **change)), ERROR)
    assert finding.check == check and said in finding.what and finding.remedy


def test_differing_class_names_are_a_warning(settings: SegmentationSettings, tmp_path: Path) -> None:
    path = tmp_path / 'three.yaml'
    path.write_text('name: three\nclasses:\n' + ''.join(f'- {{name: {name}, color: [1, 2, 3]}}\n' for name in 'axc'))
    findings = list(check_model(replace(settings, class_map=str(path))))
    assert any(finding.level == WARN and 'b is called x' in finding.what for finding in findings)


@pytest.mark.parametrize(('profile', 'level', 'said'), [
    (None, ERROR, 'cannot be read'), ('<dds/>', WARN, 'the default of 0.5 MB'),
    ('<segment_size>1048576</segment_size>', WARN, '1.0 MiB'), ('<segment_size> 33554432 </segment_size>', OK, '32 MiB')])
def test_the_users_own_profile_is_read(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None, level: str, said: str) -> None:
    monkeypatch.setattr(doctor_transport, 'get_rmw_implementation_identifier', lambda: 'rmw_fastrtps_cpp')
    path = tmp_path / 'mine.xml'
    if profile is not None:
        path.write_text(profile)
    findings = check_transport(Tuning(True, ''), {'FASTRTPS_DEFAULT_PROFILES_FILE': str(path)})
    finding = next(finding for finding in findings if 'your profile' in finding.what)
    assert finding.level == level and said in finding.what and bool(finding.remedy) == (level != OK)


@pytest.mark.parametrize(('count', 'said'), [(1, '1 killed process left'), (NAMED + 2, f'{NAMED + 2} killed processes left')])
def test_memory_of_killed_processes_is_reported_with_its_remedy(tmp_path: Path, count: int, said: str) -> None:
    assert not list(check_leftovers(tmp_path))
    for number in range(count):
        (tmp_path / f'fastrtps_{number:016x}').write_bytes(bytes(4096))
        (tmp_path / f'fastrtps_{number:016x}_el').touch()
        os.utime(tmp_path / f'fastrtps_{number:016x}_el', times=(0, 0))
    found, = check_leftovers(tmp_path)
    assert found.level == OK and said in found.what
    assert f'fastdds shm clean; or rm {tmp_path}/fastrtps_{0:016x}*' in found.remedy
    assert found.remedy.count('*') == min(count, NAMED) and ('and so on for 2 more' in found.remedy) == (count > NAMED)
    assert only(check_leftovers(tmp_path, accepted_bytes=1), WARN).what == found.what


def test_disabled_tuning_is_a_warning() -> None:
    findings = list(check_transport(Tuning(False, ''), {'FANET_ROS_TUNING': '0'}))
    assert {finding.check for finding in findings if finding.level == WARN} >= {'allocator'}
    assert all('unset' in finding.remedy for finding in findings if finding.check == 'allocator')


def test_a_resolution_that_cannot_keep_up_is_a_warning_with_a_remedy(settings: SegmentationSettings) -> None:
    rgb = np.zeros((96, 128, 3), np.uint8)
    assert [finding.level for finding in check_speed(settings, rgb, rate_hz=0.01)] == [OK, OK]
    first, *rest = check_speed(settings, rgb, rate_hz=1e6)
    assert first.level == WARN and 'below 1e+06 frames/s' in first.what and 'int8' in first.remedy
    assert '128x96 as set' in first.what and rest[0].level == OK        # only the configured resolution must keep up


def test_a_resolution_is_built_and_measured_once(settings: SegmentationSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[float] = []
    resized = Segmenter.resized
    monkeypatch.setattr(Segmenter, 'resized', lambda *arguments: (built.append(arguments[-1]), resized(*arguments))[1])
    ladder = replace(settings, resolution_ladder=(1.0, 0.5, 0.05, 0.01))     # the last two end at the smallest possible input
    sizes = [finding.what.split()[0].strip(':') for finding in check_speed(ladder, np.zeros((96, 128, 3), np.uint8), rate_hz=0.01)]
    assert sizes == ['128x96', '64x64'] and built == [0.5]


def test_a_resolution_that_keeps_up_is_given_without_the_scale_in_use(
        settings: SegmentationSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sides already are those of the scaled input."""
    monkeypatch.setattr(speed, '_median_s', lambda segmenter, rgb: 1.0 if segmenter.input_width > 64 else 1e-3)
    scaled = replace(settings, input_height=192, input_width=256, input_scale=0.5, resolution_ladder=(1.0, 0.5))
    first, _ = check_speed(scaled, np.zeros((96, 128, 3), np.uint8), rate_hz=10.0)
    assert first.what.startswith('128x96 as set')
    assert first.remedy.startswith('with input_height 64, input_width 64, input_scale 1.0 it keeps up')
