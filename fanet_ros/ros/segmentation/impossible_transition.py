# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a managed node alive that is ordered what its state does not know, such as to activate before it is configured.

rclpy (7.1.6 at least) lets the error of such an order end the process; `ros2 lifecycle set` asks before, other clients do
not.
"""
from __future__ import annotations

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Answer them with failure, and tell the log."""
    service = node._service_change_state        # nothing public leads to it
    change = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
        try:
            return change(request, response)
        except RuntimeError as error:           # RCLError; what the node itself raises does not come here
            state = node._state_machine.current_state[1]
            wanted = request.transition.label or f'number {request.transition.id}'
            reason = ' '.join(str(error).split())
            node.get_logger().error(f'transition {wanted} is not possible from the state {state}: {reason}')
            response.success = False
            return response
    service.callback = answer
