# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest frame of one camera, encoded once for all viewers."""
from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Optional, Sequence

from fanet_ros.error_text import error_text
from fanet_ros.ros.dashboard.frame_join import JoinedFrame
from fanet_ros.ros.dashboard.image_encoder import ImageEncoder
from fanet_ros.ros.dashboard.wire import Blob


class FrameHub:
    """Holds only the newest frame, so that slow viewers skip frames instead of falling behind.

    offer() may be called from any thread, everything else only from the event loop's thread.

    :param workers: executor that encodes images
    """

    def __init__(self, encoder: ImageEncoder, workers: Executor) -> None:
        self._encoder, self._workers = encoder, workers
        self._newest: Optional[JoinedFrame] = None
        self._encoded: dict[str, Optional[Blob]] = {}       # None: encoding failed
        self._encoded_of: Optional[JoinedFrame] = None
        self._busy = asyncio.Lock()
        self.problem = ''       # why a layer of the newest frame cannot be shown, one line

    def offer(self, frame: Optional[JoinedFrame]) -> None:
        """Replace the newest frame; None removes it."""
        self._newest = frame

    def has_newer(self, sequence: int) -> bool:
        """Whether the newest frame is not number `sequence`; it may be smaller if the count has restarted."""
        return self._newest is not None and self._newest.sequence != sequence

    async def images(self, layers: Sequence[str]) -> tuple[Optional[JoinedFrame], list[Blob]]:
        """The newest frame and its encoded `layers`, as far as available; each is encoded on first request."""
        async with self._busy:          # one at a time: a waiting caller gets whatever is newest once it runs
            frame = self._newest
            if frame is None:
                return None, []
            if frame is not self._encoded_of:
                self._encoded, self._encoded_of, self.problem = {}, frame, ''
            for layer in layers:
                if layer in frame.parts and layer not in self._encoded:
                    await self._encode(frame, layer)
            return frame, [blob for layer in layers if (blob := self._encoded.get(layer)) is not None]

    async def _encode(self, frame: JoinedFrame, layer: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._encoded[layer] = await loop.run_in_executor(self._workers, self._encoder.encode, frame, layer)
        except Exception as error:      # any error of a codec on a broken image: the next one may be fine
            self._encoded[layer] = None
            self.problem = error_text(error)
