# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rewritten network as an ONNX file for one resolution, in float32, float16 or int8: the input of several engines."""
from __future__ import annotations

import hashlib
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

import numpy as np
import torch

from fanet_ros.host.processor import overflows_in_int8
from fanet_ros.inference.engines.cache import cache_directory, touch
from fanet_ros.inference.engines.cached_files import converting, keep
from fanet_ros.inference.engines.engine import EngineError
from fanet_ros.inference.engines.engine_kind import can_import
from fanet_ros.inference.engines.network_setup import CalibrationImages, NetworkSetup
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet

if TYPE_CHECKING:
    import onnx

FORMAT = 4              # of the cached files: increment it when the export changes
OPSET = 17
MIN_CALIBRATION_FRAMES = 8
ONNX_PACKAGES = ('onnx', 'onnxruntime')         # to write the file, and to quantise it


def require_packages() -> None:
    """:raises EngineError: onnx or onnxruntime is not installed"""
    if not all(map(can_import, ONNX_PACKAGES)):
        raise EngineError(f'ONNX files need packages that are not installed: pip install {" ".join(ONNX_PACKAGES)}')


def export_onnx(network: FANet, path: Path, height: int, width: int, *, commute_head: bool = True,
                batch: int = 1, dtype: torch.dtype = torch.float32, any_size: bool = False) -> None:
    """Write the rewritten network for normalised images (batch, 3, height, width) of `dtype`; the only output is the logits.

    :param any_size: for other batches and sizes, too; without the rewrite of the head, whose constants depend on the size
    :raises EngineError: onnx or onnxruntime is not installed
    """
    require_packages()
    images = torch.zeros(batch, 3, height, width, dtype=dtype)
    rewritten = InferenceFANet(network, commute_head=commute_head and not any_size).eval().cpu().to(dtype)
    export_function(rewritten, images, path, output='logits', free_axes=FREE_AXES if any_size else None)


FREE_AXES = {'images': {0: 'batch', 2: 'height', 3: 'width'}, 'logits': {0: 'batch', 2: 'height_8', 3: 'width_8'}}


def export_function(network: InferenceFANet, images: torch.Tensor, path: Path, function: str = 'forward', output: str = 'features',
                    free_axes: Optional[dict[str, dict[int, str]]] = None) -> None:
    """Write one method of `network` for inputs like `images`.

    :param output: what to call the output
    :param free_axes: axes of any size, as in torch.onnx.export
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')         # about tracing: sizes become constants unless they are named, as they should
        torch.onnx.export(Part(network, function), (images,), str(path), input_names=['images'], output_names=[output],
                          opset_version=OPSET, dynamo=False, dynamic_axes=free_axes)


class Part(torch.nn.Module):
    """One method of a rewritten network, which takes and returns a tensor, as a module of its own."""

    def __init__(self, network: InferenceFANet, function: str) -> None:
        super().__init__()
        self.network, self._function = network, function

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = getattr(self.network, self._function)(images)
        return values


def cached_model(setup: NetworkSetup, precision: str, height: int, width: int, *, quantize_outputs: bool = True, batch: int = 1,
                 for_any_processor: bool = False) -> Path:
    """The ONNX file of export_onnx(), in float32, float16 or int8, created if it is not cached yet.

    :param quantize_outputs: for int8, also quantise the outputs of convolutions, which ONNX Runtime's int8 kernels need
    :param batch: number of images per call
    :param for_any_processor: for int8, use weights of 7 bits even if this processor does not need them
    :raises EngineError: onnxruntime or onnx is not installed, too few frames to calibrate on, no space on the disk
    """
    require_packages()
    reduce_range = for_any_processor or overflows_in_int8()
    frames = _calibration_frames(setup.calibration, height, width) if precision == 'int8' else []
    # Rewritten, the head takes less arithmetic, but a matrix product in float32: not worth it where int8 is fast.
    commute_head = not quantize_outputs or (overflows_in_int8() and not for_any_processor)
    kind = precision
    if precision == 'int8':
        kind += ('' if commute_head and quantize_outputs else 'plain' if quantize_outputs else 'in') + (
            'w7' if reduce_range else '') + f'_{frames_digest(frames)}'
    path = _path(setup, kind, height, width, batch)
    if not path.is_file():
        with converting() as scratch:
            made = scratch / 'made.onnx'
            if precision == 'int8':
                _quantize(setup.network, made, height, width, frames, commute_head, quantize_outputs, reduce_range, batch)
            else:
                export_onnx(setup.network, made, height, width, batch=batch, dtype=getattr(torch, precision))
            keep(made, path)
    touch(path)
    return path


def load_graph(path: Path) -> onnx.ModelProto:
    """:raises Exception: `path` is not a whole ONNX file"""
    import onnx
    model = onnx.load(str(path))
    if not model.graph.node:        # an empty file is a valid message
        raise ValueError(f'{path} is empty')
    return model


def is_whole(path: Path) -> bool:
    """Whether `path` is an ONNX file that a power failure, for example, has not damaged."""
    try:
        load_graph(path)
    except Exception:       # the type depends on the damage
        return False
    return True


def found_in_cache(setup: NetworkSetup, precision: str, height: int, width: int) -> Optional[Path]:
    """The file of cached_model(), in a precision other than int8; None if it does not exist."""
    path = _path(setup, precision, height, width, 1)
    return path if path.is_file() else None


def _path(setup: NetworkSetup, kind: str, height: int, width: int, batch: int) -> Path:
    size = f'{height}x{width}' if batch == 1 else f'{batch}x{height}x{width}'
    return cache_directory() / f'{setup.digest}_{size}_{kind}_{FORMAT}.onnx'


def _calibration_frames(calibration: Optional[CalibrationImages], height: int, width: int) -> list[np.ndarray]:
    frames = list(calibration(height, width)) if calibration is not None else []
    if len(frames) < MIN_CALIBRATION_FRAMES:
        raise EngineError(
            f'int8 needs at least {MIN_CALIBRATION_FRAMES} frames from your camera to calibrate on, got {len(frames)}: set '
            'calibration_images to a folder of them')
    return frames


def frames_digest(frames: Sequence[np.ndarray]) -> str:
    """Identifies calibration frames by their content."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()[:8]


