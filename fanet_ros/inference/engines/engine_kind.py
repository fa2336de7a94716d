# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each engine class declares about itself, so that no other code needs to know it."""
from __future__ import annotations

import importlib
import logging
from abc import abstractmethod

from fanet_ros.error_text import typed_error_text
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.network_setup import NetworkSetup

LOG = logging.getLogger(__name__)


class EngineKind(Engine):
    """An engine that can be selected by name; `registry` lists the classes.

    Two classes may share a `name` if they run on different devices.
    """

    devices: tuple[str, ...]                # supported device types: 'cpu', 'cuda'
    precisions: tuple[str, ...]             # supported on these devices
    packages: tuple[str, ...] = ()          # required besides PyTorch; pip and import names are the same
    runtime: str                            # module that computes; the speed depends on its version
    gains_by_batches_on: tuple[str, ...] = ()       # device types where a batch costs less than single images
    is_on_demand = False                    # takes a minute or more to start: only used if selected by name
    stands_in = False                       # is built at once, so that it can run until a faster one is converted
    is_recommended = False                  # usually at least twice as fast as PyTorch, so worth installing

    @abstractmethod
    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        """Build it for images (batch, 3, height, width) and warm it up; a class with other arguments overrides build().

        :raises EngineError: it cannot be built
        """

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> EngineKind:
        """Build an engine of this kind, see __init__."""
        return cls(setup, height, width, batch)

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        """Whether build() for one image takes no longer than PyTorch's, because everything to be converted is cached."""
        return cls.stands_in

    @classmethod
    def why_missing(cls) -> str:
        """Why it is not available on this machine, and the remedy; '' if it is."""
        if all(can_import(package) for package in cls.packages):
            return ''
        return f"engine '{cls.name}' needs packages that are not installed: pip install {' '.join(cls.packages)}"

    @classmethod
    def is_available(cls) -> bool:
        """Whether everything it needs is installed."""
        return not cls.why_missing()

    @classmethod
    def require(cls) -> None:
        """:raises EngineError: it is not available on this machine"""
        reason = cls.why_missing()
        if reason:
            raise EngineError(f"{reason}, or set engine to 'torch'")

    @classmethod
    def version(cls) -> str:
        """Version of the runtime."""
        return str(importlib.import_module(cls.runtime).__version__)


def can_import(module: str) -> bool:
    """Whether `module` can be imported. Finding it is not enough: it may be built for another machine."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    except Exception as error:      # any other fault of its native library
        LOG.warning(f'{module} is installed but cannot be used: {typed_error_text(error)}')
        return False
    return True
