# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packaging for pip: metadata and dependencies are in setup.cfg, this file only adds what needs a glob."""
from glob import glob
from os.path import isfile

from setuptools import setup

SHARE = 'share/fanet_ros'


def files(pattern: str) -> list:
    """Return the files that match the pattern, sorted."""
    return sorted(path for path in glob(pattern) if isfile(path))


setup(data_files=[
    (SHARE, ['package.xml']),
    (f'{SHARE}/config', files('config/*')),
    (f'{SHARE}/config/class_maps', files('config/class_maps/*')),
    (f'{SHARE}/config/training', files('config/training/*')),
    (f'{SHARE}/launch', files('launch/*.launch.py')),
    (f'{SHARE}/weights', files('weights/*')),
])
