# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard: a node with a small web server that shows the segmentation in a browser and controls the segmentation node.

Data path: mask, camera -> FrameJoin -> FrameHub (newest frame only, encoded once) -> WebSocket, one answer per query ->
decoded, coloured and blended in the browser. ROS and the web server run in separate threads, which exchange
data through FrameHub, TimingLog, Audience and NodeLink.
"""
