# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of several tools."""
from __future__ import annotations

from pathlib import Path

import pytest

from fanet_ros.model import change_metadata


@pytest.fixture(name='street_checkpoint', scope='session')
def street_checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped default, at a small resolution."""
    path = tmp_path_factory.mktemp('weights') / 'street.safetensors'
    change_metadata('fanet18_camvid', path, training_resolution=(96, 128))
    return path
