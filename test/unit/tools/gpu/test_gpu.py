# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make gpu`: isolation of its steps, their figures, and a rehearsal as on a bare machine."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bare_machine import bare_environment

from fanet_ros.model import load_checkpoint
from fanet_ros.tools.benchmark.setup import random_network
from fanet_ros.tools.gpu import authors, run
from fanet_ros.tools.gpu.costs import needs
from fanet_ros.tools.gpu.figures import Figures, read_figures
from fanet_ros.tools.gpu.run import outcome, run_step
from fanet_ros.tools.gpu.settings import StepSettings, StepSkipped, random_checkpoint
from fanet_ros.tools.gpu.summary import summary

REPO = Path(__file__).parents[4]
# Steps of the rehearsal, which must write all their figures; `authors` is skipped: their code is not available here.
STEPS = ('authors', 'frames', 'costs', 'alternatives', 'compiled')


def test_figures_are_written_at_once_and_truncated_lines_ignored(tmp_path: Path) -> None:
    path = tmp_path / 'step.jsonl'
    assert read_figures(path) == []
    figures = Figures(path)
    figures.add('speed', ms=1.5)
    figures.add('table', rows=[1, 2])
    assert read_figures(path) == [{'figure': 'speed', 'ms': 1.5}, {'figure': 'table', 'rows': [1, 2]}]
    path.write_text(path.read_text()[:-5])
    assert read_figures(path) == [{'figure': 'speed', 'ms': 1.5}]


def step_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, limit_s: float = 300.0) -> list[dict]:
    """Figures of a step whose process runs the Python code `does` after its first figure."""
    script = tmp_path / 'python'
    script.write_text(f'#!{sys.executable}\nimport os, sys, time, signal, subprocess\npath = sys.argv[4]\n'
                      'open(path, "w").write(\'{"figure": "first"}\\n\')\n' + does)
    script.chmod(0o755)
    monkeypatch.setattr(run.sys, 'executable', str(script))
    with (tmp_path / 'log').open('w') as log:
        return run_step('frames', tmp_path / 'frames.jsonl', 'cpu', tmp_path, None, limit_s, log)


@pytest.mark.parametrize(('does', 'reason'), [
    ('sys.exit(3)', 'ended with code 3, see log.txt'), ('os.kill(os.getpid(), signal.SIGSEGV)', 'ended by SIGSEGV'),
    ('pass', 'ended with code 0, see log.txt')])
def test_a_failed_step_keeps_its_figures_and_the_reason(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, reason: str) -> None:
    assert step_that(tmp_path, monkeypatch, does) == [{'figure': 'first'}, {'figure': 'failed', 'reason': reason}]


@pytest.mark.slow
def test_a_step_over_its_time_limit_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()        # stays open as long as one of the processes lives
    os.set_inheritable(writing, True)
    monkeypatch.setattr(run.subprocess, 'Popen', lambda *arguments, **more: POPEN(*arguments, **more, pass_fds=(writing,)))
    found = step_that(tmp_path, monkeypatch, f'subprocess.Popen(["sleep", "600"], pass_fds=({writing},))\ntime.sleep(600)', 20.0)
    assert found[-1] == {'figure': 'failed', 'reason': 'not finished after 20 s'}
    os.close(writing)
    assert os.read(reading, 1) == b''   # returns once the last one has exited
    os.close(reading)