def _quantize(network: FANet, path: Path, height: int, width: int, images: Sequence[np.ndarray],
              commute_head: bool, quantize_outputs: bool, reduce_range: bool, batch: int) -> None:
    """Static quantisation of the convolutions: uint8 activations, int8 weights per channel (only 7 bits with `reduce_range`).

    Except for the last one, the 1x1 convolution to the classes: it costs least, and its errors are those of the logits, so that
    in int8 it alone would change more labels than all others together. And except for the two that read the stem's output, a
    thirtieth of the arithmetic: its few large values leave the others too few of 256 steps. That is half of the labels that
    int8 would change.
    """
    # If the images do not fill the last batch, the last ones are used twice.
    batches = [np.concatenate(([*images[start:start + batch], *images[-batch:]])[:batch])
               for start in range(0, len(images), batch)]
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self, frames: Sequence[np.ndarray]) -> None:
            self._frames = iter(frames)

        def get_next(self) -> dict[str, np.ndarray] | None:
            frame = next(self._frames, None)
            return None if frame is None else {'images': frame}

    exported, prepared = path.with_name('exported.onnx'), path.with_name('prepared.onnx')
    export_onnx(network, exported, height, width, commute_head=commute_head, batch=batch)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)        # the quantiser logs to the root logger
    try:
        quant_pre_process(str(exported), str(prepared))
        quantize_static(
            str(prepared), str(path), Reader(batches), quant_format=QuantFormat.QDQ, op_types_to_quantize=['Conv'],
            per_channel=True, reduce_range=reduce_range, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            nodes_to_exclude=_sensitive_nodes(prepared),
            # Ranges are averaged over the frames: the overall maximum would waste the 8 bits on rare outliers.
            extra_options={'CalibMovingAverage': True,
                           'OpTypesToExcludeOutputQuantization': [] if quantize_outputs else ['Conv']})
    finally:
        root.setLevel(level)


def _sensitive_nodes(path: Path) -> list[str]:
    """Names of the nodes that give the logits, and of those that read the max-pool's output."""
    import onnx
    graph = onnx.load(str(path)).graph
    pooled = {output for node in graph.node if node.op_type == 'MaxPool' for output in node.output}
    return [node.name for node in graph.node if graph.output[0].name in node.output or not pooled.isdisjoint(node.input)]
