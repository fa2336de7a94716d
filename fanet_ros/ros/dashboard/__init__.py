# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard: a node with a small web server, so that a browser shows what the network sees and steers it.

A picture's way: mask, camera -> FrameJoin -> FrameHub (newest only, encoded once) -> WebSocket, one answer for each
question -> decoded, coloured and blended in the browser. ROS runs in one thread, the web server in another; they meet in
FrameHub, TimingLog, Audience and NodeLink, each of which has a lock of its own.
"""
