# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Archive and output on an S3 server: what is read and how often, how errors look, and what is left after a kill."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from object_store import ObjectStore, files, messages, object_store, put
from rosbags.rosbag2 import StoragePlugin, Writer
from street_bags import IMAGE, STORE, street_image, write_street_bag

from fanet_ros.bags.reader import BagReader
from fanet_ros.inference import SegmenterOptions
from fanet_ros.model import resolve_checkpoint
from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE, file_sha256
from fanet_ros.tools.segment_bags.jobs import Assemble, Bag, Begin, Segment, Segmented, Settings
from fanet_ros.tools.segment_bags.worker import Worker

Expected = Callable[[int], list[tuple[str, int, bytes]]]
ARCHIVE, OUTPUT = 's3://archive/in', 's3://archive/out'


@pytest.fixture(name='store')
def store_fixture() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


def command(tmp_path: Path, quick: list[str], *more: str, source: str = ARCHIVE, output: str = OUTPUT) -> list[str]:
    return [source, '--output', output, '--work', str(tmp_path / 'work'), '--unit', '40', '--threads', '1', *quick, *more]


def report() -> dict[str, Any]:
    found = json.loads(files().cat_file(f'{OUTPUT}/report.json'))
    assert isinstance(found, dict)
    return found


def test_a_unit_reads_only_its_part(tmp_path: Path, store: ObjectStore) -> None:
    size = put(write_street_bag(tmp_path / 'long', 400), f'{ARCHIVE}/long')
    path = resolve_checkpoint('fanet18_camvid')
    options = SegmenterOptions(device='cpu', engine='torch', input_height=64, input_width=96, num_threads=1)
    worker = Worker(Settings(str(path), 'fanet18_camvid', file_sha256(path), options, (), 'input', False, False, 'key', 40))
    bag = Bag(f'{ARCHIVE}/long', f'{OUTPUT}/long', 'long', partial=str(tmp_path / 'work'))
    units = worker.run(Begin(bag)).result.units
    store.forget()
    assert worker.run(Segment(bag, units[5])).result == Segmented(40, 40)
    assert store.bytes_sent < 0.5 * size and len(store.requests) <= 8       # two or three chunks of 1 MB, the first one, the index

    def remove(method: str, path: str) -> None:
        if [path for _, path, _ in store.requests].count('/archive/in/long/long.mcap') == 3:
            store.before = lambda method, path: None
            files().rm_file(f'{ARCHIVE}/long/long.mcap')
    store.forget()
    store.before = remove
    error = worker.run(Segment(bag, units[6])).error
    assert error.startswith(f'{ARCHIVE}/long/long.mcap: ') and error.endswith('and whether it was removed meanwhile')
    assert f'{ARCHIVE}/long/long.mcap' in worker.run(Assemble(bag)).error


