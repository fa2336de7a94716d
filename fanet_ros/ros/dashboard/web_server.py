# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The web server: the page's files, its WebSocket, and the HTTP API that controls the node."""
from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Mapping

from aiohttp import WSCloseCode, web

from fanet_ros.package_share import share_directory
from fanet_ros.ros.dashboard.access import COOKIE_AGE_S, HEADERS, Access
from fanet_ros.ros.dashboard.dashboard_node import DashboardNode
from fanet_ros.ros.dashboard.node_link import TRANSITIONS, NodeError
from fanet_ros.ros.dashboard.parameter_forms import params_file
from fanet_ros.ros.dashboard.recording import BagRecorder, RecordingError
from fanet_ros.ros.dashboard.status_board import StatusBoard
from fanet_ros.ros.dashboard.viewer import Viewer, Wakeup

PAGE = Path(__file__).with_name('page')
TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml'}
MAX_BODY_BYTES = 64 * 1024
MAX_VIEWERS = 200
END_WITHIN_S = 2.0
READ_ONLY = 'this dashboard is read-only: start it with allow_changes:=true to control the node from it'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """Serves the dashboard of `node` to browsers.

    :param wakeup: wakes the viewers when there is something new
    """

    def __init__(self, node: DashboardNode, recorder: BagRecorder, wakeup: Wakeup) -> None:
        self._node, self._recorder, self._wakeup = node, recorder, wakeup
        self._settings = node.settings
        self._access = Access(self._settings.is_local, self._settings.token)
        self._board = StatusBoard(self._status)
        self._viewers: set[web.WebSocketResponse] = set()
        self._names = {path.name for path in PAGE.iterdir() if path.suffix in TYPES}
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._close_viewers)
        app.add_routes([
            web.get('/', self._file), web.get('/page/{name}', self._file), web.get('/stream', self._stream),
            web.get('/api/parameters', self._parameters), web.post('/api/parameters', self._set_parameters),
            web.get('/api/params.yaml', self._params_file), web.post('/api/lifecycle', self._lifecycle),
            web.post('/api/record', self._record)])
        # No access log: the first request carries the token.
        self._runner = web.AppRunner(app, access_log=None)
        self._port = self._settings.port

    @property
    def link(self) -> str:
        """URL of the page, with the token if one is required."""
        name = self._settings.address
        if self._settings.is_local:
            name = 'localhost' if name == '127.0.0.1' else name
        elif name in ('0.0.0.0', '::'):
            name = own_address()
        host = f'[{name}]' if ':' in name else name
        return f'http://{host}:{self._port}/' + (f'?token={self._access.token}' if self._access.token else '')

    @property
    def has_token(self) -> bool:
        """Whether the link contains a token, and so must be kept secret."""
        return bool(self._access.token)

    async def start(self) -> None:
        """Start listening.

        :raises OSError: the port is in use, or the address does not belong to this machine; says what to do
        """
        await self._runner.setup()
        address, port = self._settings.address, self._settings.port
        site = web.TCPSite(self._runner, address, port)
        try:
            await site.start()
        except OSError as error:
            raise OSError(f'cannot listen on {address} port {port} ({error.strerror or error}): another dashboard may be '
                          'running; choose another with -p port:=8766') from None
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        try:
            await asyncio.wait_for(self._runner.cleanup(), END_WITHIN_S)
        except asyncio.TimeoutError:        # a request still waiting for the node; the process is ending anyway
            pass

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        cookie = f'fanet_ros_{self._port}'      # browsers share the cookies of a host among its ports
        in_link = request.query.get('token')
        refusal = self._access.refusal(request.headers.get('Host'), request.headers.get('Origin'),
                                       in_link or request.cookies.get(cookie))
        if refusal is not None:
            status, reason = refusal
            return web.Response(status=status, text=f'{reason}\n')
        if in_link and self._access.token and request.method == 'GET':
            response = web.Response(status=303, headers={'Location': '/'})      # removes the token from the address bar
            response.set_cookie(cookie, in_link, max_age=COOKIE_AGE_S, httponly=True, samesite='Lax', path='/')
            return response
        try:
            return await handler(request)
        except (NodeError, RecordingError) as error:
            return web.json_response({'error': str(error)}, status=web.HTTPServiceUnavailable.status_code)
        except web.HTTPException as error:
            return web.json_response({'error': error.text or error.reason}, status=error.status)

    def _status(self) -> dict[str, Any]:
        return {**self._node.status(), 'allow_changes': self._settings.allow_changes,
                'recording': self._recorder.status(), 'viewers': len(self._viewers)}

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info.get('name', 'index.html')
        if name not in self._names:
            raise web.HTTPNotFound()
        path = PAGE / name
        return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset='utf-8')

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._viewers) >= MAX_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f'{MAX_VIEWERS} browsers are connected already')
        return await Viewer(self._node, self._board, self._wakeup).serve(request, self._viewers)

    async def _parameters(self, request: web.Request) -> web.Response:
        shipped = sorted(path.stem for path in (share_directory() / 'weights').glob('*.safetensors'))
        return web.json_response({'parameters': await self._node.link.parameters(), 'checkpoints': shipped})

    async def _set_parameters(self, request: web.Request) -> web.Response:
        """Set parameters; answers 200 whether the node applied or refused them."""
        values = await self._json_body(request)
        try:
            result = await self._node.link.set_parameters(values)
        except ValueError as error:
            return web.json_response({'applied': False, 'reason': str(error)})
        if result.successful:
            changes = ', '.join(f'{name}={value!r}' for name, value in values.items())
            self._node.get_logger().info(f'set from the page: {changes}')
        return web.json_response({'applied': result.successful, 'reason': result.reason})

    async def _params_file(self, request: web.Request) -> web.Response:
        parameters = await self._node.link.parameters()
        made = f'written by its dashboard at {datetime.now():%Y-%m-%d %H:%M:%S}'
        return web.Response(
            text=params_file(self._node.target, parameters, made), content_type='application/yaml',
            headers={'Content-Disposition': 'attachment; filename="segmentation.param.yaml"'})

    async def _lifecycle(self, request: web.Request) -> web.Response:
        transition = (await self._json_body(request)).get('transition')
        if not isinstance(transition, str) or transition not in TRANSITIONS:
            raise web.HTTPBadRequest(text=f'transition: expected one of {", ".join(TRANSITIONS)}, got {transition!r:.40}')
        await self._node.link.change_state(transition)
        self._node.get_logger().info(f'{transition} from the page')
        return web.json_response({'state': self._node.link.state})

    async def _record(self, request: web.Request) -> web.Response:
        action = (await self._json_body(request)).get('action')
        if action not in ('start', 'stop'):
            raise web.HTTPBadRequest(text=f'action: expected start or stop, got {action!r:.40}')
        if action == 'start':
            await self._recorder.start(self._node.recorded_topics(), self._node.get_parameter('use_sim_time').value)
        else:
            await self._recorder.stop()
        return web.json_response(self._recorder.status())

    async def _json_body(self, request: web.Request) -> Mapping[str, Any]:
        """The JSON object in the body of a request that changes something."""
        if not self._settings.allow_changes:
            raise web.HTTPForbidden(text=READ_ONLY)
        if request.content_type != 'application/json':      # forms of other sites cannot send this type
            raise web.HTTPUnsupportedMediaType(text='expected application/json')
        try:
            content = json.loads(await request.text())
        except (ValueError, LookupError, RecursionError):        # LookupError: an unknown charset
            raise web.HTTPBadRequest(text='expected JSON') from None
        if not isinstance(content, dict) or not content:
            raise web.HTTPBadRequest(text='expected a JSON object that is not empty')
        return content

    async def _close_viewers(self, app: web.Application) -> None:
        for viewer in set(self._viewers):
            await viewer.close(code=WSCloseCode.GOING_AWAY, message=b'the dashboard is shutting down')


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def own_address() -> str:
    """Best guess of the address by which others reach this machine; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))     # documentation network (RFC 5737): only looks up the route
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
