# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes of the street's labels: CamVid's eleven, as in config/class_maps/camvid11.yaml."""
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)
