# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint as an ONNX file for one resolution or for any, and check it against the network before keeping it."""
from __future__ import annotations

import os
import tempfile
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import numpy as np
import torch

from fanet_ros.inference import Segmenter, SegmenterOptions
from fanet_ros.inference.calibration import check_calibration_images
from fanet_ros.inference.engines.cached_files import loaded
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.onnx_model import cached_model, export_onnx, is_whole, load_graph, require_packages
from fanet_ros.inference.postprocess import labels_and_confidence
from fanet_ros.model import Checkpoint, load_checkpoint
from fanet_ros.size_text import size_text
from fanet_ros.sources import open_source
from fanet_ros.tools.export.graph import add_pre_and_postprocessing, end_to_end_graph, write_metadata

if TYPE_CHECKING:
    import onnx

CHECKED_FRAMES = 4
OTHER_SIZE = 131, 97         # second height and width [px] at which a file for any size is checked: portrait, both prime
# Minimum share of labels equal to those of PyTorch in float32: all but ties; int8 rounds.
MIN_AGREEMENT = {'float32': 0.9995, 'int8': 0.95}


def export(output: Path, checkpoint: str, height: int = 0, width: int = 0, *, precision: str = 'float32',
           calibration: Optional[Path] = None, full: bool = False, any_size: bool = False) -> str:
    """Write `output`, complete and checked or not at all; returns a summary line.

    :raises ValueError: the file's labels differ from the network's, or a video network, whose memory of frames no file can hold
    :raises SegmentationError: unusable checkpoint, resolution or calibration frames; onnx or onnxruntime is missing
    """
    if calibration is not None:
        calibration = calibration.expanduser()
        check_calibration_images(calibration, '--calibration')
    stored = load_checkpoint(checkpoint)
    metadata = stored.metadata
    if metadata.temporal_frames > 1:
        raise ValueError(f'{checkpoint} attends to {metadata.temporal_frames - 1} earlier frames, which an ONNX file cannot '
                         'remember: export a checkpoint of single frames')
    reference = Segmenter.from_checkpoint(checkpoint, SegmenterOptions('cpu', 'torch', 'float32', height, width))
    size = reference.input_height, reference.input_width
    require_packages()
    import onnx
    if any_size:
        model = _of_any_size(stored, full)
    else:
        setup = NetworkSetup(stored.calibrated_network, reference.device, precision,
                             None if calibration is None else partial(reference.calibration_images, calibration))
        model = loaded(lambda: [cached_model(setup, precision, *size, for_any_processor=True)], load_graph, is_whole)
        if full:
            model = add_pre_and_postprocessing(model, metadata, *size)
    write_metadata(model, checkpoint, metadata, precision, size, any_size)
    output = output.expanduser()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        path = Path(scratch) / 'exported.onnx'
        onnx.save(model, str(path))
        references = [reference, *([reference.resized(*OTHER_SIZE)] if any_size else [])]
        agreement = min(_agreement(path, item, full, calibration) for item in references)
        if agreement < MIN_AGREEMENT[precision]:
            raise ValueError(f'{output} not written: {100 * agreement:.2f}% of its labels equal those of PyTorch, expected at '
                             f'least {100 * MIN_AGREEMENT[precision]:.2f}%')
        os.replace(path, output)
    of_size = 'any size' if any_size else size_text(*size)
    return (f'{output}: {reference.variant} {precision} at {of_size}, {output.stat().st_size / 2**20:.1f} MiB, '
            f'{100 * agreement:.2f}% of the labels equal those of PyTorch in float32')


def _of_any_size(checkpoint: Checkpoint, full: bool) -> onnx.ModelProto:
    import onnx
    if full:
        return end_to_end_graph(checkpoint.calibrated_network, checkpoint.metadata)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / 'made.onnx'
        export_onnx(checkpoint.calibrated_network, path, *checkpoint.metadata.training_resolution, any_size=True)
        return onnx.load(str(path))


def _agreement(path: Path, reference: Segmenter, full: bool, calibration: Optional[Path]) -> float:
    """Share of the file's labels that equal those of the network in PyTorch, at the network's resolution."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    height, width = reference.input_height, reference.input_width
    shares = []
    with closing(open_source('street' if calibration is None else str(calibration), width=width, height=height)) as source:
        for frame in islice(source, CHECKED_FRAMES):
            expected = reference.segment(frame.rgb).labels
            if full:
                labels, = session.run(None, {'rgb': frame.rgb})
            else:
                logits, = session.run(None, {'images': reference.preprocess(frame.rgb).contiguous().numpy()})
                labels, _ = labels_and_confidence(torch.from_numpy(logits), (height, width), False)
            shares.append((labels == expected).mean())
    return float(np.mean(shares))
