# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the model at the previous resolution, so that going back to it takes no time."""
from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from fanet_ros.inference.first_segmenter import FirstSegmenter
from fanet_ros.ros.segmentation.active_model import ActiveModel, AnySegmenter, needs_other_model
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.inference import Segmenter


class PreviousModel:
    """At most one model that was replaced by the same network at another resolution. Used by one thread.

    While a third resolution is being built, none is kept: two models have to fit into the memory anyway, three may not.
    """

    def __init__(self) -> None:
        self._model: Optional[ActiveModel] = None

    def keep(self, replaced: Optional[ActiveModel], segmenter: AnySegmenter) -> None:
        """Keep `replaced`, unless `segmenter`, which took its place, is another network, or an engine only stood in."""
        self._model = None if replaced is None or replaced.segmenter.is_provisional \
            or not _is_same_network(replaced.segmenter, segmenter) else replaced

    def take(self, settings: SegmentationSettings, scale: float, present: Optional[ActiveModel]) -> Optional[Segmenter]:
        """The segmenter of the model if it is what is asked for instead of `present`, ready for its frames; else it is dropped."""
        model, self._model = self._model, None
        if model is None or present is None or isinstance(model.segmenter, FirstSegmenter) or model.scale != scale \
                or needs_other_model(model.settings, settings) or not _is_same_network(model.segmenter, present.segmenter) \
                or not all(model.segmenter.is_ready_for(*size) for size in present.segmenter.frame_sizes):
            return None
        model.segmenter.forget()
        return model.segmenter

    def drop(self) -> None:
        """Keep none."""
        self._model = None


def _is_same_network(one: AnySegmenter, other: AnySegmenter) -> bool:
    return not isinstance(one, FirstSegmenter) and not isinstance(other, FirstSegmenter) and one.setup is other.setup
