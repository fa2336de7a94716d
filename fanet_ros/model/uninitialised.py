# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Skips the random initialisation of modules whose weights are loaded anyway: it takes longer than everything else."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Sequence

import torch
from torch.overrides import TorchFunctionMode

# The torch.nn.init functions that a mode can override, and the tensor methods that the others call.
DRAWING = (torch.nn.init.kaiming_uniform_, torch.nn.init.uniform_, torch.Tensor.uniform_, torch.Tensor.normal_)


class Uninitialised(TorchFunctionMode):
    """A context in which new modules have uninitialised parameters; the caller must set all of them.

    The 'meta' device would do the same, but loads a compiler of 800 Python modules on first use.
    """

    def __torch_function__(self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (),
                           kwargs: Optional[Mapping[str, Any]] = None) -> Any:
        if func in DRAWING:
            return args[0] if args else (kwargs or {})['tensor']
        return func(*args, **(kwargs or {}))
