# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame sources: a synthetic street, video files, folders of images, V4L2 devices. Needs neither ROS nor torch."""
from fanet_ros.sources.files import FolderSource
from fanet_ros.sources.frame import Frame, FrameSource, SourceError
from fanet_ros.sources.open_source import open_source
from fanet_ros.sources.street.street import SyntheticStreet

__all__ = ['FolderSource', 'Frame', 'FrameSource', 'SourceError', 'SyntheticStreet', 'open_source']
