# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of `python -m fanet_ros NAME ...`."""
import sys

from fanet_ros.commands import main

sys.exit(main())
