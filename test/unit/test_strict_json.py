# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""NaN becomes null, and only NaN: names that contain these letters stay."""
from __future__ import annotations

import json
import math

import numpy as np

from fanet_ros.strict_json import without_nan


def test_only_figures_become_null() -> None:
    content = {'class NaN': (math.nan, 0.5), 'recipe': ['NaN'], 'nested': {'share': np.float64('nan'), 'frames': 3}}
    assert json.loads(json.dumps(without_nan(content), allow_nan=False)) == {
        'class NaN': [None, 0.5], 'recipe': ['NaN'], 'nested': {'share': None, 'frames': 3}}
