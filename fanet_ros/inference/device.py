"""Which device the network runs on, and whether a resolution fits into its memory."""
from __future__ import annotations

import os

import torch

from fanet_ros.inference.segmentation import SegmentationError

# Peak memory per input pixel of FANet-18/34/50 in float32, weights apart: activations of the stem and of the attention
# levels, and the full-size logits of the postprocessing. Measured, rounded up.
BYTES_PER_INPUT_PX = 600


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


def check_memory(height: int, width: int, device: torch.device) -> None:
    """Refuse a network resolution that the device's free memory cannot hold.

    :raises SegmentationError: it does not fit
    """
    free = _free_bytes(device)
    needed = height * width * BYTES_PER_INPUT_PX
    if needed > 0.9 * free:
        raise SegmentationError(
            f'resolution {height}x{width} needs about {needed / 2**30:.1f} GiB on {device}, '
            f'{free / 2**30:.1f} GiB are free: choose a smaller input_height or input_width')


def _free_bytes(device: torch.device) -> float:
    if device.type == 'cuda':
        return float(torch.cuda.mem_get_info(device)[0])
    try:        # what can be had without swapping; the page count alone would leave out the file cache
        with open('/proc/meminfo') as meminfo:
            return 1024.0 * next(int(line.split()[1]) for line in meminfo if line.startswith('MemAvailable'))
    except (OSError, StopIteration):
        return float(os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))
