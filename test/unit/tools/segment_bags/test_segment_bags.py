# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An archive in one process gives the masks of segment_bag, despite interruptions and bad bags."""
from __future__ import annotations

import errno
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stored_archives import Expected, report
from street_bags import read_messages, write_street_bag

from fanet_ros.inference import SegmenterOptions
from fanet_ros.model import resolve_checkpoint
from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE, file_sha256
from fanet_ros.tools.segment_bags.jobs import Assemble, Bag, Begin, Begun, Segment, Segmented, Settings, Unit
from fanet_ros.tools.segment_bags.store import STALE, LocalStore
from fanet_ros.tools.segment_bags.table import TABLE, join_tables
from fanet_ros.tools.segment_bags.worker import Worker

LONG = 100


def states(output: Path) -> dict[str, str]:
    return {bag['name']: bag['state'] for bag in report(output)['bags']}


def partials(output: Path) -> list[str]:
    return [path.name for path in output.rglob('*.partial')]


def command(archive: Path, output: Path, quick: list[str], *more: str) -> list[str]:
    return [str(archive), '--output', str(output), '--unit', '40', '--threads', '1', *quick, *more]


@pytest.fixture
def settings() -> Settings:
    path = resolve_checkpoint('fanet18_camvid')
    options = SegmenterOptions(device='cpu', engine='torch', input_height=64, input_width=96, num_threads=1)
    return Settings(str(path), 'fanet18_camvid', file_sha256(path), options, (), 'input', False, False, 'key', max_unit_images=40)


