# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that run at the same time do not hear each other."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from domains import own_domain

SUPPORT = Path(__file__).parents[1] / 'support'
OTHER = 'import sys; from domains import own_domain\nwith own_domain([int(sys.argv[1])]) as domain: print(domain)'


def other(domain_id: int) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', OTHER, str(domain_id)], cwd=SUPPORT, capture_output=True, text=True, timeout=60)


def test_a_domain_belongs_to_one_test_process_even_before_a_node_is_in_it() -> None:
    with own_domain() as domain_id:
        refused = other(domain_id)
        assert refused.returncode == 1 and f'every ROS_DOMAIN_ID from {domain_id} to {domain_id} is in use' in refused.stderr
    assert other(domain_id).stdout == f'{domain_id}\n'
