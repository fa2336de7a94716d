# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run all GPU tests with pytest; a rehearsal runs those that do not need a GPU."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from fanet_ros.package_share import share_directory
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings, StepSkipped

FOLDERS = ('test/unit/inference',)


def run(settings: StepSettings, figures: Figures) -> None:
    """Write a figure per test: 'passed', 'skipped' or 'failed', why, and the seconds it took.

    :raises RuntimeError: a test failed, or there are none
    """
    folders = [share_directory() / folder for folder in FOLDERS]
    if not all(folder.is_dir() for folder in folders):
        raise StepSkipped('the tests exist only in a checkout of the package')
    os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'      # independent of other installed plugins
    recorder = _Recorder(figures)
    code = pytest.main([*map(str, folders), '-m', 'gpu', '-q', '-p', 'no:cacheprovider', '--rootdir', str(share_directory())],
                       plugins=[recorder])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f'{recorder.counts["failed"]} tests failed, pytest says {pytest.ExitCode(code).name}')


class _Recorder:
    """pytest plugin that writes the outcome of each test."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != 'call' and report.passed:
            return
        self.counts[report.outcome] += 1
        self._figures.add('test', name=f'{Path(report.fspath).name}::{report.location[2]}', outcome=report.outcome,
                          seconds=report.duration, reason=_reason(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.counts['failed'] += 1
            self._figures.add('test', name=report.nodeid, outcome='failed', seconds=0.0, reason=_reason(report))


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The last line of an error, or why it was skipped."""
    if report.passed:
        return ''
    if isinstance(report.longrepr, tuple):      # file, line, reason
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, 'reprcrash', None)
    return ' '.join((crash.message if crash is not None else str(report.longrepr)).split())[:300]
