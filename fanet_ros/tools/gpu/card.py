# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure the hardware limits of the card that the network is compared with."""
from __future__ import annotations

from functools import partial
from typing import Callable

import numpy as np
import torch

from fanet_ros.inference import gpu
from fanet_ros.tools.gpu.settings import StepSettings

ROUNDS = 15


def median_ms(settings: StepSettings, work: Callable[[], object], *, burst: int = 1) -> float:
    """Median time of `work` [ms], from device events; with a burst, per run of `burst` back-to-back runs.

    If the CPU launches more slowly than the device works, it is the time of the launches: 0.04 ms for a Triton kernel on its own.
    """
    for _ in range(settings.pick(3, 1)):
        work()
    times = []
    for _ in range(settings.pick(ROUNDS, 1)):
        begin = gpu.record_event(settings.device)
        for _ in range(burst):
            work()
        end = gpu.record_event(settings.device)
        gpu.wait_for(end)
        times.append(gpu.elapsed_ms(begin, end) / burst)
    return float(np.median(times))


def limits(settings: StepSettings) -> dict[str, float]:
    """GB/s of copies on the card (bytes read plus written), to it and from it; TFLOP/s of matrix products; launch time in us."""
    device = settings.device
    source = torch.randint(0, 255, (settings.pick(2**31, 2**20),), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found = {'copy_gb_s': 2 * len(source) / 1e6 / median_ms(settings, partial(target.copy_, source))}
    host = gpu.host_buffer((settings.pick(2**26, 2**20),), device)
    part = target[:len(host)]
    found['to_card_gb_s'] = len(host) / 1e6 / median_ms(settings, partial(part.copy_, host, non_blocking=True))
    found['from_card_gb_s'] = len(host) / 1e6 / median_ms(settings, partial(host.copy_, part, non_blocking=True))
    del source, target, part
    length = settings.pick(8192, 128)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        one, other = (torch.randn(length, length, device=device).to(dtype) for _ in range(2))
        product_ms = median_ms(settings, partial(torch.matmul, one, other))
        found[f'{str(dtype).rsplit(".", 1)[-1]}_tflop_s'] = 2 * length**3 / 1e9 / product_ms
    tiny = torch.zeros(1, device=device)
    found['launch_us'] = 1e3 * median_ms(settings, lambda: tiny.add_(1), burst=settings.pick(1000, 10))
    return found
