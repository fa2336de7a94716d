# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run one step: python -m fanet_ros.tools.gpu.step NAME FILE --device DEVICE --scratch FOLDER [--authors CHECKOUT]"""
from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import Optional

import torch

from fanet_ros.error_text import typed_error_text
from fanet_ros.host.machine import describe_machine
from fanet_ros.inference import gpu
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import runtimes
from fanet_ros.tools.gpu.command import LIMITS_S
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings, StepSkipped


def main(argv: Optional[list[str]] = None) -> int:
    """Write the figures of the step to FILE; returns the exit code, not 0 if something failed."""
    parser = argparse.ArgumentParser(prog='step')
    parser.add_argument('name', choices=LIMITS_S)
    parser.add_argument('file', type=Path)
    parser.add_argument('--device', required=True)
    parser.add_argument('--scratch', type=Path, required=True)
    parser.add_argument('--authors', type=Path)
    arguments = parser.parse_args(argv)
    figures = Figures(arguments.file)
    start = time.perf_counter()
    try:
        settings = StepSettings(choose_device(arguments.device), arguments.scratch, arguments.authors)
        figures.add('machine', step=arguments.name, device=str(settings.device), rehearsal=settings.is_rehearsal,
                    **describe_machine(settings.device, runtimes()), tf32_in_convolutions=torch.backends.cudnn.allow_tf32,
                    tf32_in_products=torch.backends.cuda.matmul.allow_tf32)
        # Each is imported only by its own process, so that a broken one does not affect the others.
        importlib.import_module(f'fanet_ros.tools.gpu.{arguments.name}').run(settings, figures)
    except StepSkipped as skipped:
        figures.add('skipped', reason=str(skipped))
        return 0
    except Exception as error:      # whatever it is, keep the figures measured so far and let the next step start
        traceback.print_exc()
        figures.add('failed', reason=typed_error_text(error, 300))
        return 1
    figures.add('done', seconds=time.perf_counter() - start, **gpu.peak_memory_mib(settings.device))
    return 0


if __name__ == '__main__':
    sys.exit(main())
