# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps models at other resolutions than the present one, so that changing to them takes no time."""
from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from fanet_ros.inference.first_segmenter import FirstSegmenter
from fanet_ros.ros.segmentation.active_model import ActiveModel, AnySegmenter, needs_other_model
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.inference import Segmenter


class SpareModels:
    """The previous resolution or, with a latency budget, every scale of its ladder. Used by one thread.

    Without a budget none is kept while a third resolution is being built: two models have to fit into the memory anyway,
    three may not.
    """

    def __init__(self) -> None:
        self._models: list[ActiveModel] = []

    def keep(self, replaced: Optional[ActiveModel], segmenter: AnySegmenter, settings: SegmentationSettings) -> None:
        """Keep `replaced`, unless `segmenter`, now in its place, is another network, or an engine only stood in.

        :param settings: those in use now
        """
        self._models = [model for model in self._models if _is_same_network(model.segmenter, segmenter)]
        if replaced is not None and not replaced.segmenter.is_provisional and _is_same_network(replaced.segmenter, segmenter):
            self._models.append(replaced)
        self.trim(settings)

    def trim(self, settings: SegmentationSettings) -> None:
        """Drop those that `settings` do not allow for, the oldest first."""
        most = len(settings.resolution_ladder) if settings.latency_budget_ms else 1
        self._models = self._models[-most:]

    def take(self, settings: SegmentationSettings, scale: float, present: Optional[ActiveModel]) -> Optional[Segmenter]:
        """The segmenter of the model that is asked for instead of `present`, ready for its frames; None if it is not here.

        Those that no scale of the present ladder can ask for are dropped.
        """
        usable = [] if present is None else self._usable(settings, present)
        self._models = []
        if settings.latency_budget_ms:
            self._models = [model for model in usable if model.scale != scale]
        found = [model.segmenter for model in usable if model.scale == scale and not isinstance(model.segmenter, FirstSegmenter)]
        if not found:
            return None
        found[0].forget()
        return found[0]

    def has(self, settings: SegmentationSettings, scale: float, present: ActiveModel) -> bool:
        """Whether take() would find it."""
        return any(model.scale == scale for model in self._usable(settings, present))

    def drop(self) -> None:
        """Keep none."""
        self._models = []

    def _usable(self, settings: SegmentationSettings, present: ActiveModel) -> list[ActiveModel]:
        """Those of the network and the options, ready for the present frames; they differ in their scale."""
        return [model for model in self._models if not needs_other_model(model.settings, settings)
                and _is_same_network(model.segmenter, present.segmenter)
                and all(model.segmenter.is_ready_for(*size) for size in present.segmenter.frame_sizes)]


def _is_same_network(one: AnySegmenter, other: AnySegmenter) -> bool:
    return not isinstance(one, FirstSegmenter) and not isinstance(other, FirstSegmenter) and one.setup is other.setup