@pytest.mark.slow
@pytest.mark.parametrize('after', ['time.sleep(600)', 'os.kill(os.getpid(), signal.SIGSEGV)'])
def test_a_finished_step_is_done_however_its_process_ends(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    done = 'print(json.dumps({"figure": "done", "seconds": 1}), file=open(path, "a"), flush=True)'
    found = step_that(tmp_path, monkeypatch, f'import json\n{done}\n{after}', 20.0)
    assert found == [{'figure': 'first'}, {'figure': 'done', 'seconds': 1}] and outcome(found) == 'done in 1 s; 1 figures'


POPEN = subprocess.Popen


def test_a_step_without_time_left_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = step_that(tmp_path, monkeypatch, 'pass', 1.0)
    assert found == [{'figure': 'skipped', 'reason': 'no time left'}] and not (tmp_path / 'frames.jsonl').exists()
    assert outcome(found) == 'skipped: no time left; 0 figures'


def test_missing_weights_are_replaced_by_random_ones(tmp_path: Path) -> None:
    settings = StepSettings(torch.device('cpu'), tmp_path)
    path, weights = settings.checkpoint('fanet18_elsewhere_video')
    network, metadata = load_checkpoint(path)
    assert weights == 'random' and metadata.temporal_frames == 4 and metadata.num_classes == 11
    again = random_checkpoint('fanet18_elsewhere_video').network.half().float().state_dict()
    assert all(torch.allclose(value, again[name].to(value.dtype), rtol=1e-2, atol=1e-3)
               for name, value in network.state_dict().items())
    with torch.inference_mode():
        logits = network(torch.randn(1, 3, 128, 192))
    assert 0.1 < float(logits.std()) < 1e3        # well within the range of half precision


def test_arithmetic_and_bytes_of_a_network_are_counted() -> None:
    small, large = (needs(random_network('fanet18'), 'float16', size) for size in ((128, 256), (256, 512)))
    assert large['flop'] == pytest.approx(4 * small['flop'], rel=0.1)
    # The stem alone has 7 x 7 x 3 x 64 multiply-adds at a quarter of the pixels.
    assert small['flop'] > 2 * 7 * 7 * 3 * 64 * 128 * 256 / 4
    assert small['bytes'] > small['least_bytes'] > 2 * 3 * 128 * 256
    assert large['operations'] == small['operations'] > 50


@pytest.mark.slow
def test_rehearsal_on_a_bare_machine(tmp_path: Path) -> None:
    """All steps but the tests, which run anyway; ROS packages cannot be imported."""
    environment = bare_environment(tmp_path / 'bare')
    refused = subprocess.run([sys.executable, '-c', 'import rosbags'], env=environment, cwd=REPO, capture_output=True, text=True)
    assert "No module named 'rosbags'" in refused.stderr
    output = tmp_path / 'found'
    ended = subprocess.run(['make', 'gpu', 'DEVICE=cpu', f'OUT={output}', f'PYTHON={sys.executable}', f'STEPS={" ".join(STEPS)}'],
                           env=environment, cwd=REPO, capture_output=True, text=True)
    log = (output / 'log.txt').read_text()
    assert ended.returncode == 0, f'{ended.stdout}\n{log}'
    found = {name: read_figures(output / f'{name}.jsonl') for name in STEPS}
    for name, figures in found.items():
        assert figures[0]['figure'] == 'machine' and figures[0]['rehearsal'], name
        assert figures[-1]['figure'] == ('skipped' if name == 'authors' else 'done'), name
    kinds = {name: {item['figure'] for item in figures} for name, figures in found.items()}
    assert kinds['frames'] >= {'start', 'one by one', 'stream', 'batch of frames', 'batch', 'pixels'}
    assert kinds['costs'] >= {'card', 'floor', 'profile'} and 'compiled' in kinds['compiled']
    broken = [item['way'] for item in found['alternatives'] if item.get('ms', 0) is None]
    assert broken and all(way.startswith('Triton') for way in broken)       # Triton needs a GPU; all others were timed
    assert found['compiled'][1]['error'] < 1e-4
    assert summary(found) == (output / 'summary.md').read_text() and 'REHEARSAL' in ended.stdout
    assert len(list(output.iterdir())) <= 8 and not list(output.glob('*/*'))


def test_the_authors_step_is_skipped_without_their_code(tmp_path: Path) -> None:
    figures = Figures(tmp_path / 'authors.jsonl')
    with pytest.raises(StepSkipped, match='AUTHORS=DIR'):
        authors.run(StepSettings(torch.device('cpu'), tmp_path), figures)


def test_the_outcome_of_every_test_is_a_figure(tmp_path: Path) -> None:
    """Runs in its own process: plugins of nested pytest runs would mix."""
    (tmp_path / 'test_some.py').write_text(
        'import pytest\npytestmark = pytest.mark.gpu\ndef test_right(): pass\ndef test_wrong(): assert 1 == 2\n'
        'def test_never():\n    pytest.skip("no such card")\n@pytest.fixture\ndef broken(): raise RuntimeError("gone")\n'
        'def test_without(broken): pass\n')
    (tmp_path / 'test_others.py').write_text('def test_without_the_mark(): assert False\n')
    code = ('import sys\nfrom pathlib import Path\nfrom fanet_ros.tools.gpu import correctness\n'
            'from fanet_ros.tools.gpu.figures import Figures\ncorrectness.FOLDERS = (sys.argv[1],)\n'
            'correctness.run(None, Figures(Path(sys.argv[2])))\n')
    ended = subprocess.run([sys.executable, '-c', code, str(tmp_path), str(tmp_path / 'out.jsonl')], cwd=REPO,
                           capture_output=True, text=True)
    assert 'RuntimeError: 2 tests failed, pytest says TESTS_FAILED' in ended.stderr
    found = {item['name'].split('::')[1]: (item['outcome'], item['reason']) for item in read_figures(tmp_path / 'out.jsonl')}
    assert found['test_right'] == ('passed', '') and found['test_wrong'][0] == 'failed' and '1 == 2' in found['test_wrong'][1]
    assert found['test_never'][0] == 'skipped' and 'no such card' in found['test_never'][1]
    assert found['test_without'][0] == 'failed' and 'gone' in found['test_without'][1]
    text = summary({'correctness': read_figures(tmp_path / 'out.jsonl')})
    assert '1 passed, 2 failed, 1 skipped' in text and 'gone' in text
