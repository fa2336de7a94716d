# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Modules without random numbers in them, for weights that come from elsewhere: drawing them takes longer than all the rest."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Sequence

import torch
from torch.overrides import TorchFunctionMode

# Those of torch.nn.init that take a mode's word, and what the others come to.
DRAWING = (torch.nn.init.kaiming_uniform_, torch.nn.init.uniform_, torch.Tensor.uniform_, torch.Tensor.normal_)


class Uninitialised(TorchFunctionMode):
    """A context in which a module's parameters are left as the memory was; whoever makes one there sets them all.

    Not the device 'meta', which does as much for a module but loads a compiler of 800 Python modules on first use.
    """

    def __torch_function__(self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (),
                           kwargs: Optional[Mapping[str, Any]] = None) -> Any:
        if func in DRAWING:
            return args[0] if args else (kwargs or {})['tensor']
        return func(*args, **(kwargs or {}))
