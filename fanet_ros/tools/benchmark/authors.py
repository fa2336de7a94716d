# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The authors' own network, from a checkout of github.com/feinanshan/FANet, to be timed beside ours."""
from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

from torch import nn

PACKAGE = 'fanet_authors'
FOLDER = Path('Testing') / 'models' / 'fanet'


class AuthorsError(ValueError):
    """The authors' code cannot be used; one line that says why."""


def load_authors_network(checkout: Path, backbone: str, num_classes: int) -> nn.Module:
    """Their benchmark's FANet in eval mode, with random weights; as they time it, BatchNorm counts as folded.

    :raises AuthorsError: `checkout` is not their repository
    """
    folder = Path(checkout).expanduser().absolute() / FOLDER
    if not (folder / 'fanet.py').is_file():
        raise AuthorsError(f'{checkout} is not a checkout of github.com/feinanshan/FANet: {FOLDER}/fanet.py is missing')
    package = types.ModuleType(PACKAGE)         # their folder's own __init__ would import all the rest
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    resnet = importlib.import_module(f'{PACKAGE}.resnet')
    # Their encoders download ImageNet weights when they are made; time does not depend on weights.
    vars(resnet)['model_zoo'] = types.SimpleNamespace(load_url=lambda url: {})
    return importlib.import_module(f'{PACKAGE}.fanet').FANet(num_classes, backbone).eval()
