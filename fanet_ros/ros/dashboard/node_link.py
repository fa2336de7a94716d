# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Client of the segmentation node's parameter and lifecycle services."""
from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Mapping, Optional

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParametersAtomically
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from fanet_ros.error_text import error_text
from fanet_ros.ros.common.silence import full_name
from fanet_ros.ros.dashboard.parameter_forms import describe, plain_value, to_parameter

ANSWER_S = 10.0         # for calls that an idle node answers immediately
CHANGE_S = 300.0        # a model may have to be built, calibrated and warmed up
PRESENCE_S = 1.0        # how often to check, while waiting, that the node is still there
TRANSITIONS = {'configure': Transition.TRANSITION_CONFIGURE, 'activate': Transition.TRANSITION_ACTIVATE,
               'deactivate': Transition.TRANSITION_DEACTIVATE, 'cleanup': Transition.TRANSITION_CLEANUP}


class NodeError(Exception):
    """The node is not running, does not answer, or cannot do what was requested; one line."""


class NodeLink:
    """Parameters and lifecycle of the node `target` (full name). Coroutines are for the event loop, poll() for the ROS thread."""

    def __init__(self, node: Node, target: str) -> None:
        self._node, self._target = node, target
        self._list = node.create_client(ListParameters, f'{target}/list_parameters')
        self._describe = node.create_client(DescribeParameters, f'{target}/describe_parameters')
        self._get = node.create_client(GetParameters, f'{target}/get_parameters')
        self._set = node.create_client(SetParametersAtomically, f'{target}/set_parameters_atomically')
        self._get_state = node.create_client(GetState, f'{target}/get_state')
        self._change_state = node.create_client(ChangeState, f'{target}/change_state')
        self._pending: dict[Client, tuple[Future, float]] = {}      # request of poll(), sent at this time.monotonic()
        self.state = ''                             # lifecycle state; '' while unknown
        self.cameras: tuple[str, ...] = ('',)
        self.is_present = False

    def poll(self) -> None:
        """Request state and camera names; `state` and `cameras` are updated when the answers arrive."""
        self.is_present = self._get.service_is_ready()
        if not self.is_present:
            self.state = ''
            for client, (future, _) in self._pending.items():
                client.remove_pending_request(future)
            self._pending.clear()
            return
        self._ask(self._get_state, GetState.Request(), self._on_state)
        self._ask(self._get, GetParameters.Request(names=['cameras']), self._on_cameras)

    def _ask(self, client: Client, request: Any, on_answer: Callable[[Any], None]) -> None:
        if not client.service_is_ready():
            return
        if client in self._pending:
            last, sent_at = self._pending[client]
            if not last.done() and time.monotonic() < sent_at + ANSWER_S:
                return
            client.remove_pending_request(last)     # if not answered by now, the answer may be lost, as after a restart of the node
        future = client.call_async(request)
        self._pending[client] = future, time.monotonic()
        future.add_done_callback(lambda done: on_answer(done.result()) if done.exception() is None else None)

    def _on_state(self, answer: GetState.Response) -> None:
        self.state = answer.current_state.label

    def _on_cameras(self, answer: GetParameters.Response) -> None:
        names = plain_value(answer.values[0]) if answer.values else None
        self.cameras = tuple(name for name in names or () if name) or ('',)

    async def parameters(self) -> list[dict[str, Any]]:
        """All parameters of the node as describe() returns them, in the order in which the node lists them.

        :raises NodeError: the node does not answer
        """
        names = (await self._call(self._list, ListParameters.Request(), ANSWER_S)).result.names
        names = [name for name in names if not name.startswith('qos_overrides.')]
        descriptors = (await self._call(self._describe, DescribeParameters.Request(names=names), ANSWER_S)).descriptors
        values = (await self._call(self._get, GetParameters.Request(names=names), ANSWER_S)).values
        return [describe(descriptor, value) for descriptor, value in zip(descriptors, values)]

    async def set_parameters(self, values: Mapping[str, Any]) -> SetParametersResult:
        """Set several parameters atomically; returns the node's result.

        :raises NodeError: the node does not answer
        :raises ValueError: unknown parameter, or a value that does not fit its declared type
        """
        names = list(values)
        current = (await self._call(self._get, GetParameters.Request(names=names), ANSWER_S)).values
        types = dict(zip(names, (value.type for value in current)))
        missing = [name for name in names if not types.get(name)]
        if missing:
            raise ValueError(f'{self._target} has no parameter {", ".join(missing)}')
        messages = [to_parameter(name, value, types[name]).to_parameter_msg() for name, value in values.items()]
        request = SetParametersAtomically.Request(parameters=messages)
        return (await self._call(self._set, request, CHANGE_S)).result

    async def change_state(self, transition: str) -> None:
        """Trigger a lifecycle transition and update `state`.

        :param transition: key of TRANSITIONS
        :raises NodeError: the node does not answer, or the transition fails
        """
        if not self._change_state.service_is_ready():
            raise NodeError(f'{self._target} is not running, or is not a lifecycle node')
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        if not (await self._call(self._change_state, request, CHANGE_S)).success:
            state = self.state or 'unknown'
            raise NodeError(f'{self._target} cannot {transition} from state {state}: see its log')
        self.state = (await self._call(self._get_state, GetState.Request(), ANSWER_S)).current_state.label

    async def _call(self, client: Client, request: Any, timeout_s: float) -> Any:
        if not client.service_is_ready():
            raise NodeError(f'{self._target} is not running')
        loop = asyncio.get_running_loop()
        answer: asyncio.Future = loop.create_future()
        asked = self._running()
        future = client.call_async(request)
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(_pass_on, done, answer))
        until = loop.time() + timeout_s
        try:
            while not answer.done():
                if loop.time() >= until:
                    raise NodeError(f'{self._target} did not answer within {timeout_s:.0f} s: it is busy building a model, '
                                    'or hangs')
                if not client.service_is_ready() or (asked and not asked & self._running()):        # it would never answer
                    raise NodeError(f'{self._target} has ended without an answer: see its log')
                await asyncio.wait({answer}, timeout=min(PRESENCE_S, until - loop.time()))
            return answer.result()
        finally:
            client.remove_pending_request(future)

    def _running(self) -> set[bytes]:
        """Identifies each running node of the target's name; after a restart it is another one."""
        return {bytes(info.endpoint_gid) for info in self._node.get_publishers_info_by_topic('/parameter_events')
                if full_name(info) == self._target}


def _pass_on(done: Future, answer: asyncio.Future) -> None:
    if answer.done():
        return
    error: Optional[BaseException] = done.exception()
    if error is not None:
        answer.set_exception(NodeError(error_text(error)))
    else:
        answer.set_result(done.result())
