# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build ONNX graphs: preprocessing, postprocessing and metadata around the network."""
from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.inference.engines.onnx_model import OPSET
from fanet_ros.model import CheckpointMetadata, FANet
from fanet_ros.model.rewrites import InferenceFANet

if TYPE_CHECKING:
    import onnx


# How logits become per-pixel labels. With align_corners=False, one pixel in thirty gets a different label.
UPSAMPLING = 'bilinear, align_corners=True, to input_size, then argmax'


class Preprocess(nn.Module):
    """(H, W, 3) uint8 RGB -> (1, 3, H, W) float32, normalised as in training."""

    mean: Tensor
    scale: Tensor

    def __init__(self, metadata: CheckpointMetadata) -> None:
        super().__init__()
        self.register_buffer('mean', (torch.tensor(metadata.mean) * 255).view(1, 3, 1, 1))
        self.register_buffer('scale', (1 / (torch.tensor(metadata.std) * 255)).view(1, 3, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        return (rgb.permute(2, 0, 1)[None].float() - self.mean) * self.scale


class Postprocess(nn.Module):
    """(1, C, h, w) logits -> (height, width) uint8 labels: bilinear upsampling, then argmax."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = height, width

    def forward(self, logits: Tensor) -> Tensor:
        return _labels(logits, self.size)


class EndToEnd(nn.Module):
    """(H, W, 3) uint8 RGB of any size -> (H, W) uint8 labels."""

    def __init__(self, network: FANet, metadata: CheckpointMetadata) -> None:
        super().__init__()
        self.preprocess = Preprocess(metadata)
        self.network = InferenceFANet(network, commute_head=False)

    def forward(self, rgb: Tensor) -> Tensor:
        return _labels(self.network(self.preprocess(rgb)), (rgb.shape[0], rgb.shape[1]))


def _labels(logits: Tensor, size: tuple[int, int]) -> Tensor:
    logits = F.interpolate(logits, size, mode='bilinear', align_corners=True)       # (1, C, H, W)
    return logits.argmax(1)[0].to(torch.uint8)


def end_to_end_graph(network: FANet, metadata: CheckpointMetadata) -> onnx.ModelProto:
    """ONNX graph of EndToEnd: rgb -> labels, with dynamic height and width."""
    rgb = torch.zeros(*metadata.training_resolution, 3, dtype=torch.uint8)
    axes = {0: 'height', 1: 'width'}
    return _exported(EndToEnd(network, metadata), rgb, 'rgb', 'labels', dynamic_axes={'rgb': axes, 'labels': axes})


def add_pre_and_postprocessing(model: onnx.ModelProto, metadata: CheckpointMetadata, height: int,
                               width: int) -> onnx.ModelProto:
    """Put `model` (images -> logits, any precision) between Preprocess and Postprocess: rgb -> labels."""
    from onnx import compose
    logits = torch.zeros(1, metadata.num_classes, -(-height // 8), -(-width // 8))
    before = _exported(Preprocess(metadata), torch.zeros(height, width, 3, dtype=torch.uint8), 'rgb', 'normalised',
                       ir_version=model.ir_version)
    after = _exported(Postprocess(height, width), logits, 'scores', 'labels', ir_version=model.ir_version)
    # Inner values may share names: prefix them, but not the inputs and outputs that the user sees.
    before = compose.add_prefix(before, 'pre/', rename_inputs=False)
    after = compose.add_prefix(after, 'post/', rename_outputs=False)
    joined = compose.merge_models(before, model, io_map=[(before.graph.output[0].name, 'images')])
    return compose.merge_models(joined, after, io_map=[('logits', after.graph.input[0].name)])


def write_metadata(model: onnx.ModelProto, checkpoint: str, metadata: CheckpointMetadata, precision: str,
                   size: tuple[int, int], any_size: bool = False) -> None:
    """Store class names, normalisation, size, upsampling and origin in the file, so that it is self-describing.

    :param size: height and width [px] of the input; with `any_size` the training resolution
    """
    import onnx
    onnx.helper.set_model_props(model, {
        'checkpoint': checkpoint, 'variant': metadata.variant, 'flavor': metadata.flavor, 'precision': precision,
        'class_names': json.dumps(metadata.class_names), 'class_colors': json.dumps(metadata.class_colors),
        'input_size': json.dumps(size), 'any_size': json.dumps(any_size), 'color_order': 'RGB', 'upsampling': UPSAMPLING,
        'mean': json.dumps(metadata.mean), 'std': json.dumps(metadata.std), 'data': metadata.data, 'license': metadata.license})


def _exported(module: nn.Module, example: Tensor, input_name: str, output_name: str, *, ir_version: Optional[int] = None,
              dynamic_axes: Optional[dict[str, dict[int, str]]] = None) -> onnx.ModelProto:
    import onnx
    stream = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')         # tracing warns that sizes not in dynamic_axes become constants: intended
        torch.onnx.export(module.eval(), (example,), stream, input_names=[input_name],      # type: ignore[arg-type]  # a stream
                          output_names=[output_name], opset_version=OPSET, dynamo=False, dynamic_axes=dynamic_axes)
    model = onnx.load_from_string(stream.getvalue())
    if ir_version is not None:
        model.ir_version = ir_version           # merge_models() requires equal versions
    return model