def test_a_topic_reads_only_its_part(tmp_path: Path, store: ObjectStore) -> None:
    images = [street_image(number, height=640, width=640) for number in range(2)]
    with Writer(tmp_path / 'two', version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        cameras = [writer.add_connection(topic, IMAGE, typestore=STORE) for topic in ('/left', '/right')]
        for number in range(10):
            writer.write(cameras[number % 2], number, STORE.serialize_cdr(images[number % 2], IMAGE))
    size = put(tmp_path / 'two', f'{ARCHIVE}/two')
    store.forget()
    with BagReader(f'{ARCHIVE}/two') as reader:
        assert len(list(reader.messages(reader.select(['/right'])))) == 5
    assert 0.5 * size < store.bytes_sent < 0.55 * size and len(store.requests) == 4 + 5


def test_few_requests_and_the_marker_comes_last(tmp_path: Path, store: ObjectStore, quick: list[str], expected: Expected) -> None:
    for number in range(3):
        put(write_street_bag(tmp_path / f'in/{number}', 3), f'{ARCHIVE}/{number}')
    store.forget()
    assert main(command(tmp_path, quick)) == 0
    assert [messages(f'{OUTPUT}/{number}') for number in range(3)] == [expected(3)] * 3
    of_a_bag = [(method, path) for method, path, _ in store.requests if '/in/1' in path or '/out/1' in path or '%2F1' in path]
    uploads = [path.rpartition('/')[2] for method, path in of_a_bag if method == 'PUT']
    assert len(of_a_bag) < 30 and uploads[-1] == DONE and uploads[0] == 'segment_bags.uploading'
    store.forget()
    assert main(command(tmp_path, quick)) == 0 and report()['bags_skipped'] == 3
    assert [method for method, path, _ in store.requests if not path.endswith('report.json')] == ['GET'] * 3


@pytest.mark.parametrize(('source', 'output', 'variables', 'reason'), [
    ('s3://none/in', OUTPUT, {}, 's3://none/in: The specified bucket does not exist; check the name'),
    (ARCHIVE, 's3://none/out', {}, 's3://none/out: The specified bucket does not exist; check the name'),
    (ARCHIVE, OUTPUT, {'AWS_ACCESS_KEY_ID': '', 'AWS_SECRET_ACCESS_KEY': ''}, 'Unable to locate credentials; log in'),
    (ARCHIVE, OUTPUT, {'AWS_ENDPOINT_URL': 'http://127.0.0.1:9'}, 'check network, region and address (AWS_ENDPOINT_URL)'),
    (ARCHIVE, 's3://locked/out', {}, 'check what these credentials may read and write')])
def test_a_store_that_refuses_gives_one_line_with_the_reason(
        tmp_path: Path, store: ObjectStore, quick: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
        source: str, output: str, variables: dict[str, str], reason: str) -> None:
    put(write_street_bag(tmp_path / 'in/a', 1), f'{ARCHIVE}/a')
    lock('locked', '*')
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    type(files()).clear_instance_cache()
    assert main(command(tmp_path, quick, '--no-table', source=source, output=output)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('segment_bags: ') and reason in error


def lock(bucket: str, names: str) -> None:
    """Make a bucket in which nobody may write objects with these names."""
    files().mkdir(bucket)
    deny = {'Effect': 'Deny', 'Principal': '*', 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{bucket}/{names}'}
    files().call_s3('put_bucket_policy', Bucket=bucket, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [deny]}))


def test_a_bag_that_cannot_be_written_fails_alone(
        tmp_path: Path, store: ObjectStore, quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for name in 'ab':
        put(write_street_bag(tmp_path / 'in' / name, 1), f'{ARCHIVE}/{name}')
    lock('partly', 'out/a/*')
    assert main(command(tmp_path, quick, output='s3://partly/out')) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith('a: failed: s3://partly/out/a/') and 'check what these' in line]
    assert files().exists(f's3://partly/out/b/{DONE}') and not files().exists('s3://partly/out/a')


@pytest.mark.parametrize('at', ['/archive/in/long/long.mcap', '/archive/out/long/metadata.yaml', f'/archive/out/long/{DONE}'])
def test_the_same_command_completes_a_bag_after_a_kill(
        tmp_path: Path, store: ObjectStore, quick: list[str], expected: Expected, at: str) -> None:
    put(write_street_bag(tmp_path / 'in/long', 100), f'{ARCHIVE}/long')
    seen = []

    def kill(method: str, path: str) -> None:
        seen.append(path)
        if path == at and seen.count(path) == (5 if '/in/' in at else 1):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    arguments = command(tmp_path, quick)
    store.before = kill
    process = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments], stderr=subprocess.DEVNULL)
    assert process.wait(180) == -signal.SIGKILL
    store.before = lambda method, path: None
    if '/out/' in at:       # as if the last request had been lost with the process
        files().rm_file(f's3:/{at}')
    assert not files().exists(f'{OUTPUT}/long/{DONE}') and not files().exists(f'{OUTPUT}/report.json')
    assert main(arguments) == 0
    assert messages(f'{OUTPUT}/long') == expected(100) and report()['masks'] == 100
    assert report()['segmented_now'] == 0 or '/in/' in at
    assert not files().glob(f'{OUTPUT}/**/*.uploading') and not list((tmp_path / 'work').rglob('*.partial'))
