# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Description of the machine that figures were measured on."""
from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Optional, Sequence

from fanet_ros.host.processor import cpu_features, processor_name

if TYPE_CHECKING:
    import torch

PACKAGES = ('fanet_ros', 'torch', 'triton', 'numpy')       # versions always reported


def describe_measurement(program: str, argv: Optional[Sequence[str]], device: torch.device,
                         packages: Iterable[str]) -> dict[str, Any]:
    """What every JSON file of figures begins with: command (without the folders of absolute paths), date and machine.

    :param argv: arguments of the program; None: those of this process
    :param packages: see describe_machine()
    """
    given = sys.argv[1:] if argv is None else argv
    command = shlex.join([program, *(Path(item).name if item.startswith('/') else item for item in given)])
    return {'command': f'ros2 run fanet_ros {command}', 'date': date.today().isoformat(),
            'machine': describe_machine(device, packages)}


def describe_machine(device: torch.device, packages: Iterable[str]) -> dict[str, Any]:
    """Processor, threads, instruction set, GPU, versions and load, for JSON.

    :param packages: further packages whose versions to report, such as those of the engines
    """
    import torch  # late: a benchmark of nodes can do without it
    machine: dict[str, Any] = {
        'cpu': processor_name(), 'cores': len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count(),
        'threads': torch.get_num_threads(), 'instruction_set': torch.backends.cpu.get_cpu_capability(),
        'extensions': _extensions(), 'load_average': os.getloadavg()[0], 'python': platform.python_version(),
        'versions': {name: _version(name) for name in dict.fromkeys((*PACKAGES, *packages))}}
    if device.type == 'cuda':
        machine['gpu'] = torch.cuda.get_device_name(device)
        machine['cuda'] = torch.version.cuda
    return machine


def one_line(machine: dict[str, Any]) -> str:
    """The description as one line of text."""
    where = machine.get('gpu', f"{machine['cpu']}, {machine['threads']} of {machine['cores']} cores")
    versions = ', '.join(f'{name} {version}' for name, version in machine['versions'].items() if version)
    return f"{where} ({machine['instruction_set']}), load {machine['load_average']:.1f}; {versions}"


def _extensions() -> list[str]:
    """Instruction sets for fast low-precision kernels that this processor has."""
    features = cpu_features()
    return [name for name in ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_bf16', 'amx_int8',
                              'asimdhp', 'asimddp', 'bf16', 'i8mm', 'sve') if name in features]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package == 'fanet_ros':
            from fanet_ros import __version__
            return __version__
        return ''
