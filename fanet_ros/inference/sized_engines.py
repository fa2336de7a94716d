# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Engines of one network, one for every frame shape."""
from __future__ import annotations

from typing import Sequence, Union

from fanet_ros.error_text import error_text
from fanet_ros.inference import gpu
from fanet_ros.inference.device import check_memory
from fanet_ros.inference.engines import CheckedFactory, Engine, EngineFactory
from fanet_ros.inference.input_size import InputSize, Size
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.size_text import size_text

MAX_ENGINES = 8             # one per frame shape; beyond that, the least recently used one is dropped


class SizedEngines:
    """Engines by the network's (height, width), which `input_size` derives from the frame's.

    Any thread may query it, and build() engines while others are in use. use() and put() need the lock under which frames are
    segmented.

    :param frame_sizes: (height, width) of frames to be ready for; empty: frames with the checkpoint's aspect ratio
    :param batch: largest number of images that run together
    :param quick: see EngineFactory.build
    :raises SegmentationError: too large for the memory
    """

    def __init__(self, factory: Union[EngineFactory, CheckedFactory], input_size: InputSize, frame_sizes: Sequence[Size] = (), *,
                 batch: int = 1, quick: bool = False) -> None:
        self._factory, self._input_size, self._batch, self._quick = factory, input_size, batch, quick
        # Size of the network -> size of a frame that runs at it. Both dicts are replaced, never changed, for other threads that
        # read them.
        self._frames: dict[Size, Size] = {input_size.of(*frame): frame for frame in frame_sizes}
        self._engines = {size: self._build(*size) for size in self._frames or [input_size.default]}
        self._impossible: set[Size] = set()
        self.current_size: Size = next(reversed(self._engines))

    def __getitem__(self, size: Size) -> Engine:
        return self._engines[size]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """(height, width) of the network for every frame shape seen, the latest last; before the first frame, the initial one."""
        return tuple(self._frames) or (self.current_size,)

    @property
    def frame_sizes(self) -> tuple[Size, ...]:
        """(height, width) of one frame of each shape seen."""
        return tuple(self._frames.values())

    @property
    def description(self) -> str:
        """Engine and precision, such as 'onnxruntime float32'."""
        return self._engines[self.current_size].description

    @property
    def is_provisional(self) -> bool:
        """Whether an engine stands in for the fastest one."""
        return any(engine.is_provisional for engine in self._engines.values())

    def size_for(self, frame_size: Size) -> Size:
        """(height, width) of the network for such a frame."""
        return self._input_size.of(*frame_size)

    def is_ready_for(self, frame_size: Size) -> bool:
        """Whether the engine for such frames has been built, or cannot be built."""
        size = self.size_for(frame_size)
        return size in self._engines or size in self._impossible

    def build(self, frame_size: Size) -> Engine:
        """Build the engine for such frames; pass it to put().

        :raises SegmentationError: too large for the memory, for example; such frames are squeezed through another engine
        """
        size = self.size_for(frame_size)
        try:
            return self._build(*size)
        except Exception:
            self._impossible.add(size)
            raise

    def put(self, frame_size: Size, engine: Engine) -> None:
        """Use `engine`, from build(), for such frames. Engines that no frame has used, such as the initial one, are dropped."""
        size = self.size_for(frame_size)
        frames = dict([*self._frames.items(), (size, frame_size)][-MAX_ENGINES:])
        self._engines = {item: self._engines.get(item, engine) for item in frames}
        self._frames, self.current_size = frames, size

    def use(self, frame_size: Size) -> Size:
        """The size to run such a frame at: its own, or the current one if there is no engine for that yet."""
        size = self.size_for(frame_size)
        if size in self._engines:
            self.current_size = size
            if next(reversed(self._frames), None) != size:
                others = {key: frame for key, frame in self._frames.items() if key != size}
                self._frames = {**others, size: frame_size}
        return self.current_size

    def _build(self, height: int, width: int) -> Engine:
        setup = self._factory.setup
        check_memory(height, width, setup.network.num_classes, setup.device)
        try:
            return self._factory.build(height, width, self._batch, quick=self._quick)
        except RuntimeError as error:           # torch's OutOfMemoryError is one
            gpu.release_cached_memory()
            raise SegmentationError(f'resolution {size_text(height, width)} does not run on {setup.device}: '
                                    f'{error_text(error, 160)}') from None
