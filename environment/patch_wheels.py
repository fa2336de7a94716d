# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Replace the build machine's paths in the CMake files of the ROS wheels by this environment's.

The message packages export the include folders of the Python and numpy they were built with, and CMake
refuses to link against a target whose include folder is missing. Run by the environment's own interpreter;
running it again changes nothing.
"""
from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import numpy

PYTHON_INCLUDE = re.compile(r'/opt/python/cp\d+-cp\d+/include/python3\.\d+')
NUMPY_INCLUDE = re.compile(r'/[^;"\s]*/site-packages/numpy/_?core/include')


def patch(text: str, python_include: str, numpy_include: str) -> str:
    """Return the CMake text with both include folders replaced."""
    text = PYTHON_INCLUDE.sub(lambda _: python_include, text)
    return NUMPY_INCLUDE.sub(lambda _: numpy_include, text)


def main() -> int:
    """Patch every `share/*/cmake/*.cmake` of this environment; fail if Python's headers are missing."""
    python_include = sysconfig.get_paths()['include']
    if not (Path(python_include) / 'Python.h').is_file():
        print(f'error: {python_include}/Python.h is missing: install the headers of Python '
              f'{sys.version_info.major}.{sys.version_info.minor} (Debian/Ubuntu: python3-dev)',
              file=sys.stderr)
        return 1
    patched = 0
    for path in sorted(Path(sys.prefix).glob('share/*/cmake/*.cmake')):
        before = path.read_text(encoding='utf-8')
        after = patch(before, python_include, numpy.get_include())
        if after != before:
            path.write_text(after, encoding='utf-8')
            patched += 1
    print(f'patched {patched} CMake files of the ROS wheels')
    return 0


if __name__ == '__main__':
    sys.exit(main())
