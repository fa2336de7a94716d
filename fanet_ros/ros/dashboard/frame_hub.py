# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest frame of one camera, encoded once for all who look at it."""
from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Optional, Sequence

from fanet_ros.ros.dashboard.frame_join import JoinedFrame
from fanet_ros.ros.dashboard.image_encoder import ImageEncoder
from fanet_ros.ros.dashboard.wire import Blob


class FrameHub:
    """Keeps one frame, whatever comes and whoever asks: who comes late gets the newest.

    offer() is for any thread, all else for that of the event loop.

    :param workers: where pictures are encoded
    """

    def __init__(self, encoder: ImageEncoder, workers: Executor) -> None:
        self._encoder, self._workers = encoder, workers
        self._newest: Optional[JoinedFrame] = None
        self._encoded: dict[str, Optional[Blob]] = {}       # None: it cannot be
        self._encoded_of: Optional[JoinedFrame] = None
        self._busy = asyncio.Lock()
        self.problem = ''       # why a picture of the newest frame cannot be shown, one line

    def offer(self, frame: Optional[JoinedFrame]) -> None:
        """This is the newest now; None: there is none any more."""
        self._newest = frame

    def has_newer(self, sequence: int) -> bool:
        """Whether there is a frame that who has `sequence` has not; a smaller number is of a node before this one."""
        return self._newest is not None and self._newest.sequence != sequence

    async def images(self, layers: Sequence[str]) -> tuple[Optional[JoinedFrame], list[Blob]]:
        """The newest frame and those of `layers` that it has; each is encoded when it is first asked for."""
        async with self._busy:          # one at a time: who waits here gets what is newest then
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
        except Exception as error:      # whatever a broken image provokes in a codec: the next one may be sound
            self._encoded[layer] = None
            self.problem = ' '.join(str(error).split()) or type(error).__name__
