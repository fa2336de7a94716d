# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Replaces the model in use as a whole or not at all, while frames go on."""
from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Callable, Optional

from fanet_ros.inference import Segmenter, release_memory, trim_heap
from fanet_ros.ros.segmentation.active_model import ActiveModel, build_segmenter, needs_other_model
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

POLL_S = 0.005      # how often `meanwhile` is called: more often than any camera sends
END_S = 1.0         # how long close() waits for what is being built


class ModelSwitch:
    """Holds the active model. All building is done by one thread of its own, one thing after the other.

    `active` may be read by any thread, at any time; it is replaced by one assignment.

    :param style: what the outputs look like with these settings and the classes of this segmenter
    :param log: is told what became of what was built in the background, in a sentence
    :param meanwhile: is called again and again while the caller's thread waits for something to be built; what it raises
        ends the waiting
    """

    def __init__(self, style: Callable[[SegmentationSettings, Segmenter], OutputStyle],
                 meanwhile: Callable[[], None], log: Callable[[str], None]) -> None:
        self._style, self._meanwhile, self._log = style, meanwhile, log
        self._is_preparing = False
        self._lock = threading.Lock()
        self._builder = ThreadPoolExecutor(1, thread_name_prefix='model')
        self.active: Optional[ActiveModel] = None

    @property
    def loaded(self) -> ActiveModel:
        """The active model, for who knows that there is one.

        :raises RuntimeError: there is none
        """
        if self.active is None:
            raise RuntimeError('no model is loaded')
        return self.active

    def load(self, settings: SegmentationSettings) -> None:
        """Build the first model.

        :raises Exception: it cannot be built; there is none then
        """
        self._wait(self._builder.submit(self._build, settings))

    def change(self, settings: SegmentationSettings) -> bool:
        """Go over to `settings`, with another model if they need one; returns whether they did.

        :raises Exception: that model cannot be built; all stays as it is
        """
        if self.active is None:
            return False
        if not needs_other_model(self.active.settings, settings):
            with self._lock:
                self.active = replace(self.active, settings=settings, style=self._style(settings, self.active.segmenter))
            return False
        self._wait(self._builder.submit(self._build, settings))
        self._builder.submit(trim_heap)     # the worker may be on its last frame with the old one; most of it goes now
        return True

    def rescale(self, scale: float, done: Callable[[bool, Optional[BaseException]], None]) -> None:
        """Begin to go over to another scale of the resolution, unless something else comes first.

        :param done: is told by the building thread whether it runs at that scale now, and the error if it cannot
        """
        def work() -> None:
            base = self.active
            if base is None or base.scale == scale:
                done(base is not None, None)
                return
            try:
                segmenter = build_segmenter(base.settings, scale, base)
            except Exception as error:      # whatever it is, that scale does not work
                done(False, error)
                return
            with self._lock:
                present = self.active
                is_same = present is not None and present.segmenter is base.segmenter
                if present is not None and is_same:
                    self.active = replace(present, segmenter=segmenter, scale=scale)
            done(is_same, None)
        self._builder.submit(work)

    def prepare(self, segmenter: Segmenter, height: int, width: int) -> None:
        """Begin to make `segmenter` ready for images of `height` x `width` px, one shape at a time. Never waits."""
        with self._lock:
            if self._is_preparing:
                return          # the next frame asks again
            self._is_preparing = True

        def work() -> None:
            try:
                if self.active is not None and self.active.segmenter is segmenter and not segmenter.is_ready_for(height, width):
                    network_height, network_width = segmenter.prepare(height, width)
                    self._log(f'images of {width}x{height} now run at {network_width}x{network_height}')
            except Exception as error:      # whatever it is, they go on squeezed, and it is not tried again
                self._log(f'images of {width}x{height} run squeezed: {" ".join(str(error).split())}')
            finally:
                self._is_preparing = False
        self._builder.submit(work)

    def measure_again(self, done: Callable[[str], None]) -> None:
        """Begin to build the active model anew by the fastest engine, in the background; if that is another one, or the
        present one only stands in, it takes over.

        :param done: is told by the building thread what runs now, if that changed
        """
        def work() -> None:
            base = self.active
            if base is None:
                return
            try:
                segmenter = build_segmenter(base.settings, base.scale, base, anew=True)
            except Exception as error:      # whatever it is, the present one goes on
                self._log(f'{base.segmenter.engine_description} stays: {" ".join(str(error).split())}')
                return
            with self._lock:
                present = self.active
                is_other = present is not None and present.segmenter is base.segmenter and (
                    base.segmenter.is_provisional or segmenter.engine_description != base.segmenter.engine_description)
                if present is not None and is_other:
                    self.active = replace(present, segmenter=segmenter)
            if is_other:
                done(segmenter.description)
        self._builder.submit(work)

    def unload(self) -> None:
        """Forget the model and give its memory back."""
        with self._lock:
            self.active = None
        self._wait(self._builder.submit(release_memory))    # after what may still be on its way to be built
        release_memory()

    def close(self) -> bool:
        """End the building thread; False: it is still building something, which takes long and cannot be broken off."""
        last = self._builder.submit(lambda: None)
        self._builder.shutdown(wait=False)
        return bool(wait([last], timeout=END_S).done)

    def _wait(self, future: Future[None]) -> None:
        while not wait([future], timeout=POLL_S).done:
            self._meanwhile()
        future.result()

    def _build(self, settings: SegmentationSettings) -> None:
        present = self.active       # in the building thread, so that no other build can be under way
        scale = 1.0 if present is None else present.scale
        segmenter = build_segmenter(settings, scale, present, quick=True)
        with self._lock:
            self.active = ActiveModel(segmenter, settings, self._style(settings, segmenter), scale)
