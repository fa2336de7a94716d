"""Which device the network runs on, and whether a resolution fits into its memory."""
from __future__ import annotations

import os
import platform
import resource
from typing import Optional, TypeVar

import torch
from torch import nn

from fanet_ros.inference.segmentation import SegmentationError

# Peak memory of a frame on the CPU, float32, at 1024x2048 and frames of that size, for FANet-18/34/50 with 11, 19 and 171
# classes: 140 to 190 bytes a pixel with few classes, where the encoder's activations rule; 4.4 bytes a pixel and class with
# many, where the full-size logits do. Rounded up; on a GPU unmeasured.
BYTES_PER_PX = 220.0
BYTES_PER_PX_AND_CLASS = 5.0
# By which a processor says that it computes so.
CPU_FLAGS = {'bfloat16': {'avx512_bf16', 'amx_bf16', 'bf16'}, 'float16': {'avx512_fp16', 'amx_fp16', 'asimdhp'}}
_Module = TypeVar('_Module', bound=nn.Module)


def choose_device(device: str) -> torch.device:
    """'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'.

    :raises SegmentationError: no such device on this machine
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
                f"device {device!r} is not there: torch {torch.__version__} sees {count} CUDA devices; use "
                f"device 'auto' or 'cpu', or install a torch build that fits the driver")
    return chosen


def check_memory(height: int, width: int, num_classes: int, device: torch.device) -> None:
    """Refuse a network resolution that the device's free memory cannot hold.

    :raises SegmentationError: it does not fit
    """
    free = _free_bytes(device)
    needed = height * width * max(BYTES_PER_PX, BYTES_PER_PX_AND_CLASS * num_classes)
    if needed > 0.9 * free:
        raise SegmentationError(
            f'resolution {height}x{width} needs about {needed / 2**30:.1f} GiB on {device}, '
            f'{max(free, 0) / 2**30:.1f} GiB are free: choose a smaller input_height or input_width')


def computes_in(precision: str, device: torch.device) -> bool:
    """Whether the device itself computes in 'bfloat16' or 'float16'; a CPU that does not takes many times as long as in float32."""
    if device.type == 'cuda':
        return precision == 'float16' or torch.cuda.get_device_capability(device) >= (8, 0)
    flags = (cpuinfo('flags') or cpuinfo('Features')).split()       # x86 or Arm
    return not CPU_FLAGS[precision].isdisjoint(flags)


def processor_name() -> str:
    """The CPU's model, as people know it."""
    return cpuinfo('model name') or platform.processor() or platform.machine()


def cpuinfo(key: str) -> str:
    """What /proc/cpuinfo says of the first core under `key`; empty where there is no such file or key."""
    try:
        with open('/proc/cpuinfo') as lines:
            return next(line.split(':', 1)[1].strip() for line in lines if line.startswith(key))
    except (OSError, StopIteration):
        return ''


def _free_bytes(device: torch.device) -> float:
    """What can be had now: of the GPU; or of this machine, its container and this process, the least."""
    if device.type == 'cuda':
        return float(torch.cuda.mem_get_info(device)[0])
    free = [float(os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))]
    available = _first_number('/proc/meminfo', 'MemAvailable:')
    if available is not None:       # counts the file cache too, which yields; the page count above leaves it out
        free = [1024 * available]
    limit, used = _first_number('/sys/fs/cgroup/memory.max'), _first_number('/sys/fs/cgroup/memory.current')
    if limit is not None and used is not None:
        free.append(limit - used)
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    mapped = _first_number('/proc/self/status', 'VmSize:')
    if address_space != resource.RLIM_INFINITY and mapped is not None:
        free.append(address_space - 1024 * mapped)
    return min(free)


def _first_number(path: str, key: str = '') -> Optional[float]:
    """The number behind `key` in a file of the kernel; None if there is none (no limit, an older kernel)."""
    try:
        with open(path) as lines:
            return next(float(line[len(key):].split()[0]) for line in lines if line.startswith(key))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def in_memory_format(module: _Module, memory_format: torch.memory_format) -> _Module:
    """`module` itself, with its weights in that format."""
    return module.to(memory_format=memory_format)       # type: ignore[call-overload]  # not in torch's annotations
