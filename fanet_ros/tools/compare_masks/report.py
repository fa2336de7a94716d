# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison as text for a terminal."""
from __future__ import annotations

from typing import Any, Optional

SHOWN = 5   # confusions and bags


def summary(result: dict[str, Any]) -> str:
    """Agreement, classes, most frequent confusions, bags that differ most, and what was left out.

    :param result: content of comparison.json
    """
    width = max(len(name) for name in result['classes'])
    mean = _percent(result['mean_iou']).strip()
    lines = [f'{result["frames"]} frames: {result["agreement"]:.1%} of the pixels agree, mIoU {mean}',
             f'[%]{"":{width - 3}}     IoU    in A    in B']
    lines += [f'{name:{width}}  {_percent(iou)}  {_percent(result["share_in_a"][name])}  {_percent(result["share_in_b"][name])}'
              for name, iou in result['class_iou'].items()]
    lines += [f'only {side} has the classes {", ".join(result[key])}' for side, key in (('A', 'only_in_a'), ('B', 'only_in_b'))
              if result[key]]
    lines += [f'{100 * item["share"]:6.2f}% of the pixels: A says {item["a"]}, B says {item["b"]}'
              for item in result['confusions'][:SHOWN]]
    bags = sorted((bag for bag in result['bags'] if bag['frames']), key=lambda bag: (bag['agreement'], bag['bag']))
    if len(bags) > 1:
        lines += [f'{bag["bag"]}: {bag["agreement"]:.1%} agree' for bag in bags[:SHOWN]]
        if len(bags) > SHOWN:
            lines.append(f'{len(bags) - SHOWN} other bags agree more')
    if result['left_out']:
        lines.append('not compared: ' + ', '.join(f'{count} {reason}' for reason, count in result['left_out'].items()))
    return '\n'.join(lines)


def _percent(share: Optional[float]) -> str:
    return '     -' if share is None else f'{100 * share:6.1f}'
