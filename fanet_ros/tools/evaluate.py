"""Measure a checkpoint on labelled images through the Segmenter that the node runs."""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Optional

from tqdm import tqdm

from fanet_ros.inference import Segmenter
from fanet_ros.training.datasets import load_folder
from fanet_ros.training.metrics import ConfusionMatrix


def main(argv: Optional[list[str]] = None) -> int:
    """Print mIoU, pixel accuracy and per-class IoU; returns the exit code."""
    parser = argparse.ArgumentParser(prog='evaluate', description='Measure a checkpoint on labelled images.')
    parser.add_argument('--data', type=Path, required=True, help='folder with images/NAME.jpg and labels/NAME.png')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path')
    parser.add_argument('--device', default='auto')
    parser.add_argument('--input-height', type=int, default=0, help="[px], 0: the checkpoint's own")
    parser.add_argument('--input-width', type=int, default=0, help="[px], 0: the checkpoint's own")
    parser.add_argument('--json', type=Path, help='write the figures here too')
    arguments = parser.parse_args(argv)
    try:
        segmenter = Segmenter.from_checkpoint(
            arguments.checkpoint, device=arguments.device, input_height=arguments.input_height,
            input_width=arguments.input_width)
        samples = load_folder(arguments.data, len(segmenter.class_map))
    except ValueError as error:
        print(f'evaluate: {error}', file=sys.stderr)
        return 1
    confusion = ConfusionMatrix(len(segmenter.class_map))
    for sample in tqdm(samples, desc='evaluate', unit='frame'):
        confusion.add(sample.labels, segmenter.segment(sample.rgb).labels)
    figures = {'frames': len(samples), 'mean_iou': confusion.mean_iou(), 'pixel_accuracy': confusion.pixel_accuracy(),
               'class_iou': dict(zip(segmenter.class_map.names, confusion.class_iou().tolist()))}
    print(f'{segmenter.description}\n{len(samples)} frames of {arguments.data}')
    print(f'mIoU {100 * figures["mean_iou"]:.1f}   pixel accuracy {100 * figures["pixel_accuracy"]:.1f}')
    for name, iou in figures['class_iou'].items():
        print(f'  {name:<12} {100 * iou:5.1f}')
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
