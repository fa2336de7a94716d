# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services of the segmentation node: its parameters and its lifecycle."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Mapping, Optional

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParametersAtomically
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from fanet_ros.ros.dashboard.parameter_forms import describe, plain_value, to_parameter

ANSWER_S = 10.0         # of what a node answers at once, when it is not busy
CHANGE_S = 300.0        # a model may have to be built, calibrated and warmed
TRANSITIONS = {'configure': Transition.TRANSITION_CONFIGURE, 'activate': Transition.TRANSITION_ACTIVATE,
               'deactivate': Transition.TRANSITION_DEACTIVATE, 'cleanup': Transition.TRANSITION_CLEANUP}


class NodeError(Exception):
    """The node is not there, does not answer, or cannot do that; one line."""


class NodeLink:
    """`target`: full name of the node. Methods that are coroutines are for the event loop, the others for ROS's thread."""

    def __init__(self, node: Node, target: str) -> None:
        self._target = target
        self._list = node.create_client(ListParameters, f'{target}/list_parameters')
        self._describe = node.create_client(DescribeParameters, f'{target}/describe_parameters')
        self._get = node.create_client(GetParameters, f'{target}/get_parameters')
        self._set = node.create_client(SetParametersAtomically, f'{target}/set_parameters_atomically')
        self._get_state = node.create_client(GetState, f'{target}/get_state')
        self._change_state = node.create_client(ChangeState, f'{target}/change_state')
        self._pending: dict[Client, Future] = {}
        self.state = ''                             # of the lifecycle; '' while it is not known
        self.cameras: tuple[str, ...] = ('',)
        self.is_present = False

    def poll(self) -> None:
        """Ask for what may have changed; the answer is there at one of the next calls."""
        self.is_present = self._get.service_is_ready()
        if not self.is_present:
            self.state = ''
            for client, future in self._pending.items():
                client.remove_pending_request(future)
            self._pending.clear()
            return
        self._ask(self._get_state, GetState.Request(), self._on_state)
        self._ask(self._get, GetParameters.Request(names=['cameras']), self._on_cameras)

    def _ask(self, client: Client, request: Any, on_answer: Callable[[Any], None]) -> None:
        if not client.service_is_ready() or (client in self._pending and not self._pending[client].done()):
            return
        self._pending[client] = future = client.call_async(request)
        future.add_done_callback(lambda done: on_answer(done.result()) if done.exception() is None else None)

    def _on_state(self, answer: GetState.Response) -> None:
        self.state = answer.current_state.label

    def _on_cameras(self, answer: GetParameters.Response) -> None:
        names = plain_value(answer.values[0]) if answer.values else None
        self.cameras = tuple(name for name in names or () if name) or ('',)

    async def parameters(self) -> list[dict[str, Any]]:
        """All parameters of the node, in the order in which it declared them as far as that can be told.

        :raises NodeError: it does not answer
        """
        names = (await self._call(self._list, ListParameters.Request(), ANSWER_S)).result.names
        names = [name for name in names if not name.startswith('qos_overrides.')]
        descriptors = (await self._call(self._describe, DescribeParameters.Request(names=names), ANSWER_S)).descriptors
        values = (await self._call(self._get, GetParameters.Request(names=names), ANSWER_S)).values
        return [describe(descriptor, value) for descriptor, value in zip(descriptors, values)]

    async def set_parameters(self, values: Mapping[str, Any]) -> SetParametersResult:
        """One change of several parameters: all or none; the node's own answer.

        :raises NodeError: it does not answer
        :raises ValueError: a value does not fit the type that the node declared
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
        """
        :param transition: one of TRANSITIONS
        :raises NodeError: the node does not answer, or cannot do it
        """
        if not self._change_state.service_is_ready():
            raise NodeError(f'{self._target} is no lifecycle node, or not there')
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        if not (await self._call(self._change_state, request, CHANGE_S)).success:
            state = self.state or 'it is in'
            raise NodeError(f'{self._target} cannot {transition} from the state {state}: its log says why')
        self.state = (await self._call(self._get_state, GetState.Request(), ANSWER_S)).current_state.label

    async def _call(self, client: Client, request: Any, timeout_s: float) -> Any:
        if not client.service_is_ready():
            raise NodeError(f'{self._target} is not running')
        loop = asyncio.get_running_loop()
        answer: asyncio.Future = loop.create_future()
        future = client.call_async(request)
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(_pass_on, done, answer))
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except asyncio.TimeoutError:
            raise NodeError(f'{self._target} has not answered within {timeout_s:.0f} s: it is busy building a model, '
                            'or hangs') from None
        finally:
            client.remove_pending_request(future)


def _pass_on(done: Future, answer: asyncio.Future) -> None:
    if answer.done():
        return
    error: Optional[BaseException] = done.exception()
    if error is not None:
        answer.set_exception(NodeError(' '.join(str(error).split())))
    else:
        answer.set_result(done.result())
