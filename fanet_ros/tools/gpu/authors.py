# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare with the authors' code in one run: theirs as published, theirs tuned, ours in half and in full precision."""
from __future__ import annotations

from fanet_ros.tools.benchmark.suites import network_suite
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings, StepSkipped

VARIANTS = ('fanet18', 'fanet34')


def run(settings: StepSettings, figures: Figures) -> None:
    """By variant and resolution, at batch 1 with random input: the network alone, and to full-resolution labels on the host.

    Ratios are relative to the authors' network in eager float32, whose labels are computed by the textbook method.
    """
    if settings.authors is None:
        raise StepSkipped('no checkout of github.com/feinanshan/FANet was given: AUTHORS=DIR')
    precisions = ('float32',) if settings.is_rehearsal else ('float16', 'float32')
    for variant in VARIANTS:
        for size in reversed(settings.sizes):       # the most important size first
            for labels in (True, False):
                for result in network_suite(settings.benchmark(variant=variant, sizes=(size,), precisions=precisions),
                                            labels=labels):
                    figures.add(**result_as_figure(result))


def result_as_figure(result: dict) -> dict:
    """Convert a result of a `benchmark` suite to a figure."""
    return {'kind': result['suite'], **{key: value for key, value in result.items() if key != 'suite'}}
