# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one way from an RGB frame to labels, used by the node, the evaluation and every tool alike."""
from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import Iterable, Iterator, Optional, Sequence, Union

import numpy as np
import torch

from fanet_ros.inference import gpu
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.device import check_memory, choose_device
from fanet_ros.inference.device_image import DeviceImage
from fanet_ros.inference.engines import EngineFactory
from fanet_ros.inference.engines.engine import Engine, VideoEngine
from fanet_ros.inference.frame_stream import FrameStreams, FrameUnderWay, sent_ahead
from fanet_ros.inference.host_results import HostResults
from fanet_ros.inference.input_size import MAX_INPUT_PX, InputSize
from fanet_ros.inference.postprocess import Layers, on_device
from fanet_ros.inference.preprocess import Preprocessor, check_calibration_images
from fanet_ros.inference.segmentation import FrameInput, Segmentation, SegmentationError, StageTimes
from fanet_ros.inference.video.temporal_filter import TemporalFilter
from fanet_ros.inference.video.video_memory import VideoMemory
from fanet_ros.model import MIN_INPUT_PX, Checkpoint, load_checkpoint
from fanet_ros.size_text import size_text

MAX_ENGINES = 8             # one for each shape of frame; of more shapes than that the one longest unused is built anew
Size = tuple[int, int]


