# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the class of an engine says of itself, so that nothing else need know it."""
from __future__ import annotations

import importlib
from abc import abstractmethod

from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.network_setup import NetworkSetup


class EngineKind(Engine):
    """An engine that can be asked for by name: `registry` lists the classes.

    Two classes may share a `name` where they run on different devices.
    """

    devices: tuple[str, ...]                # types of device that it runs on: 'cpu', 'cuda'
    precisions: tuple[str, ...]             # that it runs in, there
    packages: tuple[str, ...] = ()          # beside PyTorch, that pip installs, called in Python as there
    runtime: str                            # module that computes, upon whose version it hangs how fast that is
    gains_by_batches_on: tuple[str, ...] = ()       # types of device where several images at once cost less than one by one
    is_on_demand = False                    # takes a minute and more to start: only where it is asked for by name
    stands_in = False                       # is built at once, so that it may run until a faster one is converted
    is_recommended = False                  # as a rule twice as fast as PyTorch, or more, so that it is worth installing

    @abstractmethod
    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        """One for images (batch, 3, height, width), warmed; what is made of less than a setup has a build() of its own.

        :raises EngineError: it cannot be made
        """

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> EngineKind:
        """One of this kind, see there."""
        return cls(setup, height, width, batch)

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        """Whether build() for one image takes no longer than PyTorch's would: what has to be converted is there already."""
        return cls.stands_in

    @classmethod
    def why_missing(cls) -> str:
        """Why it cannot be had on this machine, with the remedy; '' if it can."""
        if all(can_import(package) for package in cls.packages):
            return ''
        return f"engine '{cls.name}' needs packages that are not installed: pip install {' '.join(cls.packages)}"

    @classmethod
    def is_available(cls) -> bool:
        """Whether what it needs is installed."""
        return not cls.why_missing()

    @classmethod
    def require(cls) -> None:
        """:raises EngineError: it cannot be had on this machine"""
        reason = cls.why_missing()
        if reason:
            raise EngineError(f"{reason}, or set engine to 'torch'")

    @classmethod
    def version(cls) -> str:
        """Of what computes."""
        return str(importlib.import_module(cls.runtime).__version__)


def can_import(module: str) -> bool:
    """Tried, not looked for: what is installed may still be built for another machine."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
