# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `pick` command: predict the frames of a drive, choose, write."""
from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

import numpy as np
from tqdm import tqdm

from fanet_ros.datasets.annotations import write_annotations
from fanet_ros.datasets.frame_set import gather_frames, is_blank
from fanet_ros.datasets.source_frames import SourceFrame, SourceRequest
from fanet_ros.evaluation.views import FramePair, ViewPredictor
from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.inference.device import choose_device
from fanet_ros.model import load_checkpoint
from fanet_ros.tools.pick.choice import choose, layout_of


class PickError(ValueError):
    """Choosing is impossible as requested; one line: what was expected, what came, what to do."""


def pick(arguments: argparse.Namespace) -> None:
    """Run the command.

    :raises ValueError: unusable source or checkpoint, or an output that is not empty
    :raises OSError: the output cannot be written
    """
    output: Path = arguments.output
    if output.is_dir() and any(output.iterdir()):
        raise PickError(f'{output} is not empty and may contain masks that you have corrected: choose another --output')
    device = choose_device(arguments.device)
    checkpoint = load_checkpoint(arguments.checkpoint)
    class_map = ClassMap.of_checkpoint(checkpoint.metadata)
    request = SourceRequest(arguments.source, arguments.frames, 1, class_map, arguments.image_topic, with_labels=False)
    with TemporaryDirectory(prefix='fanet_ros_pick_') as folder:
        frames = gather_frames(Path(folder), request, change=_without_blank, quiet=arguments.quiet)
        predict = ViewPredictor(checkpoint, device)
        layouts, uncertainties = [], []
        for frame in tqdm(frames.frames(), total=frames.count, desc='predictions', unit='frame', disable=arguments.quiet):
            predictions = predict(FramePair.of(frame))
            layouts.append(layout_of(predictions.labels, len(class_map)))
            uncertainties.append(float((1 - predictions.confidence).mean() + (~predictions.agreed).mean()))
        chosen = sorted(choose(np.stack(layouts), np.array(uncertainties), arguments.count))
        images = [frames.frame(number).rgb for number in chosen]
    segmenter = Segmenter.from_checkpoint(arguments.checkpoint, device=str(device), engine='torch')
    name = Path(arguments.source).stem
    write_annotations(output, [(f'{name}_{number:04d}', rgb, segmenter.segment(rgb).labels) for number, rgb in zip(chosen, images)],
                      class_map)
    print(f'{len(chosen)} of {frames.count} frames: {output}/images, with the predicted masks in {output}/labels\n'
          f'correct the masks there, or upload images/ and annotations.zip to CVAT; then run adapt with --labels {output}')


def _without_blank(frame: SourceFrame) -> Optional[SourceFrame]:
    return None if is_blank(frame.rgb) else frame
