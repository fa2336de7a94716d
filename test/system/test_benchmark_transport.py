"""The transport benchmark over real DDS, short: what it counts, and what it leaves."""
import json
from pathlib import Path

import pytest

from fanet_ros.ros import benchmark_transport


def test_camera_to_mask_is_measured_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_transport.main(['--rates', '5', '--size', '96', '128', '--resolution', '64', '96', '--seconds', '1',
                                     '--engine', 'torch', '--output', str(tmp_path)]) == 0
    runs = json.loads((tmp_path / 'transport.json').read_text())
    assert [run['is_tuned'] for run in runs] == [True, False]
    for run in runs:
        assert run['sent'] == 5 and 0 <= run['lost'] < 5 and len(run['latencies_ms']) == run['sent'] - run['lost']
        assert 0 < run['way_ms'][0] <= run['latency_ms'][0] and run['stages_ms']['network_ms'] > 0
        assert run['node_cpu_ms'] > 0 and run['node_memory_mib'] > 0
    assert (tmp_path / 'transport.png').stat().st_size > 5000
    assert sum(line.startswith('| 5 | ') for line in capsys.readouterr().out.splitlines()) == 2


def test_a_node_that_cannot_start_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_transport.main(['--rates', '5', '--seconds', '1', '--engine', 'none']) == 1
    assert capsys.readouterr().err.startswith('benchmark_transport: the node ended with exit code 1')
