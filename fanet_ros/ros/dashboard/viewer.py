# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The WebSocket of one browser: a query, its answer, then the next query."""
from __future__ import annotations

import asyncio
import time
from typing import Any, Optional

from aiohttp import WSMsgType, web

from fanet_ros.ros.dashboard.dashboard_node import DashboardNode
from fanet_ros.ros.dashboard.status_board import StatusBoard
from fanet_ros.ros.dashboard.wire import MAX_QUERY_BYTES, Blob, Query, pack

ANSWER_WITHIN_S = 1.0       # even if nothing is new: tells the page that the dashboard is alive
QUIET_S = 0.25              # interval of answers that carry only timing or status
SEND_WITHIN_S = 30.0        # a browser that does not read its answer within this time is disconnected
HEARTBEAT_S = 20.0
MAX_FAULTS = 3              # invalid queries before the connection is closed


class Wakeup:
    """Wakes all waiting viewers when something is new. For the thread of the event loop only."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake_all(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next wake_all(), or after `timeout_s`."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except asyncio.TimeoutError:
            pass


class Viewer:
    """Answers the queries of one browser."""

    def __init__(self, node: DashboardNode, board: StatusBoard, wakeup: Wakeup) -> None:
        self._node, self._board, self._wakeup = node, board, wakeup
        self._sent: tuple[str, int] = '', -1        # camera and frame: no frame is sent twice, whatever the query says

    async def serve(self, request: web.Request, present: set[web.WebSocketResponse]) -> web.WebSocketResponse:
        """Serve the connection until it closes; it is in `present` while it is open."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_QUERY_BYTES, compress=False)
        await socket.prepare(request)
        present.add(socket)
        faults = 0
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    if message.type == WSMsgType.BINARY:
                        faults = await self._refuse(socket, faults, 'expected a query as text')
                    continue
                received_ms = time.time() * 1e3
                try:
                    query = Query.parse(message.data)
                except ValueError as error:
                    faults = await self._refuse(socket, faults, str(error))
                    continue
                self._node.audience.asked(self, query)
                answer = await self._answer(query, received_ms)
                await asyncio.wait_for(socket.send_bytes(answer), SEND_WITHIN_S)
        except (ConnectionError, asyncio.TimeoutError):
            pass            # disconnected, perhaps in the middle of an answer
        finally:
            present.discard(socket)
            self._node.audience.left(self)
        return socket

    async def _refuse(self, socket: web.WebSocketResponse, faults: int, reason: str) -> int:
        faults += 1
        if faults == 1:
            self._node.get_logger().warning(f'invalid query from a browser: {reason}')
        await asyncio.wait_for(socket.send_bytes(pack({'error': reason})), SEND_WITHIN_S)
        if faults >= MAX_FAULTS:
            await socket.close(code=1008, message=b'too many invalid queries')
        return faults

    async def _answer(self, query: Query, received_ms: float) -> bytes:
        """Wait for something new, at most ANSWER_WITHIN_S, and return the packed answer."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            feed = self._node.feeds.get(query.camera)
            spent_s = loop.time() - begun
            if feed is not None and query.layers and feed.hub.has_newer(self._has(query)):
                frame, blobs = await feed.hub.images(query.layers)
                if frame is not None and frame.sequence != self._has(query):
                    self._sent = query.camera, frame.sequence
                    return self._pack(query, received_ms, _frame(frame), blobs)
            has_rows = feed is not None and bool(feed.timing.since(query.timing)[1])
            is_new = has_rows or self._board.version != query.status
            if spent_s >= (QUIET_S if is_new else ANSWER_WITHIN_S):
                return self._pack(query, received_ms, None, [])
            await self._wakeup.wait(QUIET_S if is_new else min(QUIET_S, ANSWER_WITHIN_S - spent_s))

    def _has(self, query: Query) -> int:
        return self._sent[1] if self._sent[0] == query.camera else query.frame

    def _pack(self, query: Query, received_ms: float, frame: Optional[dict[str, Any]],
              blobs: list[Blob]) -> bytes:
        feed = self._node.feeds.get(query.camera)
        count, rows = (0, []) if feed is None else feed.timing.since(query.timing)
        status = self._board.read()
        return pack({
            'camera': query.camera, 'frame': frame, 'timing': count, 'rows': rows,
            'status_version': self._board.version,
            'status': status if self._board.version != query.status else None, 'sent_ms': query.sent_ms,
            'received_ms': received_ms, 'answered_ms': time.time() * 1e3}, blobs)


def _frame(frame: Any) -> dict[str, Any]:
    mask = frame.parts['mask']
    return {'sequence': frame.sequence, 'stamp_ms': frame.stamp_ns / 1e6, 'width': mask.width, 'height': mask.height,
            'frame_id': mask.header.frame_id}
