# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Location of the package's data: config/, launch/ and weights/. Needs no ROS."""
from __future__ import annotations

from pathlib import Path

PACKAGE_NAME = 'fanet_ros'


def share_directory() -> Path:
    """Return the folder that contains config/, launch/ and weights/ for the code that is running.

    Works for a colcon or pip installation (`<prefix>/share/fanet_ros`) and for a source checkout (its root). The nearest one
    above this file wins, so an installation inside a checkout finds its own data.

    :raises FileNotFoundError: neither exists, which means a broken installation
    """
    # Not resolved: in a symlink installation this file is a link that leads out of the prefix with the data.
    here = Path(__file__).absolute()
    for folder in here.parents:
        installed = folder / 'share' / PACKAGE_NAME
        if (installed / 'package.xml').is_file():
            return installed
        if (folder / 'package.xml').is_file() and (folder / PACKAGE_NAME) == here.parent:
            return folder
    raise FileNotFoundError(
        f'no data of {PACKAGE_NAME} (config/, launch/, weights/) found above {here.parent}: expected '
        f'<prefix>/share/{PACKAGE_NAME}/package.xml or a source checkout; build the package again')


def class_map_file(name: str) -> Path:
    """Where the class map `name` is, if it is one of those that the package ships."""
    return share_directory() / 'config' / 'class_maps' / f'{name}.yaml'
