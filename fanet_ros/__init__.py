# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real-time semantic segmentation for ROS 2 with FANet (fast attention, Hu et al., arXiv 2007.03815).

The pipeline of a frame, in the same terms everywhere:
    sensor_msgs/Image -> raw_image -> preprocess -> FANet -> postprocess -> Segmentation
    -> mask, overlay, timing

Imports point one way: `model <- inference <- datasets <- evaluation <- training <- tools`, `ros` builds on `inference`,
`sources` and `bags`; CONTRIBUTING.md shows all packages.
"""
from pkgutil import extend_path

from fanet_ros.no_telemetry import disable_telemetry

# The generated messages (fanet_ros.msg) are installed apart from the Python code. In a source checkout the sources come first
# on sys.path and would hide them: this merges all fanet_ros folders on it into one package.
__path__ = extend_path(__path__, __name__)

disable_telemetry()

__version__ = '0.1.0'
