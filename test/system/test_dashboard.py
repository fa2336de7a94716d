# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard's server over real HTTP and DDS, without a browser: access control, invalid requests, load."""
from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
aiohttp = pytest.importorskip('aiohttp')

import yaml  # noqa: E402
from builtin_interfaces.msg import Time  # noqa: E402
from fanet_ros.msg import FrameTiming  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from fanet_ros.ros.dashboard.wire import unpack  # noqa: E402

TIMEOUT_S = 120.0
LINK = re.compile(r'open http://([^/\s]+)/(?:\?token=(\S+))?')


def link_of(client: Any, process: Any) -> tuple[str, str]:
    """Host with port, and token ('' if none), as the dashboard prints them."""
    client.wait_for(lambda: LINK.search(process.log), 'its link', process)
    host, token = LINK.search(process.log).groups()
    return host, token or ''


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single image, which the camera publishes repeatedly."""
    folder = tmp_path_factory.mktemp('images')
    noise = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / 'one.png'), cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC))
    return folder


@pytest.fixture(name='host', scope='module')
def host_fixture(client: Any, start_executable: Callable[..., Any], start_segmentation: Callable[..., Any], folder: Path,
                 tmp_path_factory: pytest.TempPathFactory) -> str:
    """Host and port of a dashboard with a running camera and node."""
    start_executable('camera_node', '--ros-args', '-p', f'source:={folder}', '-p', 'rate_hz:=8.0')
    start_segmentation()
    dashboard = start_executable('dashboard', '--ros-args', '-p', 'port:=0', '-p',
                                 f'record_folder:={tmp_path_factory.mktemp("bags")}')
    return link_of(client, dashboard)[0]


def run(action: Callable[[aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    """Run a coroutine with an HTTP session; returns its result."""
    async def act() -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
            return await asyncio.wait_for(action(session), TIMEOUT_S)
    return asyncio.run(act())


def get(url: str, **headers: str) -> tuple[int, str]:
    async def act(session: aiohttp.ClientSession) -> tuple[int, str]:
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()
    return run(act)


def post(url: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    async def act(session: aiohttp.ClientSession) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        async with session.post(url, data=data, headers={'Content-Type': 'application/json', **headers}) as answer:
            return answer.status, await answer.json(content_type=None)
    return run(act)


async def ask(stream: aiohttp.ClientWebSocketResponse, **query: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    await stream.send_str(json.dumps({'layers': ['camera', 'mask'], **query}))
    return unpack(await stream.receive_bytes())


async def ask_until(stream: aiohttp.ClientWebSocketResponse, holds: Callable[[dict, dict], bool], **query: Any) -> Any:
    """Query repeatedly, like a page, until `holds` accepts an answer; returns it."""
    have = {'frame': -1, 'timing': -1, 'status': -1}
    while True:
        content, files = await ask(stream, **{**have, **query})
        if holds(content, files):
            return content, files
        have = {'frame': (content['frame'] or {}).get('sequence', have['frame']), 'timing': content['timing'],
                'status': content['status_version']}


def first_frame(host: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            return await ask_until(stream, lambda content, files: {'camera', 'mask'} <= files.keys())
    return run(act)


def test_a_viewer_gets_camera_and_mask_of_one_frame_with_timing_and_classes(host: str) -> None:
    content, files = first_frame(host)
    assert (content['frame']['width'], content['frame']['height']) == (160, 120)
    for layer in ('camera', 'mask'):
        assert cv2.imdecode(np.frombuffer(files[layer], np.uint8), cv2.IMREAD_UNCHANGED).shape[:2] == (120, 160)

    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            with_rows, _ = await ask_until(stream, lambda content, files: bool(content['rows']))
            with_classes, _ = await ask_until(
                stream, lambda content, files: content['status'] and content['status']['cameras'][0]['class_map'], status=-1)
            return with_rows['rows'][-1], with_classes['status']
    row, status = run(act)
    assert row[11:13] == [96, 128] and row[6] > 0
    assert status['node'] == '/segmentation' and status['state'] == 'active' and status['allow_changes']
    assert status['cameras'][0]['image_topic'] == '/image'
    assert 'road' in [item['name'] for item in status['cameras'][0]['class_map']['classes']]


def test_without_a_viewer_nobody_subscribes(host: str, client: Any) -> None:
    topics = ('/segmentation/mask', '/segmentation/timing', '/segmentation/class_map')
    first_frame(host)
    client.wait_for(lambda: not any(map(client.node.count_subscribers, topics)), 'no subscriber of the dashboard')


@pytest.mark.parametrize('headers', [{'Host': 'evil.example'}, {'Host': 'evil.example:8765'}, {'Origin': 'http://evil.example'}])
def test_other_sites_are_refused_on_every_route(host: str, headers: dict[str, str]) -> None:
    for path in ('/', '/page/main.js', '/api/parameters', '/api/params.yaml', '/stream'):
        assert get(f'http://{host}{path}', **headers)[0] in (403, 421)

    async def act(session: aiohttp.ClientSession) -> int:
        async with session.post(f'http://{host}/api/parameters', data='{"lazy": false}',
                                headers={'Content-Type': 'application/json', **headers}) as answer:
            return answer.status
    assert run(act) in (403, 421)


def test_security_headers_allow_only_what_the_page_needs(host: str) -> None:
    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.get(f'http://{host}/') as page, session.get(f'http://{host}/none') as missing:
            return page.headers, missing.headers
    for headers in run(act):
        assert "default-src 'none'" in headers['Content-Security-Policy']
        assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
        assert headers['X-Content-Type-Options'] == 'nosniff' and 'Access-Control-Allow-Origin' not in headers


@pytest.mark.parametrize('path', ['/page/..%2f..%2fdashboard.py', '/page/none.js', '/dashboard.py', '/page/', '/page/%00'])
def test_only_files_of_the_page_are_served(host: str, path: str) -> None:
    from yarl import URL
    assert get(URL(f'http://{host}{path}', encoded=True))[0] == 404


@pytest.mark.parametrize(('body', 'status', 'reason'), [
    ('{', 400, 'JSON'), ('[]', 400, 'JSON object'), ('{}', 400, 'JSON object'), (b'\xff\xfe', 400, ''), ('[' * 10000, 400, 'JSON'),
    ('x' * 100000, 413, '')])
def test_an_invalid_request_body_is_refused(host: str, body: Any, status: int, reason: str) -> None:
    answered, content = post(f'http://{host}/api/parameters', body)
    assert answered == status and reason in content['error']
    assert post(f'http://{host}/api/parameters', '{"lazy": true}', **{'Content-Type': 'text/plain'})[0] == 415
    assert post(f'http://{host}/api/parameters', '{"lazy": true}', **{'Content-Type': 'application/json; charset=no'})[0] == 400
    for transition in ([], {}, None, 'explode'):
        answered, content = post(f'http://{host}/api/lifecycle', {'transition': transition})
        assert answered == 400 and 'expected one of configure' in content['error']


def test_a_change_is_applied_or_refused_with_the_nodes_reason(host: str, client: Any) -> None:
    url = f'http://{host}/api/parameters'
    first_frame(host)
    assert post(url, {'min_confidence': 0.25}) == (200, {'applied': True, 'reason': ''})
    assert client.get_parameters('/segmentation', 'min_confidence') == [0.25]
    for order, reason in (({'checkpoint': 'none'}, "checkpoint 'none' not found"), ({'min_confidence': 2}, 'min_confidence'),
                          ({'min_confidence': 'high'}, 'expected a number'), ({'no_such': 1}, 'no parameter no_such'),
                          ({'device': 'cuda'}, 'device'), ({'min_confidence': 0.5, 'engine': 'abacus'}, 'engine')):
        status, answer = post(url, order)
        assert status == 200 and not answer['applied'] and reason in answer['reason'], answer
    assert client.get_parameters('/segmentation', 'min_confidence') == [0.25]
    assert post(url, {'min_confidence': 0})[1]['applied']


def test_the_params_file_contains_the_current_values(host: str) -> None:
    assert post(f'http://{host}/api/parameters', {'overlay_alpha': 0.75})[1]['applied']
    status, text = get(f'http://{host}/api/params.yaml')
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert status == 200 and values['overlay_alpha'] == 0.75 and values['cameras'] == [''] and 'use_sim_time' not in values


def test_the_lifecycle_is_switched(host: str, client: Any) -> None:
    url = f'http://{host}/api/lifecycle'
    assert post(url, {'transition': 'deactivate'}) == (200, {'state': 'inactive'})
    assert client.state('/segmentation') == 'inactive'
    status, answer = post(url, {'transition': 'cleanup'})
    assert status == 200 and answer['state'] == 'unconfigured'
    status, answer = post(url, {'transition': 'activate'})
    assert status == 503 and 'cannot activate' in answer['error']
    assert post(url, {'transition': 'shutdown'})[0] == 400
    assert post(url, {'transition': 'configure'})[1] == {'state': 'inactive'}
    assert post(url, {'transition': 'activate'})[1] == {'state': 'active'}


def test_a_bag_is_recorded_and_completed(host: str) -> None:
    from rosbags.rosbag2 import Reader
    first_frame(host)
    status, begun = post(f'http://{host}/api/record', {'action': 'start'})
    assert status == 200 and begun['is_recording']
    assert 'stop it first' in post(f'http://{host}/api/record', {'action': 'start'})[1]['error']

    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            return await ask_until(
                stream, lambda content, files: content['status'] and content['status']['recording']['megabytes'] > 0)
    run(act)
    ended = post(f'http://{host}/api/record', {'action': 'stop'})[1]
    assert not ended['is_recording'] and ended['megabytes'] > 0 and 'complete' in ended['outcome']
    with Reader(begun['bag']) as bag:
        assert {'/image', '/segmentation/mask', '/segmentation/timing', '/segmentation/class_map'} <= set(bag.topics)


def test_a_bag_is_recorded_in_the_dashboards_time(
        host: str, client: Any, start_executable: Callable[..., Any], tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader
    dashboard = start_executable('dashboard', '--ros-args', '-p', 'port:=0', '-p', f'record_folder:={tmp_path}',
                                 '-p', 'use_sim_time:=true')
    other_host = link_of(client, dashboard)[0]
    first_frame(other_host)
    assert post(f'http://{other_host}/api/record', {'action': 'start'})[0] == 200
    clock = client.node.create_publisher(Clock, '/clock', 1)

    def is_recording() -> bool:
        clock.publish(Clock(clock=Time(sec=77)))
        return 'recorder' in [info.node_name for info in client.node.get_subscriptions_info_by_topic('/segmentation/timing')]
    client.wait_for(is_recording, 'the recorder to subscribe')
    timings = client.collect(FrameTiming, '/segmentation/timing')
    client.wait_for(lambda: len(timings) >= 5, 'some frames')
    ended = post(f'http://{other_host}/api/record', {'action': 'stop'})[1]
    with Reader(ended['bag']) as bag:
        stamps = {stamp for _, stamp, _ in bag.messages()}
    assert stamps == {77 * 10**9}


def test_each_of_several_cameras_is_shown_and_recorded_whatever_its_topic_is_called(
        client: Any, start_executable: Callable[..., Any], start_segmentation: Callable[..., Any], folder: Path,
        tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader
    eyes = {'front': '/eye_1', 'left': '/eye_2'}
    for name, topic in eyes.items():
        start_executable('camera_node', '--ros-args', '-r', f'__node:={name}_camera', '-r', f'image:={topic}', '-p',
                         f'source:={folder}', '-p', 'rate_hz:=4.0')
    start_segmentation('cameras:=[front,left]', rules=['__node:=pair', *(f'{name}/image:={topic}' for name, topic in eyes.items())])
    host = link_of(client, start_executable('dashboard', '--ros-args', '-p', 'port:=0', '-p', 'node:=pair', '-p',
                                            f'record_folder:={tmp_path}'))[0]

    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            # Nobody looks at `left`, so the node does not subscribe to that camera.
            await ask_until(stream, lambda content, files: {'camera', 'mask'} <= files.keys(), camera='front')
            status = (await ask(stream, camera='front'))[0]['status']
            assert {item['name']: item['image_topic'] for item in status['cameras']} == eyes
            async with session.post(f'http://{host}/api/record', json={'action': 'start'}) as begun:
                assert begun.status == 200
            await ask_until(stream, lambda content, files: {'camera', 'mask'} <= files.keys(), camera='left')
    run(act)
    masks = client.collect(Image, '/pair/left/mask')
    client.wait_for(lambda: len(masks) >= 5, 'some masks')
    ended = post(f'http://{host}/api/record', {'action': 'stop'})[1]
    with Reader(ended['bag']) as bag:
        assert {*eyes.values(), '/pair/front/mask', '/pair/left/mask'} <= {
            topic for topic, content in bag.topics.items() if content.msgcount}


def test_invalid_queries_are_answered_and_then_the_connection_is_closed(host: str) -> None:
    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            for text in ('{', '{"layers": ["depth"]}'):
                await stream.send_str(text)
                assert 'expected' in unpack(await stream.receive_bytes())[0]['error']
            await stream.send_bytes(b'\0\1')
            await stream.receive_bytes()
            ends = await stream.receive()
        async with session.ws_connect(f'http://{host}/stream') as stream:
            await stream.send_str('{"camera": "' + 'x' * 5000 + '"}')
            too_long = await stream.receive()
        return ends.data, too_long.data
    assert run(act) == (1008, 1009)
    first_frame(host)


def test_fifty_viewers_get_the_newest_frames_despite_one_that_never_reads(host: str) -> None:
    async def look(session: aiohttp.ClientSession) -> list[int]:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            frames: list[int] = []
            while len(frames) < 3:
                content, _ = await ask_until(
                    stream, lambda content, files: content['frame'] is not None, frame=frames[-1] if frames else -1)
                frames.append(content['frame']['sequence'])
            return frames

    async def act(session: aiohttp.ClientSession) -> Any:
        reader, writer = await asyncio.open_connection(*host.split(':'))
        writer.write(f'GET /stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                     'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'.encode())
        await reader.readuntil(b'\r\n\r\n')
        query = b'{"layers":["camera","mask"]}'
        for _ in range(2000):       # WebSocket frames with a zero mask, all sent at once
            writer.write(bytes([0x81, 0x80 | len(query), 0, 0, 0, 0]) + query)
        unbounded = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with unbounded:
                return await asyncio.gather(*(look(unbounded) for _ in range(50)))
        finally:
            writer.transport.abort()
    for frames in run(act):
        assert frames == sorted(set(frames))


def test_a_browser_that_disconnects_mid_frame_leaves_nothing_behind(host: str) -> None:
    async def act(session: aiohttp.ClientSession) -> None:
        for _ in range(20):
            stream = await session.ws_connect(f'http://{host}/stream')
            await stream.send_str('{"layers": ["camera", "mask", "confidence"]}')
            stream._response.connection.transport.abort()
    run(act)

    async def viewers(session: aiohttp.ClientSession) -> Any:
        async with session.ws_connect(f'http://{host}/stream') as stream:
            return await ask_until(stream, lambda content, files: content['status'] and content['status']['viewers'] == 1)
    run(viewers)


def test_beyond_loopback_the_token_is_required_and_access_is_read_only(
        client: Any, start_executable: Callable[..., Any]) -> None:
    dashboard = start_executable('dashboard', '--ros-args', '-p', 'port:=0', '-p', 'address:=0.0.0.0')
    host, token = link_of(client, dashboard)
    base = f'http://127.0.0.1:{host.rpartition(":")[2]}'
    assert len(token) >= 32 and dashboard.log.count(token) == 1
    for path in ('/', '/page/main.js', '/api/parameters', '/stream', '/?token=wrong', f'/?token={token[:-1]}'):
        assert get(base + path)[0] == 401

    async def act(session: aiohttp.ClientSession) -> Any:
        async with session.get(f'{base}/?token={token}', allow_redirects=False) as opened:
            cookie = opened.headers['Set-Cookie']
            assert opened.status == 303 and opened.headers['Location'] == '/'
            assert 'HttpOnly' in cookie and 'SameSite=Lax' in cookie
        headers = {'Cookie': cookie.partition(';')[0], 'Content-Type': 'application/json'}
        async with session.get(f'{base}/', headers=headers) as page:
            assert page.status == 200 and 'fanet_ros' in await page.text()
        async with session.post(f'{base}/api/parameters', data='{"lazy": false}', headers=headers) as order:
            return order.status, (await order.json())['error']
    status, reason = run(act)
    assert status == 403 and 'allow_changes:=true' in reason
    assert dashboard.stop() == 0 and dashboard.log.count(token) == 1


@pytest.mark.parametrize(('arguments', 'reason'), [
    (('address:=robot.local',), 'expected an IP address'), (('token_file:=/none',), 'token_file'), (('port:=70000',), 'port'),
    (('address:=192.0.2.1',), 'cannot listen on 192.0.2.1')])
def test_invalid_settings_are_refused_in_one_line(
        start_executable: Callable[..., Any], arguments: tuple[str, ...], reason: str) -> None:
    process = start_executable('dashboard', '--ros-args', '-p', 'port:=0', *(part for text in arguments for part in ('-p', text)))
    assert process.wait() == 1
    lines = process.log.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith('dashboard: ') and reason in lines[0]


def test_a_port_in_use_is_reported_with_the_remedy(start_executable: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        process = start_executable('dashboard', '--ros-args', '-p', f'port:={taken.getsockname()[1]}')
        assert process.wait() == 1
    assert 'in use' in process.log and 'choose another with -p port:=' in process.log and process.log.count('\n') == 1


def test_either_signal_ends_it_at_once_with_a_viewer_connected(client: Any, start_executable: Callable[..., Any]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        dashboard = start_executable('dashboard', '--ros-args', '-p', 'port:=0', '-p', 'node:=/nobody')
        host, _ = link_of(client, dashboard)

        async def act(session: aiohttp.ClientSession) -> Any:
            async with session.ws_connect(f'http://{host}/stream') as stream:
                content, _ = await ask_until(stream, lambda content, files: content['status'] is not None)
                dashboard._process.send_signal(number)
                while (message := await stream.receive()).type == aiohttp.WSMsgType.BINARY:
                    pass
                return content['status']['hint'], message.data
        hint, code = run(act)
        assert hint.startswith('Waiting for /nobody') and code == 1001
        assert dashboard.wait() == 0
