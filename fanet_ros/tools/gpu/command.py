# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Test and benchmark the CUDA code, on a machine with Python, PyTorch and little else.

    make gpu OUT=out AUTHORS=FANet      # FANet: a checkout of github.com/feinanshan/FANet
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of

# Modules of this package, the most important first, with the share of TOTAL_S in seconds that each may take. On an H100 all but the
# last should finish within 300 s, including the start of Python.
LIMITS_S = {'correctness': 160.0, 'authors': 50.0, 'frames': 50.0, 'costs': 25.0, 'alternatives': 100.0, 'compiled': 90.0}
TOTAL_S, REHEARSAL_S = 390.0, 2400.0


def main(argv: Optional[list[str]] = None) -> int:
    """Run the steps; returns the exit code, 0 if none failed."""
    parser = argparse.ArgumentParser(prog='gpu', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output', type=Path, default=Path('gpu_output'), help='folder for figures, log and summary')
    parser.add_argument('--device', default='cuda', help='cuda, cuda:N, or cpu to rehearse everything at toy size')
    parser.add_argument('--authors', type=Path, help='checkout of github.com/feinanshan/FANet, for the step `authors`')
    parser.add_argument('--steps', nargs='+', choices=LIMITS_S, default=list(LIMITS_S), metavar='STEP',
                        help=f'steps to run, of {", ".join(LIMITS_S)}')
    parser.add_argument('--seconds', type=float, help=f'limit for all steps together ({TOTAL_S:.0f}; rehearsal {REHEARSAL_S:.0f})')
    arguments = parser.parse_args(argv)
    from fanet_ros.tools.gpu.run import run_steps  # here: importing torch takes seconds, not needed for --help
    return exit_code_of('gpu', lambda: run_steps(arguments))
