# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Against the authors' code in one run: theirs as it is, theirs at its best, ours in half and in full precision."""
from __future__ import annotations

from fanet_ros.tools.benchmark.suites import network_suite
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings, StepSkipped

VARIANTS = ('fanet18', 'fanet34')


def run(settings: StepSettings, figures: Figures) -> None:
    """By variant and resolution, at batch 1 with random input: the network alone, and to labels of every pixel on the host.

    Ratios are against their network in eager float32. Theirs goes to labels as everybody writes it first.
    """
    if settings.authors is None:
        raise StepSkipped('no checkout of github.com/feinanshan/FANet was given: AUTHORS=DIR')
    precisions = ('float32',) if settings.is_rehearsal else ('float16', 'float32')
    for variant in VARIANTS:
        for size in reversed(settings.sizes):       # what matters most comes first
            for labels in (True, False):
                for result in network_suite(settings.benchmark(variant=variant, sizes=(size,), precisions=precisions),
                                            labels=labels):
                    figures.add(**result_as_figure(result))


def result_as_figure(result: dict) -> dict:
    """What a suite of `benchmark` gives, as a figure."""
    return {'kind': result['suite'], **{key: value for key, value in result.items() if key != 'suite'}}
