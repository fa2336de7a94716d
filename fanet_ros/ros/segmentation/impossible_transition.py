# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a managed node alive when a client requests an invalid transition, such as activate before configure.

In rclpy (seen in 7.1.6) the resulting error ends the process. `ros2 lifecycle set` checks the state first, other clients
do not.
"""
from __future__ import annotations

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode

from fanet_ros.error_text import error_text


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Make `node` answer invalid transition requests with failure and log an error."""
    service = node._service_change_state        # there is no public accessor
    change = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
        try:
            return change(request, response)
        except RuntimeError as error:           # RCLError; exceptions of the node's own callbacks do not get here
            state = node._state_machine.current_state[1]
            requested = request.transition.label or f'number {request.transition.id}'
            reason = error_text(error)
            node.get_logger().error(f'transition {requested} is not possible from the state {state}: {reason}')
            response.success = False
            return response
    service.callback = answer