class Segmenter:
    """Segments RGB frames of any size with one checkpoint, at a resolution that is given or follows the frame's shape.

    Call segment() or segment_batch() from one thread at a time. resized(), set_input_size() and prepare() may be called from
    another and build beside the present engines; what they change takes effect between two frames.

    :raises SegmentationError: see from_checkpoint
    """

    def __init__(self, checkpoint: Checkpoint, *, name: str = 'unnamed', device: str = 'auto', input_height: int = 0,
                 input_width: int = 0, class_map: Union[str, Path, ClassMap, None] = None, variant: str = 'auto',
                 engine: str = 'auto', precision: str = 'auto',
                 calibration_images: Union[str, Path, None] = None, scale: float = 1.0, batch: int = 1,
                 frame_sizes: Sequence[Size] = (), quick: bool = False) -> None:
        metadata = checkpoint.metadata
        self.metadata, self.checkpoint_name, self.variant = metadata, name, metadata.variant
        if variant not in ('auto', metadata.variant):
            raise SegmentationError(f'checkpoint {name} is a {metadata.variant}, variant asks for {variant}: set variant '
                                    f"to 'auto' or choose a {variant} checkpoint")
        if class_map is None or class_map == '':
            class_map = ClassMap.of_checkpoint(metadata)
        self.class_map = class_map if isinstance(class_map, ClassMap) else ClassMap.load(class_map)
        if len(self.class_map) != metadata.num_classes:
            raise SegmentationError(f'checkpoint {name} has {metadata.num_classes} classes, class map '
                                    f'{self.class_map.name} has {len(self.class_map)}: they must be equal')
        self.device = choose_device(device)
        if calibration_images:
            check_calibration_images(Path(calibration_images).expanduser())
        self._lock = threading.Lock()
        self._preprocess = preprocess = Preprocessor(metadata.mean, metadata.std, self.device)
        self._factory = EngineFactory(
            checkpoint.calibrated_network, self.device, engine, precision,
            (lambda height, width: preprocess.calibration_images(Path(calibration_images).expanduser(), height, width))
            if calibration_images else None, needs_video=metadata.temporal_frames > 1)
        self.batch = 1 if metadata.temporal_frames > 1 else batch
        self.quick = quick
        self._memories: dict[str, VideoMemory] = {}
        self._filters: dict[str, TemporalFilter] = {}
        self._streams: Optional[FrameStreams] = None
        self._results = HostResults() if self.device.type == 'cuda' else None
        self.set_input_size(input_height, input_width, scale, frame_sizes)

    @classmethod
    def from_checkpoint(cls, path_or_name: Union[str, Path] = 'fanet18_camvid', *, device: str = 'auto',
                        input_height: int = 0, input_width: int = 0,
                        class_map: Union[str, Path, ClassMap, None] = None, variant: str = 'auto',
                        num_threads: int = 0, engine: str = 'auto', precision: str = 'auto',
                        calibration_images: Union[str, Path, None] = None, scale: float = 1.0,
                        batch: int = 1, frame_sizes: Sequence[Size] = (), quick: bool = False) -> Segmenter:
        """Load a checkpoint by path or shipped name and warm it up.

        :param device: 'auto', 'cpu', 'cuda' or 'cuda:N'
        :param input_height: network resolution in px, 64..8192; 0: in the frame's shape, with the checkpoint's number of
            pixels if `input_width` is 0 too, see InputSize
        :param class_map: names and colours instead of the checkpoint's own, as many as it has classes
        :param variant: 'auto', or the variant that the checkpoint must be
        :param num_threads: CPU threads of the network; 0: torch's choice
        :param engine: one of fanet_ros.inference.engines.ENGINES: on the CPU 'torch', 'onnxruntime', 'openvino' or 'ncnn', on
            CUDA 'torch', 'onnxruntime' or 'tensorrt'; 'auto': the fastest of them, measured once on this machine;
            'torch_compile' on both, which takes minutes to start
        :param precision: 'float32', 'bfloat16', 'float16', 'int8', or 'auto': float16 on CUDA, float32 on the CPU
        :param calibration_images: folder of frames of the user's own camera, for int8
        :param scale: share of that resolution to run at, on each side, to the next multiple of SCALE_STEP_PX
        :param batch: how many frames segment_batch() may be given; more than 1 takes memory for each size of batch. A video
            network always takes one
        :param frame_sizes: height and width of frames to be ready for; none: of frames in the checkpoint's own shape
        :param quick: with engine 'auto', begin with an engine that is ready at once where the fastest one is not known or not
            converted yet; is_provisional tells
        :raises SegmentationError: a missing, corrupt or unfitting checkpoint, a class count or variant that does not
            match, an impossible resolution, an absent device
        """
        if num_threads > 0:
            torch.set_num_threads(num_threads)
        try:
            checkpoint = load_checkpoint(path_or_name)
        except ValueError as error:
            raise SegmentationError(str(error)) from None
        return cls(checkpoint, name=display_name(path_or_name), device=device, input_height=input_height,
                   input_width=input_width, class_map=class_map, variant=variant, engine=engine, precision=precision,
                   calibration_images=calibration_images, scale=scale, batch=batch, frame_sizes=frame_sizes, quick=quick)

    @property
    def description(self) -> str:
        """One line for logs: checkpoint, variant, resolutions, device, engine, classes."""
        sizes = ' and '.join(size_text(*size) for size in self.input_sizes)
        return (f'{self.checkpoint_name} ({self.variant}) at {sizes} on {self.device} ({self.engine_description}), '
                f'{len(self.class_map)} classes {self.class_map.name}')

    @property
    def converts_colors(self) -> bool:
        """Whether frames had better be given as the camera sent them: the GPU makes RGB of them for less."""
        return self.device.type == 'cuda'

    @property
    def input_height(self) -> int:
        """Of the network, in px, for the shape of the last frame; before there is one, for that of the checkpoint."""
        return self._present[0]

    @property
    def input_width(self) -> int:
        """Likewise."""
        return self._present[1]

    @property
    def input_sizes(self) -> tuple[Size, ...]:
        """Height and width of the network for every shape of frame that came, the last one at the end."""
        return tuple(self._frames) or (self._present,)

    @property
    def frame_sizes(self) -> tuple[Size, ...]:
        """Height and width of a frame of each shape that came."""
        return tuple(self._frames.values())

    @property
    def engine_description(self) -> str:
        """What runs the network, such as 'onnxruntime float32'."""
        return self._engines[self._present].description

    @property
    def is_provisional(self) -> bool:
        """Whether an engine stands in for the fastest one: a Segmenter that is made without `quick` has that."""
        return any(engine.is_provisional for engine in self._engines.values())

    def resized(self, height: int, width: int, scale: float = 1.0, *, quick: bool = False) -> Segmenter:
        """Another Segmenter of the same network at `height` x `width` px, ready for the same frames; this one stays as it is.

        :param scale: share of that resolution to run at, see from_checkpoint
        :param quick: see from_checkpoint
        :raises SegmentationError: out of range or too large for the memory
        """
        other = copy.copy(self)     # what is shared never changes, or knows of several users
        other._lock, other._memories, other._filters = threading.Lock(), {}, {}
        other._streams, other.quick = None, quick
        other._preprocess = Preprocessor(self.metadata.mean, self.metadata.std, self.device)
        other.set_input_size(height, width, scale, self.frame_sizes)
        return other

    def set_input_size(self, height: int, width: int, scale: float = 1.0, frame_sizes: Sequence[Size] = ()) -> None:
        """Run the network at `height` x `width` px from the next frame on; 0: in the frame's shape, see InputSize.

        :param scale: share of that resolution to run at, see from_checkpoint
        :param frame_sizes: frames to be ready for, see from_checkpoint
        :raises SegmentationError: out of range or too large for the memory; the present size stays
        """
        for name, value in (('input_height', height), ('input_width', width)):
            if value and not MIN_INPUT_PX <= value <= MAX_INPUT_PX:
                raise SegmentationError(f'{name} is {value} px: expected {MIN_INPUT_PX}..{MAX_INPUT_PX}, or 0 for the '
                                        "frame's shape")
        wanted = InputSize(height, width, self.metadata.training_resolution, scale)
        frames = {wanted.of(*frame): frame for frame in frame_sizes}
        engines = {size: self._build(*size) for size in frames or [wanted.default]}     # beside the present ones, which go on
        with self._lock:
            self._wanted, self._engines, self._present = wanted, engines, next(reversed(engines))
            # Engines by the network's size, and by the same size a frame for which each is; replaced, never changed.
            self._frames: dict[Size, Size] = frames
            self._impossible: set[Size] = set()
            self._memories.clear()
            self._filters.clear()

    def is_ready_for(self, height: int, width: int) -> bool:
        """Whether frames of `height` x `width` px run at the size that their shape asks for, or never can."""
        size = self._wanted.of(height, width)
        return size in self._engines or size in self._impossible

    def prepare(self, height: int, width: int) -> Size:
        """Build the engine for frames of `height` x `width` px, beside the present ones; returns the network's height and width.

        :raises SegmentationError: too large for the memory, for example; such frames go through another engine, squeezed
        """
        wanted = self._wanted
        size = wanted.of(height, width)
        try:
            engine = self._build(*size)
        except Exception:
            self._impossible.add(size)
            raise
        with self._lock:
            if wanted is self._wanted:      # else set_input_size() came between
                frames = dict([*self._frames.items(), (size, (height, width))][-MAX_ENGINES:])
                # What no frame has asked for, the first one perhaps, goes.
                self._engines = {item: self._engines.get(item, engine) for item in frames}
                self._frames, self._present = frames, size
                self._memories.clear()
                self._filters.clear()
        return size

    def _build(self, height: int, width: int) -> Engine:
        check_memory(height, width, self.metadata.num_classes, self.device)
        try:
            return self._factory.build(height, width, self.batch, quick=self.quick)
        except RuntimeError as error:           # torch's OutOfMemoryError is one
            gpu.release_cached_memory()
            raise SegmentationError(f'resolution {size_text(height, width)} does not run on {self.device}: '
                                    f'{" ".join(str(error).split())[:160]}') from None

    def segment(self, rgb: np.ndarray, *, confidence: bool = False, stamp_s: Optional[float] = None,
                camera: str = '', smoothing: float = 0.0) -> Segmentation:
        """Label every pixel of `rgb`, (H, W, 3) uint8 of any size.

        :param confidence: also give the probability of each pixel's class
        :param stamp_s: when the frame was taken, in seconds; tells a video network what belongs together
        :param camera: which of several cameras it is from; what is remembered of each is kept apart
        :param smoothing: 0..1, share of the frames before in the logits, along the optical flow; 0: each frame for itself
        :raises ValueError: `rgb` is not such an array
        """
        return self.segment_batch([FrameInput(rgb, confidence, stamp_s, camera)], smoothing=smoothing)[0]

    def segment_batch(self, frames: Sequence[FrameInput], *, smoothing: float = 0.0,
                      builds: bool = True) -> list[Segmentation]:
        """segment() for several frames, of several cameras for example, which costs less than one after the other.

        :param frames: at least one; of sizes of their own. More than `batch` of them are still right, but no faster
        :param builds: build the engine for frames of a new shape first; if not, they go through another one, squeezed, until
            prepare() was called
        :raises ValueError: one of them is not a frame
        """
        for frame in frames:
            _check(frame)
            if builds:
                self._ensure(frame.size)
        with self._lock:
            marks = [gpu.mark(self.device)]
            sizes = [self._use(frame.size) for frame in frames]
            loaded = [self._preprocess.load(frame.image, *size, place) for place, (frame, size) in enumerate(zip(frames, sizes))]
            images = [self._preprocess.normalized(item, *size) for item, size in zip(loaded, sizes)]
            marks.append(gpu.mark(self.device))
            logits = self._run(images, frames, sizes)
            if smoothing > 0:
                logits = [self._smoothed(item, frame, smoothing) for item, frame in zip(logits, frames)]
            marks.append(gpu.mark(self.device))
            found = [on_device(item, frame, self._beneath(frame, image)).to_host()
                     for item, frame, image in zip(logits, frames, loaded)]
            marks.append(gpu.mark(self.device))
            gpu.wait_for(marks[-1])         # the only time: until here a GPU may not even have begun
        times = StageTimes(*(gpu.elapsed_ms(begin, end) for begin, end in zip(marks, marks[1:])))
        return [self._segmentation(item, times, *size, len(frames)) for item, size in zip(found, sizes)]

    def segment_stream(self, frames: Iterable[Optional[FrameInput]]) -> Iterator[Optional[Segmentation]]:
        """segment() for frames that follow each other, as in a recording; until the last has come, segment no others.

        On a GPU the upload of a frame, the computing of another and the download of a third overlap; one more frame is taken
        than is given back until then. For None, in the place of a frame that cannot be read, None is given back.

        :raises ValueError: one of them is not a frame
        """
        # Kept: memory that was used on a stream is found again on that stream alone.
        streams = self._streams = self._streams or FrameStreams(self.device)

        def send(frame: FrameInput, place: int) -> tuple[FrameUnderWay, int, int]:
            _check(frame)
            self._ensure(frame.size)
            with self._lock:
                height, width = size = self._use(frame.size)
                return streams.send(
                    lambda: self._preprocess.load(frame.image, height, width, place),
                    lambda image: on_device(self._run([self._preprocess.normalized(image, height, width)], [frame], [size])[0],
                                            frame, self._beneath(frame, image)),
                    self._engines[size]), height, width
        for sent in sent_ahead(frames, send):
            yield None if sent is None else self._segmentation(*sent[0].wait(), *sent[1:])

    def _ensure(self, frame_size: Size) -> None:
        if not self.is_ready_for(*frame_size):
            self.prepare(*frame_size)
        else:
            with self._lock:            # else what is prepared for the next frame of a batch takes the place of this one's
                self._use(frame_size)

    def _use(self, frame_size: Size) -> Size:
        """The size that such a frame runs at: its own, or the present one where there is no engine for that yet."""
        size = self._wanted.of(*frame_size)
        if size in self._engines:
            self._present = size
            if next(reversed(self._frames), None) != size:
                others = {key: frame for key, frame in self._frames.items() if key != size}
                self._frames = {**others, size: frame_size}
        return self._present

    def _beneath(self, frame: FrameInput, image: DeviceImage) -> Optional[torch.Tensor]:
        """The picture that the overlay of `frame` is drawn over, where it is wished for and drawn here."""
        return self._preprocess.rgb(image) if frame.overlay is not None and self.device.type == 'cuda' else None

    def _run(self, images: list[torch.Tensor], frames: Sequence[FrameInput], sizes: Sequence[Size]) -> list[torch.Tensor]:
        """Logits (1, C, h, w) of each frame, given the size that it runs at; those of one size run together."""
        results: dict[int, torch.Tensor] = {}
        for size in dict.fromkeys(sizes):
            places = [place for place, other in enumerate(sizes) if other == size]
            together = [images[place] for place in places]
            if self.metadata.temporal_frames > 1:
                logits = self._run_video(together, [frames[place] for place in places], self._engines[size])
            else:
                logits = list(self._engines[size](together[0] if len(together) == 1 else torch.cat(together)).split(1))
            results.update(zip(places, logits))
        return [results[place] for place in range(len(images))]

    def _run_video(self, images: list[torch.Tensor], frames: Sequence[FrameInput], engine: Engine) -> list[torch.Tensor]:
        assert isinstance(engine, VideoEngine)        # the factory was told
        results = []
        for image, frame in zip(images, frames):
            memory = self._memories.setdefault(frame.camera, VideoMemory(self.metadata.temporal_frames - 1))
            logits, context = engine.run_video(image, memory.recall(frame.rgb, frame.stamp_s))
            memory.remember(context)
            results.append(logits)
        return results

    def _smoothed(self, logits: torch.Tensor, frame: FrameInput, smoothing: float) -> torch.Tensor:
        temporal_filter = self._filters.setdefault(frame.camera, TemporalFilter(smoothing))
        temporal_filter.strength = smoothing
        filtered = temporal_filter(logits[0].float().cpu().contiguous().numpy(), frame.rgb, frame.stamp_s)
        return torch.from_numpy(filtered)[None].to(self.device)

    def _segmentation(self, layers: Layers, times: StageTimes, height: int, width: int, batch_size: int = 1) -> Segmentation:
        array = torch.Tensor.numpy if self._results is None else self._results.array
        labels, confidence, overlay = (None if item is None else array(item) for item in layers)
        assert labels is not None
        return Segmentation(labels, confidence, times, height, width, batch_size, overlay)

    def forget(self) -> None:
        """The next frame belongs to no frame before it."""
        with self._lock:
            self._memories.clear()
            self._filters.clear()

    def calibration_images(self, folder: Path, height: int, width: int) -> Iterator[np.ndarray]:
        """Up to CALIBRATION_FRAMES of the images in `folder`, as the network wants them."""
        return self._preprocess.calibration_images(folder, height, width)

    def preprocess(self, rgb: np.ndarray) -> torch.Tensor:
        """What the network is given for a frame (H, W, 3) uint8: (1, 3, h, w) float32, normalised, on the device."""
        return self._preprocess(rgb, *self._wanted.of(*rgb.shape[:2]))


def display_name(path_or_name: Union[str, Path]) -> str:
    """What to call a checkpoint: by its file, or, where that has the name that every training gives it, by its folder."""
    path = Path(path_or_name)
    return path.absolute().parent.name if path.stem == 'checkpoint' else path.stem


def _check(frame: FrameInput) -> None:
    image = frame.image
    if isinstance(image, np.ndarray) and (image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size):
        raise ValueError(f'expected a frame of (H, W, 3) uint8, got {image.shape} {image.dtype}')
