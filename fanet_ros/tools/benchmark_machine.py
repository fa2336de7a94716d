"""What the figures were measured on."""
from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any, Optional

import torch

from fanet_ros.inference.device import cpuinfo, processor_name

PACKAGES = ('fanet_ros', 'torch', 'triton', 'onnxruntime', 'openvino', 'ncnn', 'numpy')       # whose versions matter


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Processor, threads, instruction set, GPU, versions and load, for JSON."""
    machine: dict[str, Any] = {
        'cpu': processor_name(), 'cores': len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count(),
        'threads': torch.get_num_threads(), 'instruction_set': torch.backends.cpu.get_cpu_capability(),
        'extensions': _extensions(), 'load_average': os.getloadavg()[0], 'python': platform.python_version(),
        'versions': {name: _version(name) for name in PACKAGES}}
    if device.type == 'cuda':
        machine['gpu'] = torch.cuda.get_device_name(device)
        machine['cuda'] = torch.version.cuda
    return machine


def one_line(machine: dict[str, Any]) -> str:
    """The machine in words."""
    where = machine.get('gpu', f"{machine['cpu']}, {machine['threads']} of {machine['cores']} cores")
    versions = ', '.join(f'{name} {version}' for name, version in machine['versions'].items() if version)
    return f"{where} ({machine['instruction_set']}), load {machine['load_average']:.1f}; {versions}"


class OtherLoad:
    """How many cores other processes keep busy from its making on; timings taken beside much of it are worth little.

    Threads that wait for each other at the end of every layer, as PyTorch's do, suffer most: ratios are then too high.
    """

    def __init__(self) -> None:
        self._start = self._now()

    def busy_cores(self) -> Optional[float]:
        """Mean since the start; None where the system does not say (it does on Linux)."""
        before, after = self._start, self._now()
        if before is None or after is None or after[0] <= before[0]:
            return None
        return max(0.0, (after[1] - before[1]) / (after[0] - before[0]))

    @staticmethod
    def _now() -> Optional[tuple[float, float]]:
        """Wall time and CPU time of all processes but this one and its children, in seconds."""
        try:
            user, nice, system = (int(value) for value in Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:4])
        except (OSError, ValueError):
            return None
        own = os.times()
        all_s = (user + nice + system) / os.sysconf('SC_CLK_TCK')
        return time.perf_counter(), all_s - (own.user + own.system + own.children_user + own.children_system)


def _extensions() -> list[str]:
    """What the fast low-precision kernels need, as far as this processor has it."""
    flags = set(cpuinfo('flags').split())
    return [name for name in ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_bf16', 'amx_int8')
            if name in flags]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package == 'fanet_ros':
            from fanet_ros import __version__
            return __version__
        return ''
