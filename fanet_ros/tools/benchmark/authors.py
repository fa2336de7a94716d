# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Load the authors' network from a checkout of github.com/feinanshan/FANet, as a baseline."""
from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

from torch import nn

PACKAGE = 'fanet_authors'
FOLDER = Path('Testing') / 'models' / 'fanet'


class AuthorsError(ValueError):
    """The authors' code is unusable; one line that says why."""


def load_authors_network(checkout: Path, backbone: str, num_classes: int) -> nn.Module:
    """FANet from the authors' benchmark code: eval mode, random weights, BatchNorm left out as if folded.

    :raises AuthorsError: `checkout` is not their repository
    """
    folder = Path(checkout).expanduser().absolute() / FOLDER
    if not (folder / 'fanet.py').is_file():
        raise AuthorsError(f'{checkout} is not a checkout of github.com/feinanshan/FANet: {FOLDER}/fanet.py is missing')
    package = types.ModuleType(PACKAGE)         # bypasses the folder's __init__, which would import much more
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    resnet = importlib.import_module(f'{PACKAGE}.resnet')
    # Prevents the encoders from downloading ImageNet weights, on which the time does not depend.
    vars(resnet)['model_zoo'] = types.SimpleNamespace(load_url=lambda url: {})
    return importlib.import_module(f'{PACKAGE}.fanet').FANet(num_classes, backbone).eval()
