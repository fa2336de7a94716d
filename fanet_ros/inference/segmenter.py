# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The single path from an RGB frame to labels, shared by the node, the evaluation and all tools."""
from __future__ import annotations

import copy
import functools
import threading
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Sequence, Union

import numpy as np
import torch

from fanet_ros.host.processor import fast_threads
from fanet_ros.inference.calibration import calibration_images, check_calibration_images
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import CheckedFactory, EngineFactory, precisions_of, require_engine
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.frame_pipeline import FramePipeline
from fanet_ros.inference.frame_stream import PendingFrame, sent_ahead
from fanet_ros.inference.input_size import InputSize, Size
from fanet_ros.inference.segmentation import FrameInput, Segmentation, SegmentationError
from fanet_ros.inference.segmenter_options import SegmenterOptions
from fanet_ros.inference.sized_engines import SizedEngines
from fanet_ros.model import Checkpoint, load_checkpoint
from fanet_ros.model.checkpoint_files import display_name
from fanet_ros.size_text import size_text


class Segmenter:
    """Segments RGB frames of any size with one checkpoint, at a fixed resolution or one that follows the frame's aspect ratio.

    Call segment() or segment_batch() from one thread at a time. resized(), set_input_size() and prepare() may be called from
    another thread and build in parallel with the current engines; what they change takes effect between two frames.

    :param name: display name of the checkpoint
    :param changes: options to override, by name
    :raises SegmentationError: see from_checkpoint
    """

    def __init__(self, checkpoint: Checkpoint, options: SegmenterOptions = SegmenterOptions(), *, name: str = 'unnamed',
                 **changes: Any) -> None:
        self.options = options = options.changed(**changes)
        if threads := options.num_threads or min(fast_threads(), torch.get_num_threads()):
            torch.set_num_threads(threads)
        self.metadata, self.checkpoint_name, self.variant = checkpoint.metadata, name, checkpoint.metadata.variant
        self.class_map = options.class_map_for(name, self.metadata)
        self.device = choose_device(options.device)
        folder = options.calibration_folder
        if folder is not None:
            check_calibration_images(folder)
        self._lock = threading.Lock()
        self._pipeline = FramePipeline(self.metadata, self.device)
        self._factory = self._factory_for(checkpoint, folder)
        self._engines = self._engines_for(options)

    @classmethod
    def from_checkpoint(cls, checkpoint: Union[str, Path] = 'fanet18_camvid', options: SegmenterOptions = SegmenterOptions(),
                        **changes: Any) -> Segmenter:
        """Load a checkpoint and warm it up: `from_checkpoint('fanet18_camvid', device='cpu', input_height=360)`.

        :param checkpoint: path or shipped name
        :param options: how to run it
        :param changes: options to override, by name, see SegmenterOptions
        :raises SegmentationError: a missing, corrupt or incompatible checkpoint, a class count or variant that does not match,
            an impossible resolution, an unavailable device or engine
        :raises TypeError: there is no such option
        """
        options = options.changed(**changes)
        require_engine(choose_device(options.device), options.engine, options.precision)
        try:
            loaded = load_checkpoint(checkpoint)
        except ValueError as error:
            raise SegmentationError(str(error)) from None
        return cls(loaded, options, name=display_name(checkpoint))

    @property
    def description(self) -> str:
        """One line for logs: checkpoint, variant, resolutions, device, engine, classes."""
        sizes = ' and '.join(size_text(*size) for size in self.input_sizes)
        return (f'{self.checkpoint_name} ({self.variant}) at {sizes} on {self.device} ({self.engine_description}), '
                f'{len(self.class_map)} classes {self.class_map.name}')

    @property
    def setup(self) -> NetworkSetup:
        """What its engines are built from."""
        return self._factory.setup

    @property
    def converts_colors(self) -> bool:
        """Whether to pass frames as the camera sent them: a GPU converts them to RGB at less cost."""
        return self.device.type == 'cuda'

    @property
    def batch(self) -> int:
        """Largest number of frames that run together."""
        return 1 if self._is_video else self.options.batch

    @property
    def input_height(self) -> int:
        """Input height of the network in px for the last frame; before the first one, for the checkpoint's aspect ratio."""
        return self._engines.current_size[0]

    @property
    def input_width(self) -> int:
        """Input width of the network in px, see input_height."""
        return self._engines.current_size[1]

    @property
    def input_sizes(self) -> tuple[Size, ...]:
        """(height, width) of the network for every frame shape seen, the latest last."""
        return self._engines.sizes

    @property
    def frame_sizes(self) -> tuple[Size, ...]:
        """(height, width) of one frame of each shape seen."""
        return self._engines.frame_sizes

    @property
    def engine_description(self) -> str:
        """Engine and precision, such as 'onnxruntime float32'."""
        return self._engines.description

    @property
    def is_provisional(self) -> bool:
        """Whether an engine stands in for the fastest one, which only happens with `quick`."""
        return self._engines.is_provisional

    @property
    def _is_video(self) -> bool:
        return self.metadata.temporal_frames > 1

    def resized(self, height: int, width: int, scale: float = 1.0, *, quick: bool = False) -> Segmenter:
        """Another Segmenter of the same network at `height` x `width` px, ready for the same frame shapes; this one is unchanged.

        :param scale: see SegmenterOptions, as for `quick`
        :raises SegmentationError: out of range or too large for the memory
        """
        other = copy.copy(self)     # what is shared is immutable or supports several users
        other._lock, other._pipeline = threading.Lock(), self._pipeline.for_another_thread()
        other.options = self.options.changed(quick=quick)
        other.set_input_size(height, width, scale, self.frame_sizes)
        return other

    def set_input_size(self, height: int, width: int, scale: float = 1.0, frame_sizes: Sequence[Size] = ()) -> None:
        """Run the network at `height` x `width` px from the next frame on; 0: from the frame's aspect ratio, see InputSize.

        :param scale: see SegmenterOptions
        :param frame_sizes: frames to be ready for, see SegmenterOptions
        :raises SegmentationError: out of range or too large for the memory; the current size is kept
        """
        options = self.options.changed(input_height=height, input_width=width, scale=scale, frame_sizes=frame_sizes)
        engines = self._engines_for(options)        # in parallel with the current ones, which stay in use
        with self._lock:
            self.options, self._engines = options, engines
            self._pipeline.history.forget()

    def _engines_for(self, options: SegmenterOptions) -> SizedEngines:
        input_size = InputSize(options.input_height, options.input_width, self.metadata.training_resolution, options.scale)
        return SizedEngines(self._factory, input_size, options.frame_sizes, batch=self.batch, quick=options.quick)

    def _factory_for(self, checkpoint: Checkpoint, folder: Optional[Path]) -> Union[EngineFactory, CheckedFactory]:
        # Calibration runs where engines are built, perhaps while the pipeline's own uploads a frame.
        options, preprocess = self.options, self._pipeline.for_another_thread().preprocess
        frames = None if folder is None else functools.partial(calibration_images, folder, preprocess)
        factory = EngineFactory(checkpoint.calibrated_network, self.device, options.engine, options.precision, frames,
                                needs_video=self._is_video)
        is_free = options.precision == 'auto' and self.device.type == 'cpu' and not self._is_video
        if frames is None or not is_free or 'int8' not in precisions_of(options.engine, self.device):
            return factory
        return CheckedFactory(factory, options.engine, frames)

    def is_ready_for(self, height: int, width: int) -> bool:
        """Whether the engine for frames of `height` x `width` px has been built, or cannot be built."""
        return self._engines.is_ready_for((height, width))

    def size_for(self, height: int, width: int) -> Size:
        """(height, width) of the network for frames of `height` x `width` px."""
        return self._engines.size_for((height, width))

    def prepare(self, height: int, width: int) -> Size:
        """Build the engine for frames of `height` x `width` px in parallel with the current ones; returns its height and width.

        :raises SegmentationError: too large for the memory, for example; such frames are squeezed through another engine
        """
        engines, frame_size = self._engines, (height, width)
        engine = engines.build(frame_size)
        with self._lock:
            if engines is self._engines:        # else set_input_size() was called meanwhile
                engines.put(frame_size, engine)
                self._pipeline.history.forget()
        return engines.size_for(frame_size)

    def segment(self, rgb: np.ndarray, *, confidence: bool = False, stamp_s: Optional[float] = None,
                camera: str = '', smoothing: float = 0.0) -> Segmentation:
        """Label every pixel of `rgb`, (H, W, 3) uint8 of any size.

        :param confidence: also return the probability of each pixel's class
        :param stamp_s: capture time in seconds, by which history is dropped after a gap
        :param camera: name of the frame's camera; history is kept per camera
        :param smoothing: 0..1, share of the previous frames in the logits, along the optical flow; 0: none
        :raises ValueError: `rgb` is not such an array
        """
        return self.segment_batch([FrameInput(rgb, confidence, stamp_s, camera)], smoothing=smoothing)[0]

    def segment_batch(self, frames: Sequence[FrameInput], *, smoothing: float = 0.0,
                      builds: bool = True) -> list[Segmentation]:
        """segment() for several frames, for example of several cameras, at less cost than one after the other.

        :param frames: at least one, each of any size. More than `batch` of them work, but are no faster
        :param builds: build the engine for a new frame shape first; otherwise such frames are squeezed through another one
            until prepare() has been called
        :raises ValueError: one of them is not a frame
        """
        for frame in frames:
            frame.check()
            if builds:
                self._ensure(frame.size)
        with self._lock:
            sizes = [self._engines.use(frame.size) for frame in frames]
            return self._pipeline.run(frames, sizes, [self._engines[size] for size in sizes], smoothing=smoothing)

    def segment_stream(self, frames: Iterable[Optional[FrameInput]]) -> Iterator[Optional[Segmentation]]:
        """segment() for consecutive frames, as in a recording; do not segment other frames until it is exhausted.

        On a GPU, upload of one frame, inference on another and download of a third overlap; for that, input is read one frame
        ahead. None, for a frame that cannot be read, gives None.

        :raises ValueError: one of them is not a frame
        """
        def send(frame: FrameInput, place: int) -> tuple[PendingFrame, Size]:
            frame.check()
            self._ensure(frame.size)
            with self._lock:
                size = self._engines.use(frame.size)
                return self._pipeline.send(frame, size, self._engines[size], place), size
        for sent in sent_ahead(frames, send):
            yield None if sent is None else self._pipeline.finish(*sent)

    def _ensure(self, frame_size: Size) -> None:
        if not self.is_ready_for(*frame_size):
            self.prepare(*frame_size)
        else:
            with self._lock:            # keeps it from being dropped when prepare() runs for another frame of the batch
                self._engines.use(frame_size)

    def forget(self) -> None:
        """Forget the previous frames: the next one does not follow them."""
        with self._lock:
            self._pipeline.history.forget()

    def calibration_images(self, folder: Path, height: int, width: int) -> Iterator[np.ndarray]:
        """Frames to calibrate int8 on, each as network input (1, 3, height, width) float32."""
        return calibration_images(folder, self._pipeline.preprocess, height, width)

    def preprocess(self, rgb: np.ndarray) -> torch.Tensor:
        """Network input for a frame (H, W, 3) uint8: (1, 3, h, w) float32, normalised, on the device."""
        return self._pipeline.preprocess(rgb, *self._engines.size_for(FrameInput(rgb).size))
