# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Machine checks of doctor: Python, torch, GPU, numpy, cv_bridge, engines and their cache."""
from __future__ import annotations

import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import numpy as np
import torch

from fanet_ros.host.processor import processor_name
from fanet_ros.inference.device import choose_device, why_slow
from fanet_ros.inference.engines import engines_on
from fanet_ros.inference.engines.cache import MAX_BYTES, cache_bytes, cache_directory
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding

# Run in a separate process: built against another numpy, cv_bridge may crash it.
CV_BRIDGE_TRIAL = '''
import numpy as np
from cv_bridge import CvBridge
pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
assert np.array_equal(CvBridge().imgmsg_to_cv2(CvBridge().cv2_to_imgmsg(pixels, 'bgr8'), 'bgr8'), pixels)
'''
TRIAL_TIMEOUT_S = 60
NVIDIA_DEVICE = Path('/dev/nvidia0')


def check_python() -> Iterator[Finding]:
    """Report Python, system and processor, also for bug reports."""
    system = f'{platform.system()} {platform.machine()}, {processor_name()}'
    yield Finding('python', OK, f'Python {platform.python_version()} ({sys.executable}), {system}')


def check_torch(has_nvidia: bool = NVIDIA_DEVICE.exists()) -> Iterator[Finding]:
    """Check that torch, numpy, the CUDA build and the driver are compatible."""
    build = f'built for CUDA {torch.version.cuda}' if torch.version.cuda else 'built without CUDA'
    yield Finding('torch', OK, f'torch {torch.__version__}, {build}, {torch.get_num_threads()} CPU threads')
    try:
        torch.from_numpy(np.zeros(2, np.float32)).numpy()
    except RuntimeError as error:
        yield Finding('torch', ERROR, f'torch and numpy {np.__version__} are incompatible: {error}',
                      "pip install 'numpy<2', or a newer torch")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            yield Finding('gpu', OK, f'cuda:{index} is {torch.cuda.get_device_name(index)}, {free / 2**30:.1f} of '
                                     f'{total / 2**30:.1f} GiB free')
    elif not has_nvidia:
        yield Finding('gpu', OK, 'none: the network runs on the CPU')
    elif torch.version.cuda:
        yield Finding('gpu', ERROR, f'there is an NVIDIA GPU, but torch for CUDA {torch.version.cuda} cannot use it{_driver()}',
                      'install a driver that is new enough for this CUDA version, or a torch built for an older one')
    else:
        yield Finding('gpu', WARN, f'there is an NVIDIA GPU, but torch is built without CUDA{_driver()}',
                      'install the torch build for your CUDA version, or set device to cpu if that is intended')


def _driver() -> str:
    if shutil.which('nvidia-smi') is None:
        return ''
    done = subprocess.run(['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader'], capture_output=True, text=True,
                          timeout=TRIAL_TIMEOUT_S, check=False)
    return f' (driver {done.stdout.strip()})' if done.returncode == 0 else ' (nvidia-smi fails)'


def check_cv_bridge(trial: str = CV_BRIDGE_TRIAL) -> Iterator[Finding]:
    """Check that cv_bridge works with this numpy."""
    done = subprocess.run([sys.executable, '-c', trial], capture_output=True, text=True, timeout=TRIAL_TIMEOUT_S, check=False)
    if done.returncode == 0:
        yield Finding('cv_bridge', OK, f'works with numpy {np.__version__}')
        return
    if done.returncode < 0:
        reason = f'crashes with {signal.Signals(-done.returncode).name}'
    else:
        reason = (done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]
    remedy = 'only unusual encodings need it'
    if 'No module' in reason:
        remedy += ': apt install ros-$ROS_DISTRO-cv-bridge'
    else:
        remedy += "; if it was built for numpy 1: pip install 'numpy<2'"
    yield Finding('cv_bridge', WARN, f'does not work with numpy {np.__version__}: {reason}', remedy)


def check_precision(precision: str, device: str) -> Iterator[Finding]:
    """Check that the device computes in `precision` without emulating it; no finding if it does."""
    if warning := why_slow(precision, choose_device(device)):
        yield Finding('precision', WARN, warning, 'set precision to auto')


def check_engines() -> Iterator[Finding]:
    """Check which engines are available and recommended here, and that their cache is writable."""
    kinds = engines_on(choose_device('auto')).values()
    yield Finding('engines', OK, ', '.join(kind.name for kind in kinds if kind.is_available() and not kind.is_on_demand))
    missing = [kind for kind in kinds if kind.is_recommended and not kind.is_available()]
    if missing:
        packages = dict.fromkeys(package for kind in missing for package in kind.packages)
        yield Finding('engines', WARN, f'{" and ".join(kind.name for kind in missing)} would be at least twice as fast as torch '
                                       'here', f'pip install {" ".join(packages)}')
    directory = cache_directory()
    yield Finding('engines', OK, f'cache {directory}: {cache_bytes() / 2**20:.0f} MiB of at most {MAX_BYTES / 2**20:.0f}')
    try:
        (directory / '.doctor').write_text('')
        (directory / '.doctor').unlink()
    except OSError as error:
        yield Finding('engines', WARN, f'{directory} cannot be written ({error.strerror}): every start rebuilds its engine',
                      'set XDG_CACHE_HOME to a folder that the user of the node can write')
