# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Replaces the active model atomically, while frames keep being processed."""
from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, Optional, Sequence

from fanet_ros.error_text import error_text
from fanet_ros.inference import release_memory, trim_heap
from fanet_ros.inference.first_segmenter import FirstSegmenter
from fanet_ros.ros.segmentation.active_model import (
    ActiveModel,
    AnySegmenter,
    build_segmenter,
    first_segmenter,
    needs_other_model,
    remember_segmenter,
)
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.ros.segmentation.spare_models import SpareModels

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.inference import Segmenter

POLL_S = 0.005      # how often `meanwhile` is called: faster than any camera
END_S = 1.0         # how long close() waits for a build in progress


class ModelSwitch:
    """Holds the active model. One background thread builds what was asked for, sequentially; another one the fastest engine, for
    which nobody waits.

    `active` can be read by any thread at any time; it is replaced by a single assignment. Models at other resolutions are kept,
    so that changing to them takes no time, see SpareModels.

    :param meanwhile: called repeatedly while the calling thread waits for a build; an exception it raises ends the wait
    :param log: called with one sentence on the outcome of background builds
    """

    def __init__(self, meanwhile: Callable[[], None], log: Callable[[str], None]) -> None:
        self._meanwhile, self._log = meanwhile, log
        self._is_preparing = False
        self._lock = threading.Lock()
        self._builder = ThreadPoolExecutor(1, thread_name_prefix='model')
        self._upkeep = ThreadPoolExecutor(1, thread_name_prefix='fastest')
        self.active: Optional[ActiveModel] = None
        self._spares = SpareModels()        # used by the builder thread only

    @property
    def loaded(self) -> ActiveModel:
        """The active model, for callers that require one.

        :raises RuntimeError: no model is loaded
        """
        if self.active is None:
            raise RuntimeError('no model is loaded')
        return self.active

    def load(self, settings: SegmentationSettings) -> None:
        """Build the first model.

        :raises Exception: it cannot be built; no model is loaded then
        """
        self._wait(self._builder.submit(self._build, settings))

    def change(self, settings: SegmentationSettings) -> bool:
        """Apply `settings`, building another model if they require it; returns whether one was built.

        :raises Exception: the model cannot be built; nothing changes
        """
        if self.active is None:
            return False
        if not needs_other_model(self.active.settings, settings):
            style = OutputStyle.of(self.active.segmenter.class_map, settings)
            with self._lock:
                self.active = replace(self.active, settings=settings, style=style)
            self._builder.submit(self._spares.trim, settings)
            return False
        self._wait(self._builder.submit(self._build, settings))
        self._builder.submit(trim_heap)     # the worker may still hold the old model for one frame, but most is freed now
        return True

    def rescale(self, scale: float, done: Callable[[bool, Optional[BaseException]], None]) -> None:
        """Start changing the resolution scale; abandoned if the model changes first.

        :param done: called on the builder thread with whether the model now runs at `scale`, and the error if it cannot
        """
        def work() -> None:
            base = self.active
            if base is None or base.scale == scale:
                done(base is not None, None)
                return
            try:
                segmenter = self._at(base.settings, scale, base)
            except Exception as error:      # any failure means that this scale is unusable
                done(False, error)
                return
            with self._lock:
                present = self.active
                is_same = present is not None and present.segmenter is base.segmenter
                if present is not None and is_same:
                    self.active = replace(present, segmenter=segmenter, scale=scale)
                    self._spares.keep(base, segmenter, present.settings)
            done(is_same, None)
        self._builder.submit(work)

    def stand_by(self, scales: Sequence[float], done: Callable[[Optional[float], Optional[BaseException]], None]) -> None:
        """Start building the first of the resolution `scales` that is not at hand, for rescale() to change to at once.

        :param done: called on the builder thread, with the scale and the error if that one cannot be built, else with None
        """
        def work() -> None:
            base = self.active
            missing = () if base is None or base.segmenter.is_provisional else tuple(
                scale for scale in scales if scale != base.scale and not self._spares.has(base.settings, scale, base))
            if base is None or not missing:
                done(None, None)
                return
            try:
                segmenter = build_segmenter(base.settings, missing[0], base)
            except Exception as error:      # any failure means that this scale is unusable
                done(missing[0], error)
                return
            present = self.active
            if present is not None and present.segmenter is base.segmenter:
                self._spares.keep(replace(base, segmenter=segmenter, scale=missing[0]), base.segmenter, present.settings)
            done(None, None)
        self._builder.submit(work)

    def prepare(self, segmenter: AnySegmenter, height: int, width: int) -> None:
        """Start preparing `segmenter` for images of `height` x `width` px, one shape at a time. Never blocks."""
        with self._lock:
            if self._is_preparing:
                return          # the next frame requests it again
            self._is_preparing = True

        def work() -> None:
            try:
                if self.active is not None and self.active.segmenter is segmenter and not segmenter.is_ready_for(height, width):
                    network_height, network_width = segmenter.prepare(height, width)
                    self._log(f'images of {width}x{height} now run at {network_width}x{network_height}')
            except Exception as error:      # any failure: these images stay squeezed, without another attempt
                self._log(f'images of {width}x{height} stay squeezed to another aspect ratio: {error_text(error)}')
            finally:
                self._is_preparing = False
        self._builder.submit(work)

    def measure_again(self, done: Callable[[str], None]) -> None:
        """Start rebuilding the active model with the fastest engine, in the background. It takes over if the engine differs
        or the current one is provisional, and the model has not been changed meanwhile.

        :param done: called on a background thread with the description of the new segmenter, if it took over
        """
        def work() -> None:
            base = self.active
            if base is None:
                return
            try:
                segmenter = build_segmenter(base.settings, base.scale, base)
            except Exception as error:      # any failure: keep the current engine
                self._log(f'keeping {base.segmenter.engine_description}: {error_text(error)}')
                return
            with self._lock:
                present = self.active
                is_other = present is not None and present.segmenter is base.segmenter and (
                    base.segmenter.is_provisional or segmenter.engine_description != base.segmenter.engine_description)
                if present is not None and is_other:
                    self.active = replace(present, segmenter=segmenter)
            if is_other and not base.segmenter.is_provisional:      # the spare models have the engine of the earlier choice
                self._builder.submit(self._spares.drop)
            if is_other:
                done(segmenter.description)
            if not isinstance(base.segmenter, FirstSegmenter):      # else it was built from the checkpoint, and is remembered
                remember_segmenter(base.settings, segmenter)
        self._upkeep.submit(work)

    def unload(self) -> None:
        with self._lock:
            self.active = None
        for thread, work in ((self._upkeep, release_memory), (self._builder, self._spares.drop)):
            self._wait(thread.submit(work))     # queued after any pending build
        release_memory()

    def close(self) -> bool:
        """Stop the background threads; False if a long build, which cannot be interrupted, is still running."""
        last = [thread.submit(lambda: None) for thread in (self._upkeep, self._builder)]
        for thread in (self._upkeep, self._builder):
            thread.shutdown(wait=False)
        return not wait(last, timeout=END_S).not_done

    def _wait(self, future: Future[None]) -> None:
        while not wait([future], timeout=POLL_S).done:
            self._meanwhile()
        future.result()

    def _build(self, settings: SegmentationSettings) -> None:
        present = self.active       # read on the builder thread, so that no other request can be in progress
        scale = 1.0 if present is None else present.scale
        first = first_segmenter(settings) if present is None else None
        segmenter: AnySegmenter = first or self._at(settings, scale, present, quick=True)
        with self._lock:
            self.active = ActiveModel(segmenter, settings, OutputStyle.of(segmenter.class_map, settings), scale)
        self._spares.keep(present, segmenter, settings)

    def _at(self, settings: SegmentationSettings, scale: float, present: Optional[ActiveModel], *,
            quick: bool = False) -> Segmenter:
        """A segmenter that was kept, if it is the one that is asked for, else a new one."""
        return self._spares.take(settings, scale, present) or build_segmenter(settings, scale, present, quick=quick)