def test_masks_equal_those_of_segment_bag_and_are_made_once(
        archive: Path, tmp_path: Path, quick: list[str], expected: Expected, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / 'out'
    assert main(command(archive, output, quick)) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ['tue/long: 100 masks', 'mon/second: 4 masks', 'mon/first: 3 masks']
    assert read_messages(output / 'tue/long') == expected(LONG)
    assert read_messages(output / 'mon/first') == expected(3)
    found = report(output)
    assert (found['complete'], found['bags_done'], found['images'], found['masks'], found['segmented_now']) == (
        True, 3, 107, 107, 107)
    assert not partials(output) and sorted(path.name for path in (output / 'tue/long').iterdir() if path.suffix != '.parquet') == [
        'long.mcap', 'metadata.yaml', DONE]

    before = {path: path.stat().st_mtime_ns for path in output.rglob('*.mcap')}
    os.utime(archive / 'mon/second/second.mcap')        # as if recorded again
    long = archive / 'tue/long/long.mcap'               # recognised as done without being opened: it is unreadable now
    state = long.stat()
    long.write_bytes(bytes(state.st_size))
    os.utime(long, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert main(command(archive, output, quick)) == 0
    assert states(output) == {'mon/first': 'skipped', 'mon/second': 'done', 'tue/long': 'skipped'}
    assert report(output)['masks'] == 107 and report(output)['segmented_now'] == 4
    changed = [path.name for path, at_ns in before.items() if path.stat().st_mtime_ns != at_ns]
    assert changed == ['second.mcap'] and not partials(output)


def test_other_options_redo_masks_only_with_replace(tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    source, output = write_street_bag(tmp_path / 'in/drive', 2), tmp_path / 'out'
    assert main(command(source, output, quick)) == 0
    before = read_messages(output / 'drive')
    other = [*quick, '--resolution', '128x96']
    assert main(command(source, output, other)) == 2
    assert 'was made with another checkpoint or other options' in capsys.readouterr().err
    assert read_messages(output / 'drive') == before
    assert main(command(source, output, other, '--replace')) == 0
    after = read_messages(output / 'drive')
    assert len(after) == len(before) and after != before and not partials(output)


def test_a_row_for_each_mask(tmp_path: Path, quick: list[str]) -> None:
    pytest.importorskip('pyarrow')
    import pyarrow.parquet
    write_street_bag(tmp_path / 'in/a', 50)
    write_street_bag(tmp_path / 'in/b', 2, encoding='junk')
    write_street_bag(tmp_path / 'in/c', 2, first=3)
    assert main(command(tmp_path / 'in', tmp_path / 'out', quick)) == 0
    rows = pyarrow.parquet.read_table(tmp_path / 'out/frames.parquet').to_pylist()
    assert [(row['bag'], row['stamp_ns']) for row in rows] == [
        *(('a', 100 * 10**9 + number * 10**8 + 7) for number in range(50)),
        *(('c', 100 * 10**9 + number * 10**8 + 7) for number in (3, 4))]
    masks = [data[-96 * 64:] for topic, _, data in read_messages(tmp_path / 'out/a') if topic == '/segmentation/mask']
    shares = [name for name in rows[0] if name.startswith('share_')]
    assert len(shares) == 11 and shares[0] == 'share_sky'
    for row, mask in zip(rows, masks):
        for number, name in enumerate(shares):
            assert row[name] == pytest.approx(mask.count(number) / len(mask), abs=1e-6)
        assert 0 <= row['doubtful'] <= 1 and 1 / 11 <= row['confidence'] <= 1 and 0 < row['brightness'] < 1 < row['sharpness']
        assert row['topic'] == '/camera/image_raw' and row['checkpoint'].startswith('fanet18_camvid ')


def test_a_bag_whose_table_is_damaged_is_named_and_made_again(tmp_path: Path, quick: list[str],
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('pyarrow')
    import pyarrow.parquet
    for name in ('a', 'b'):
        write_street_bag(tmp_path / f'in/mon/{name}', 2)
    arguments = command(tmp_path / 'in', tmp_path / 'out', quick)
    assert main(arguments) == 0
    (tmp_path / 'out/mon/b/frames.parquet').write_bytes(b'')
    (tmp_path / 'out/frames.parquet').unlink()
    assert main(arguments) == 2
    assert 'the frames.parquet of the finished bag mon/b is damaged' in capsys.readouterr().err
    shutil.rmtree(tmp_path / 'out/mon/b')
    assert main(arguments) == 0 and pyarrow.parquet.read_table(tmp_path / 'out/frames.parquet').num_rows == 4


def test_a_fault_of_the_system_is_not_taken_for_a_damaged_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip('pyarrow.parquet')
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/frames.parquet').touch()

    def without_a_free_file(*_: Any) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    monkeypatch.setattr(parquet, 'read_schema', without_a_free_file)
    with pytest.raises(OSError, match='Too many open files'):
        join_tables(tmp_path)


def test_without_a_table_there_is_none(tmp_path: Path, quick: list[str]) -> None:
    write_street_bag(tmp_path / 'in/a', 2)
    assert main(command(tmp_path / 'in', tmp_path / 'out', quick, '--no-table')) == 0
    assert not list((tmp_path / 'out').rglob('*.parquet*'))


def test_a_table_from_before_is_marked_as_stale_by_a_run_without_one(tmp_path: Path) -> None:
    for table, kept in ((TABLE, [TABLE, STALE]), ('other', ['other'])):
        (folder := tmp_path / table.removesuffix('.parquet')).mkdir()
        (folder / table).touch()
        store = LocalStore(folder)
        store.begin()
        store.finish(False)
        assert sorted(path.name for path in folder.iterdir()) == kept


@pytest.mark.parametrize('kill', [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_resumes_after_an_interruption(archive: Path, tmp_path: Path, quick: list[str], expected: Expected,
                                          kill: signal.Signals) -> None:
    output = tmp_path / 'out'
    arguments = command(archive, output, quick)
    process = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments], stderr=subprocess.PIPE)
    journal, deadline = output / 'tue/long.partial/unit_000001/masks.journal', time.monotonic() + 180
    while not (journal.is_file() and journal.stat().st_size > 2000):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)        # leaves the CPU to the process under test
    process.send_signal(kill)
    process.communicate(timeout=120)
    assert process.returncode == (130 if kill == signal.SIGINT else -signal.SIGKILL)
    assert not (output / 'tue/long').exists() and (output / 'report.json').exists() == (kill == signal.SIGINT)
    assert kill == signal.SIGKILL or not report(output)['complete']
    journal.write_bytes(journal.read_bytes()[:-3])      # truncates the last record
    assert main(arguments) == 0
    assert read_messages(output / 'tue/long') == expected(LONG) and not partials(output)
    assert report(output)['masks'] == 107 and report(output)['segmented_now'] < 107 - 33      # at least the first unit is reused


def test_bad_bags_fail_with_a_reason_and_the_others_are_done(
        archive: Path, tmp_path: Path, quick: list[str], expected: Expected, capsys: pytest.CaptureFixture[str]) -> None:
    cut_off = write_street_bag(archive / 'wed/cut_off', 20) / 'cut_off.mcap'
    cut_off.write_bytes(cut_off.read_bytes()[:100_000])
    damaged = write_street_bag(archive / 'wed/damaged', 60) / 'damaged.mcap'
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2:len(content) // 2 + 40_000] = bytes(40_000)
    damaged.write_bytes(content)
    write_street_bag(archive / 'wed/no_camera', 0)
    write_street_bag(archive / 'wed/unknown_codec', 3, encoding='junk')
    (archive / 'wed/ros1').mkdir()
    (archive / 'list.txt').write_text('mon\nwed\nwed/missing\n')
    output = tmp_path / 'out'
    (output / 'mon/second').mkdir(parents=True)         # not written by segment_bags
    assert main(command(archive / 'list.txt', output, quick)) == 1
    error = capsys.readouterr().err
    assert states(output) == {'mon/first': 'done', 'mon/second': 'failed', 'wed/cut_off': 'failed', 'wed/damaged': 'failed',
                              'wed/no_camera': 'failed', 'wed/unknown_codec': 'done', 'wed/missing': 'failed'}
    reasons = {bag['name']: bag.get('reason') for bag in report(output)['bags']}
    for name, reason in {'mon/second': 'was not written by segment_bags', 'wed/cut_off': 'cannot read the bag',
                         'wed/damaged': 'of its 60 images can be read', 'wed/no_camera': 'no camera topic',
                         'wed/missing': 'No such file'}.items():
        assert reason in reasons[name]
        assert len([line for line in error.splitlines() if line.startswith(f'{name}: failed: ')]) == 1
        assert name == 'mon/second' or not (output / name).exists()
    assert report(output)['without_mask'] == {'unknown encoding junk': 3}
    assert read_messages(output / 'mon/first') == expected(3)
    assert not list((output / 'mon/second').iterdir())


def test_a_bag_that_disappears_or_changes_while_it_is_read_fails(tmp_path: Path, settings: Settings) -> None:
    worker = Worker(settings)
    gone, changed = (Bag(str(write_street_bag(tmp_path / f'in/{name}', LONG)), str(tmp_path / 'out' / name), name)
                     for name in ('gone', 'changed'))
    for bag in (gone, changed):
        begun = worker.run(Begin(bag)).result
        assert isinstance(begun, Begun) and len(begun.units) == 3
        assert worker.run(Segment(bag, begun.units[0])).result == Segmented(33, 33)
        assert worker.run(Segment(bag, begun.units[0])).result == Segmented(33, 0)      # already done
    (tmp_path / 'in/gone/gone.mcap').unlink()
    os.utime(tmp_path / 'in/changed/changed.mcap')
    for job in (Segment(gone, Unit(1)), Assemble(gone)):
        assert 'cannot read the bag' in worker.run(job).error
    for job in (Segment(changed, begun.units[1]), Assemble(changed)):
        assert 'changed while it was read' in worker.run(job).error
    assert not [path for path in (tmp_path / 'out').iterdir() if path.suffix != '.partial']


def test_a_missing_unit_is_detected_on_assembly(tmp_path: Path, settings: Settings) -> None:
    worker = Worker(settings)
    bag = Bag(str(write_street_bag(tmp_path / 'in/a', LONG)), str(tmp_path / 'out/a'), 'a')
    begun = worker.run(Begin(bag)).result
    for unit in begun.units[:-1]:
        worker.run(Segment(bag, unit))
    assert 'fewer masks than images' in worker.run(Assemble(bag)).error and not (tmp_path / 'out/a').exists()
    worker.run(Segment(bag, begun.units[-1]))
    assert worker.run(Assemble(bag)).result.masks == LONG


def test_rows_that_a_power_cut_took_are_made_again(tmp_path: Path, settings: Settings) -> None:
    worker = Worker(replace(settings, table=True))
    bag = Bag(str(write_street_bag(tmp_path / 'in/a', LONG)), str(tmp_path / 'out/a'), 'a')
    begun = worker.run(Begin(bag)).result
    losses = (lambda content: content[:-10], lambda content: content[:2000] + bytes(1000), lambda _: b'')
    for unit, change in zip(begun.units, losses):
        images = worker.run(Segment(bag, unit)).result.images
        rows = tmp_path / f'out/a.partial/unit_{unit.number:06d}/rows.jsonl'
        whole = rows.read_bytes()
        rows.write_bytes(change(whole)[:len(whole)])
        again = worker.run(Segment(bag, unit)).result
        assert again.images == images and 0 < again.made <= images and rows.read_bytes() == whole
        assert worker.run(Segment(bag, unit)).result.made == 0


def test_a_bag_that_did_not_fit_is_completed_by_the_same_command(tmp_path: Path, quick: list[str], expected: Expected) -> None:
    write_street_bag(tmp_path / 'in/a', LONG)
    arguments = command(tmp_path / 'in', tmp_path / 'out', quick)

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
    process = subprocess.run([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments], preexec_fn=limit_file_size,
                             capture_output=True, text=True)
    assert process.returncode == 2 and 'a: failed: File too large' in process.stderr
    assert not (tmp_path / 'out/a').exists()
    assert main(arguments) == 0
    assert report(tmp_path / 'out')['segmented_now'] == 0 and read_messages(tmp_path / 'out/a') == expected(LONG)


@pytest.mark.parametrize(('more', 'reason'), [
    (['--checkpoint', 'nothing'], 'nothing'), (['--ray', '127.0.0.1:1'], 'Ray'), (['--root', '/nowhere'], 'another --root')])
def test_a_run_that_cannot_start_gives_one_line_with_the_reason(
        tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str], more: list[str], reason: str) -> None:
    write_street_bag(tmp_path / 'in/a', 1)
    assert main(command(tmp_path / 'in', tmp_path / 'out', quick, '--no-table', *more)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('segment_bags: ') and reason in error


def test_no_bags_or_two_runs_on_one_output_are_errors(tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    assert main(command(tmp_path / 'in', tmp_path / 'out', quick)) == 2
    assert 'no bags in' in capsys.readouterr().err
    write_street_bag(tmp_path / 'in/a', 1)
    (tmp_path / 'out').mkdir()
    with open(tmp_path / 'out/.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(command(tmp_path / 'in', tmp_path / 'out', quick)) == 2
    assert 'another process' in capsys.readouterr().err


def test_neither_help_nor_the_driver_loads_ros_or_ray() -> None:
    code = ('import sys, fanet_ros.tools.segment_bags.command as c; c._parser(); assert "torch" not in sys.modules; '
            'import fanet_ros.tools.segment_bags.run; sys.exit(bool({"ray", "pyarrow", "rclpy"} & set(sys.modules)))')
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
