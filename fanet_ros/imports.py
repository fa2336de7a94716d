# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports at less cost: torch alone takes seconds."""
from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Callable, Mapping, Sequence


def import_quickly(module: str) -> ModuleType:
    """import_module() without garbage collection: what modules create stays, and is searched for garbage again and again.

    For torch, that is a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if was_enabled:
            gc.enable()


def imported_on_use(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` (PEP 562) of a package whose modules are imported when one of their names is first used.

    :param names: module of the package -> the names that it provides
    """
    homes = {name: module for module, provided in names.items() for name in provided}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        value = getattr(import_quickly(f'{package}.{homes[name]}'), name)
        setattr(sys.modules[package], name, value)      # from now on found without this function
        return value
    return get
