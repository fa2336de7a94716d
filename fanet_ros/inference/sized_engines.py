# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The engines of one network, one for every shape of frame that comes."""
from __future__ import annotations

from typing import Sequence

from fanet_ros.inference import gpu
from fanet_ros.inference.device import check_memory
from fanet_ros.inference.engines import Engine, EngineFactory
from fanet_ros.inference.input_size import InputSize, Size
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.size_text import size_text

MAX_ENGINES = 8             # one for each shape of frame; of more shapes than that the one longest unused is built anew


class SizedEngines:
    """Engines by the network's height and width, which follow from the frame's by `wanted`.

    Any thread may ask, and may build() beside the engines in use. use() and put() are for who holds the lock under which
    frames are segmented.

    :param frame_sizes: frames to be ready for; none: those of the checkpoint's own shape
    :param batch: how many images run together at most
    :param quick: see EngineFactory.build
    :raises SegmentationError: too large for the memory
    """

    def __init__(self, factory: EngineFactory, wanted: InputSize, frame_sizes: Sequence[Size] = (), *, batch: int = 1,
                 quick: bool = False) -> None:
        self._factory, self._wanted, self._batch, self._quick = factory, wanted, batch, quick
        # By the network's size a frame for which each engine is; both are replaced, never changed.
        self._frames: dict[Size, Size] = {wanted.of(*frame): frame for frame in frame_sizes}
        self._engines = {size: self._build(*size) for size in self._frames or [wanted.default]}
        self._impossible: set[Size] = set()
        self.present: Size = next(reversed(self._engines))

    def __getitem__(self, size: Size) -> Engine:
        return self._engines[size]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Of the network, for every shape of frame that came, the last one at the end; before there is one, for the first."""
        return tuple(self._frames) or (self.present,)

    @property
    def frame_sizes(self) -> tuple[Size, ...]:
        """Of a frame of each shape that came."""
        return tuple(self._frames.values())

    @property
    def description(self) -> str:
        """What runs the network, such as 'onnxruntime float32'."""
        return self._engines[self.present].description

    @property
    def is_provisional(self) -> bool:
        """Whether an engine stands in for the fastest one."""
        return any(engine.is_provisional for engine in self._engines.values())

    def size_for(self, frame_size: Size) -> Size:
        """Of the network, for such a frame."""
        return self._wanted.of(*frame_size)

    def is_ready_for(self, frame_size: Size) -> bool:
        """Whether such frames run at the size that their shape asks for, or never can."""
        size = self.size_for(frame_size)
        return size in self._engines or size in self._impossible

    def build(self, frame_size: Size) -> Engine:
        """The engine for such frames, to be put().

        :raises SegmentationError: too large for the memory, for example; such frames go through another engine, squeezed
        """
        size = self.size_for(frame_size)
        try:
            return self._build(*size)
        except Exception:
            self._impossible.add(size)
            raise

    def put(self, frame_size: Size, engine: Engine) -> None:
        """Use `engine`, which build() gave, for such frames. What no frame has asked for, the first one perhaps, goes."""
        size = self.size_for(frame_size)
        frames = dict([*self._frames.items(), (size, frame_size)][-MAX_ENGINES:])
        self._engines = {item: self._engines.get(item, engine) for item in frames}
        self._frames, self.present = frames, size

    def use(self, frame_size: Size) -> Size:
        """The size that such a frame runs at: its own, or the present one where there is no engine for that yet."""
        size = self.size_for(frame_size)
        if size in self._engines:
            self.present = size
            if next(reversed(self._frames), None) != size:
                others = {key: frame for key, frame in self._frames.items() if key != size}
                self._frames = {**others, size: frame_size}
        return self.present

    def _build(self, height: int, width: int) -> Engine:
        setup = self._factory.setup
        check_memory(height, width, setup.network.num_classes, setup.device)
        try:
            return self._factory.build(height, width, self._batch, quick=self._quick)
        except RuntimeError as error:           # torch's OutOfMemoryError is one
            gpu.release_cached_memory()
            raise SegmentationError(f'resolution {size_text(height, width)} does not run on {setup.device}: '
                                    f'{" ".join(str(error).split())[:160]}') from None
