# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choices of command-line options and parameters. Apart from what they name, so that --help does not load torch."""
ENGINES = ('auto', 'torch', 'torch_compile', 'onnxruntime', 'tensorrt', 'openvino', 'ncnn')
PRECISIONS = ('auto', 'float32', 'bfloat16', 'float16', 'int8')
VARIANTS = ('fanet18', 'fanet34', 'fanet50')
LABEL_IDS = ('training', 'dataset')                                     # meaning of the values of a mask
COLORS = ('class_map', 'contrast')                                      # of the classes
MASK_PNGS = ('grey', 'palette')
MAX_LATENCY_BUDGET_MS = 60000.0                                         # of the node
LAYOUTS = ('folder', 'cityscapes', 'coco_stuff', 'bag', 'street')       # of data sets
