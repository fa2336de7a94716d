# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choice of the inference device, and whether a resolution fits into its memory."""
from __future__ import annotations

import platform
import resource
from pathlib import Path
from typing import TypeVar, Union

import psutil
import torch
from torch import nn

from fanet_ros.host.processor import cpu_features
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.size_text import size_text

# Peak memory per frame on the CPU in float32, measured at 2048x1024 with frames of that size, for FANet-18/34/50 with 11, 19
# and 171 classes: 140 to 190 bytes per pixel with few classes, where the encoder's activations dominate; 4.4 bytes per pixel
# and class with many, where the full-size logits dominate. Rounded up; not measured on a GPU.
BYTES_PER_PX = 220.0
BYTES_PER_PX_AND_CLASS = 5.0
# Flags in /proc/cpuinfo that indicate native support.
CPU_FLAGS = {'bfloat16': {'avx512_bf16', 'amx_bf16', 'bf16'}, 'float16': {'avx512_fp16', 'amx_fp16', 'asimdhp'}}
CGROUP = '/sys/fs/cgroup'        # of the container, seen from inside it
_Module = TypeVar('_Module', bound=nn.Module)


def choose_device(device: str) -> torch.device:
    """Resolve 'auto' (CUDA if available, else the CPU), 'cpu', 'cuda' or 'cuda:N'.

    :raises SegmentationError: unknown name, or no such device on this machine
    """
    if device == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        chosen = torch.device(device)
    except RuntimeError:
        chosen = torch.device('meta')
    if chosen.type not in ('cpu', 'cuda'):
        raise SegmentationError(f"device {device!r} is unknown: expected 'auto', 'cpu', 'cuda' or 'cuda:N'")
    if chosen.type == 'cuda':
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (chosen.index or 0) >= count:
            raise SegmentationError(
                f"device {device!r} is not available: torch {torch.__version__} sees {count} CUDA devices; set "
                f"device to 'auto' or 'cpu', or install a torch build that matches the driver")
    return chosen


def check_memory(height: int, width: int, num_classes: int, device: torch.device) -> None:
    """Reject a network resolution that does not fit into the free memory of the device.

    :raises SegmentationError: it does not fit
    """
    free = _free_bytes(device)
    needed = height * width * max(BYTES_PER_PX, BYTES_PER_PX_AND_CLASS * num_classes)
    if needed > 0.9 * free:
        raise SegmentationError(
            f'resolution {size_text(height, width)} needs about {needed / 2**30:.1f} GiB on {device}, '
            f'{max(free, 0) / 2**30:.1f} GiB are free: choose a lower resolution')


def computes_in(precision: str, device: torch.device) -> bool:
    """Whether the device natively supports 'bfloat16' or 'float16'; a CPU that does not is many times slower than in float32."""
    if device.type == 'cuda':
        return precision == 'float16' or torch.cuda.get_device_capability(device) >= (8, 0)
    return not CPU_FLAGS[precision].isdisjoint(cpu_features())


def lower_precisions(device: torch.device) -> tuple[str, ...]:
    """Floating-point precisions below float32 that `device` computes in natively, and that are worth using there."""
    if device.type == 'cuda':
        return ('float16',)
    # On x86 no engine but PyTorch has float16 kernels, which are slow.
    known = ('bfloat16', 'float16') if platform.machine() in ('aarch64', 'arm64') else ('bfloat16',)
    return tuple(precision for precision in known if computes_in(precision, device))


def why_slow(precision: str, device: Union[torch.device, str]) -> str:
    """Warning that `precision` is slower than float32 on `device`; '' if it is not."""
    if precision not in CPU_FLAGS or computes_in(precision, torch.device(device)):
        return ''
    return f'this processor has no native {precision}, which makes it many times slower than float32'


def _free_bytes(device: torch.device) -> float:
    """Available memory: of the GPU; or the least of what this machine, its container and this process's limit leave."""
    if device.type == 'cuda':
        return float(torch.cuda.mem_get_info(device)[0])
    free = [float(psutil.virtual_memory().available)]       # includes the file cache, which is reclaimable
    try:
        limit, used = (float(Path(CGROUP, name).read_text()) for name in ('memory.max', 'memory.current'))
        files = dict(line.split() for line in Path(CGROUP, 'memory.stat').read_text().splitlines())
        free.append(limit - used + float(files['inactive_file']))       # file cache counts as used, but is reclaimable
    except (OSError, ValueError, KeyError):     # 'max' (no limit), or no cgroup v2
        pass
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address_space != resource.RLIM_INFINITY:
        free.append(address_space - psutil.Process().memory_info().vms)
    return min(free)


def in_memory_format(module: _Module, memory_format: torch.memory_format) -> _Module:
    """Convert the weights of `module` to `memory_format` in place, and return it."""
    return module.to(memory_format=memory_format)       # type: ignore[call-overload]  # not in torch's annotations
