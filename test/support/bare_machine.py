# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An environment in which Python finds only its standard library and the listed packages with their dependencies."""
from __future__ import annotations

import importlib.metadata
import json
import os
import re
from pathlib import Path

# Typical packages of a machine for GPU work; those not installed here are skipped.
PACKAGES = ('torch', 'triton', 'numpy', 'opencv-python-headless', 'opencv-python', 'onnxruntime', 'pytest', 'tqdm', 'PyYAML',
            'safetensors', 'matplotlib', 'psutil', 'setuptools')

# Source of sitecustomize.py, which Python runs at start-up.
SITE = '''
import json, sys
from importlib.machinery import PathFinder
from pathlib import Path

class Bare(PathFinder):
    known = set(json.loads(Path(__file__).with_name('known.json').read_text())) | set(sys.stdlib_module_names) | {
        'fanet_ros', 'sitecustomize', 'usercustomize'}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and name not in cls.known and not name.startswith(('_', 'test_', 'conftest')):
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
'''


def bare_environment(folder: Path) -> dict[str, str]:
    """Environment variables for a process on such a machine; its sitecustomize.py is written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'sitecustomize.py').write_text(SITE)
    (folder / 'known.json').write_text(json.dumps(sorted(_modules(PACKAGES))))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('ROS', 'AMENT', 'COLCON', 'RMW'))}
    # pytest would load the plugins installed here, which such a machine does not have.
    return {**environment, 'PYTHONPATH': str(folder), 'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'}


def _modules(packages: tuple[str, ...]) -> set[str]:
    """Top-level modules of these packages and of their dependencies."""
    seen: set[str] = set()
    waiting = [_normal(name) for name in packages]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        seen.add(name)
        waiting += [_normal(re.match(r'[\w.\-]+', need).group()) for need in needs if 'extra ==' not in need]
    # Not packages_distributions(): on Python 3.10 it covers only packages with top_level.txt.
    return {module for name in seen for module in _top_level(importlib.metadata.distribution(name))}


def _top_level(distribution: importlib.metadata.Distribution) -> set[str]:
    files = distribution.files or []
    return {file.parts[0].split('.')[0] for file in files if file.suffix in ('.py', '.so')} - {''}


def _normal(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()
