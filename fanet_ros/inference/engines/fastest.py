# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the fastest engine: measured once on this machine, then remembered."""
from __future__ import annotations

import logging
import os
import time
from typing import Callable, Mapping, Optional

import numpy as np
import torch

from fanet_ros.error_text import error_text, typed_error_text
from fanet_ros.host.background_load import BackgroundLoad
from fanet_ros.host.processor import processor_name
from fanet_ros.inference.engines.cached_files import CacheError
from fanet_ros.inference.engines.choices import EngineChoices
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.gpu import synchronize

MEASURED_RUNS = 5
LOG = logging.getLogger(__name__)
Kinds = Mapping[str, type[EngineKind]]


def known_fastest(setup: NetworkSetup, kinds: Kinds) -> Optional[str]:
    """Name of the fastest of `kinds` as measured before; None if it was not, or is due to be measured again."""
    chosen = EngineChoices().get(situation(setup, kinds))
    return chosen if chosen in kinds else None


def find_fastest(setup: NetworkSetup, kinds: Kinds, height: int, width: int, make: Callable[[str], Engine]) -> Engine:
    """Build and measure all `kinds` that can be built, remember the fastest, and return it.

    :raises EngineError: none can be built; the message is the first one's
    """
    load = BackgroundLoad()
    LOG.info('measuring once which engine is the fastest here, which takes up to a minute: ' + ', '.join(kinds))
    engines, errors = _working(kinds, make)
    chosen = least_time(engines, torch.zeros(1, 3, height, width, device=setup.device))
    EngineChoices().put(situation(setup, kinds), chosen, load.busy_cores(),
                        lacked_space=any(isinstance(error, CacheError) for error in errors))
    return engines[chosen]


def _working(kinds: Kinds, make: Callable[[str], Engine]) -> tuple[dict[str, Engine], list[EngineError]]:
    """The engines that can be built, at least one, and the errors of the others."""
    engines: dict[str, Engine] = {}
    errors: list[EngineError] = []
    for number, name in enumerate(kinds, 1):
        LOG.info(f'preparing {name}, {number} of {len(kinds)}')
        try:
            engines[name] = make(name)
        except EngineError as error:
            if isinstance(error, CacheError):
                LOG.warning(f'{name} cannot be used: {error}')
            errors.append(error)
        except Exception as error:      # of its native library: the others may work
            LOG.warning(f'{name} failed: {typed_error_text(error)}')
            errors.append(EngineError(f'engine {name} failed: {error_text(error)}'))
    if not engines:
        raise errors[0]
    return engines, errors


def least_time(engines: dict[str, Engine], images: torch.Tensor) -> str:
    """Name of the engine with the lowest median time; they take turns, so that other load affects all of them equally."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(MEASURED_RUNS):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine(images)
            synchronize(images.device)
            times[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    LOG.info('measured: ' + ', '.join(f'{name} {median * 1e3:.0f} ms' for name, median in medians.items()))
    return min(medians, key=medians.__getitem__)


def situation(setup: NetworkSetup, kinds: Kinds) -> str:
    """Key that the choice is stored under: network, precision, processor and versions. Without the resolution, which hardly
    matters: every change of it would need a measurement."""
    network, device = setup.network, setup.device
    versions = ', '.join(f'{name} {kind.version()}' for name, kind in kinds.items())
    return (f'{network.backbone} {network.num_classes} classes {setup.precision}, '
            f'{torch.get_num_threads()} of {os.cpu_count()} '
            f'threads, {processor_name() if device.type == "cpu" else torch.cuda.get_device_name(device)}, {versions}')
