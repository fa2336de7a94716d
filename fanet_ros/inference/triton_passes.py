# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The FusedPasses of a GPU. Needs triton."""
from __future__ import annotations

from fanet_ros.inference import triton_attention, triton_epilogue


class TritonPasses:
    """See FusedPasses."""

    epilogue = staticmethod(triton_epilogue.epilogue)
    pooled = staticmethod(triton_epilogue.pooled)
    projected = staticmethod(triton_attention.projected)
    fused = staticmethod(triton_attention.fused)
    joined = staticmethod(triton_attention.joined)
