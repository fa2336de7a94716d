"""The one way from an RGB frame to labels, used by the node, the evaluation and every tool alike."""
from __future__ import annotations

import copy
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator, Optional, Sequence, Union

import numpy as np
import torch

from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.device import check_memory, choose_device
from fanet_ros.inference.engines import EngineFactory
from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.frame_stream import FrameStreams, FrameUnderWay, sent_ahead
from fanet_ros.inference.postprocess import labels_and_confidence, on_device
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.segmentation import FrameInput, Segmentation, SegmentationError, StageTimes
from fanet_ros.inference.temporal_filter import TemporalFilter
from fanet_ros.inference.video_memory import VideoMemory
from fanet_ros.model import MIN_INPUT_PX, Checkpoint, load_checkpoint

MAX_INPUT_PX = 8192
SCALE_STEP_PX = 32          # the encoder's stride


class Segmenter:
    """Segments RGB frames of any size with one checkpoint at one network resolution.

    Call segment() or segment_batch() from one thread at a time. resized() and set_input_size() may be called from
    another and build beside the present engine; what set_input_size() changes takes effect between two frames.

    :raises SegmentationError: see from_checkpoint
    """

    def __init__(self, checkpoint: Checkpoint, *, name: str = 'unnamed', device: str = 'auto', input_height: int = 0,
                 input_width: int = 0, class_map: Union[None, str, Path, ClassMap] = None, variant: str = 'auto',
                 engine: str = 'auto', precision: str = 'auto',
                 calibration_images: Union[None, str, Path] = None, scale: float = 1.0, batch: int = 1) -> None:
        network, metadata = checkpoint
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
        self._lock = threading.Lock()
        self._preprocess = preprocess = Preprocessor(metadata.mean, metadata.std, self.device)
        self._factory = EngineFactory(
            network, self.device, engine, precision,
            (lambda height, width: preprocess.calibration_images(Path(calibration_images).expanduser(), height, width))
            if calibration_images else None, needs_video=metadata.temporal_frames > 1)
        self.batch = 1 if metadata.temporal_frames > 1 else batch
        self._memories: dict[str, VideoMemory] = {}
        self._filters: dict[str, TemporalFilter] = {}
        self.input_height = self.input_width = 0
        self.set_input_size(input_height, input_width, scale)

    @classmethod
    def from_checkpoint(cls, path_or_name: Union[str, Path] = 'fanet18_camvid', *, device: str = 'auto',
                        input_height: int = 0, input_width: int = 0,
                        class_map: Union[None, str, Path, ClassMap] = None, variant: str = 'auto',
                        num_threads: int = 0, engine: str = 'auto', precision: str = 'auto',
                        calibration_images: Union[None, str, Path] = None, scale: float = 1.0,
                        batch: int = 1) -> Segmenter:
        """Load a checkpoint by path or shipped name and warm it up.

        :param device: 'auto', 'cpu', 'cuda' or 'cuda:N'
        :param input_height: network resolution in px, 64..8192; 0: the checkpoint's own
        :param class_map: names and colours instead of the checkpoint's own, as many as it has classes
        :param variant: 'auto', or the variant that the checkpoint must be
        :param num_threads: CPU threads of the network; 0: torch's choice
        :param engine: one of fanet_ros.inference.engines.ENGINES: on the CPU 'torch', 'onnxruntime', 'openvino' or 'ncnn', on
            CUDA 'torch', 'onnxruntime' or 'tensorrt'; 'auto': the fastest one, measured once on this machine
        :param precision: 'float32', 'bfloat16', 'float16', 'int8', or 'auto': float16 on CUDA, float32 on the CPU
        :param calibration_images: folder of frames of the user's own camera, for int8
        :param scale: share of that resolution to run at, on each side, to the next multiple of SCALE_STEP_PX
        :param batch: how many frames segment_batch() may be given; more than 1 takes memory for each size of batch. A video
            network always takes one
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
                   calibration_images=calibration_images, scale=scale, batch=batch)

    @property
    def description(self) -> str:
        """One line for logs: checkpoint, variant, resolution, device, engine, classes."""
        return (f'{self.checkpoint_name} ({self.variant}) at {self.input_height}x'
                f'{self.input_width} on {self.device} ({self.engine_description}), {len(self.class_map)} classes '
                f'{self.class_map.name}')

    @property
    def engine_description(self) -> str:
        """What runs the network, such as 'onnxruntime float32'."""
        return self._engine.description

    def resized(self, height: int, width: int, scale: float = 1.0) -> Segmenter:
        """Another Segmenter of the same network at `height` x `width` px; this one stays as it is.

        :param scale: share of that resolution to run at, see from_checkpoint
        :raises SegmentationError: out of range or too large for the memory
        """
        other = copy.copy(self)     # all that is shared never changes
        other._lock, other._memories, other._filters = threading.Lock(), {}, {}
        other.set_input_size(height, width, scale)
        return other

    def set_input_size(self, height: int, width: int, scale: float = 1.0) -> None:
        """Run the network at `height` x `width` px from the next frame on; 0: the checkpoint's own.

        :param scale: share of that resolution to run at, see from_checkpoint
        :raises SegmentationError: out of range or too large for the memory; the present size stays
        """
        height = height or self.metadata.training_resolution[0]
        width = width or self.metadata.training_resolution[1]
        for name, value in (('input_height', height), ('input_width', width)):
            if not MIN_INPUT_PX <= value <= MAX_INPUT_PX:
                raise SegmentationError(f'{name} is {value} px: expected {MIN_INPUT_PX}..{MAX_INPUT_PX}, or 0 for the '
                                        "checkpoint's own")
        height, width = scaled_px(height, scale), scaled_px(width, scale)
        check_memory(height, width, self.metadata.num_classes, self.device)
        try:    # beside the present engine, which goes on working meanwhile
            engine = self._factory.build(height, width, self.batch)
        except RuntimeError as error:           # torch's OutOfMemoryError is one
            if self.device.type == 'cuda':
                torch.cuda.empty_cache()
            raise SegmentationError(f'resolution {height}x{width} does not run on {self.device}: '
                                    f'{" ".join(str(error).split())[:160]}') from None
        with self._lock:
            self._engine, self.input_height, self.input_width = engine, height, width
            self._memories.clear()
            self._filters.clear()

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

    def segment_batch(self, frames: Sequence[FrameInput], *, smoothing: float = 0.0) -> list[Segmentation]:
        """segment() for several frames, of several cameras for example, which costs less than one after the other.

        :param frames: at least one; of sizes of their own. More than `batch` of them are still right, but no faster
        :raises ValueError: one of them is not a frame
        """
        for frame in frames:
            _check(frame.rgb)
        with self._lock:
            start = time.perf_counter()
            height, width = self.input_height, self.input_width
            images = [self._preprocess(frame.rgb, height, width, place) for place, frame in enumerate(frames)]
            self._synchronize()
            preprocessed = time.perf_counter()
            logits = self._run(images, frames)
            if smoothing > 0:
                logits = [self._smoothed(item, frame, smoothing) for item, frame in zip(logits, frames)]
            self._synchronize()
            computed = time.perf_counter()
            found = [labels_and_confidence(item, frame.rgb.shape[:2], frame.confidence)
                     for item, frame in zip(logits, frames)]
            end = time.perf_counter()
        times = StageTimes((preprocessed - start) * 1e3, (computed - preprocessed) * 1e3, (end - computed) * 1e3)
        return [Segmentation(*item, times, height, width, len(frames)) for item in found]

    def segment_stream(self, frames: Iterable[Optional[FrameInput]]) -> Iterator[Optional[Segmentation]]:
        """segment() for frames that follow each other, as in a recording; until the last has come, segment no others.

        On a GPU the upload of a frame, the computing of another and the download of a third overlap; one more frame is taken
        than is given back until then. For None, in the place of a frame that cannot be read, None is given back.

        :raises ValueError: one of them is not a frame
        """
        streams = FrameStreams(self.device)

        def send(frame: FrameInput, place: int) -> tuple[FrameUnderWay, int, int]:
            _check(frame.rgb)
            with self._lock:
                height, width = self.input_height, self.input_width
                return streams.send(
                    lambda: self._preprocess.load(frame.rgb, height, width, place),
                    lambda image: on_device(self._run([self._preprocess.normalized(image, height, width)], [frame])[0],
                                            frame.rgb.shape[:2], frame.confidence),
                    self._engine), height, width
        for sent in sent_ahead(frames, send):
            yield None if sent is None else Segmentation(*sent[0].wait(), *sent[1:])

    def _run(self, images: list[torch.Tensor], frames: Sequence[FrameInput]) -> list[torch.Tensor]:
        """Logits (1, C, h, w) of each frame."""
        if self.metadata.temporal_frames <= 1:
            return list(self._engine(images[0] if len(images) == 1 else torch.cat(images)).split(1))
        assert isinstance(self._engine, VideoEngine)        # the factory was told
        results = []
        for image, frame in zip(images, frames):
            memory = self._memories.setdefault(frame.camera, VideoMemory(self.metadata.temporal_frames - 1))
            logits, context = self._engine.run_video(image, memory.recall(frame.rgb, frame.stamp_s))
            memory.remember(context)
            results.append(logits)
        return results

    def _smoothed(self, logits: torch.Tensor, frame: FrameInput, smoothing: float) -> torch.Tensor:
        temporal_filter = self._filters.setdefault(frame.camera, TemporalFilter(smoothing))
        temporal_filter.strength = smoothing
        filtered = temporal_filter(logits[0].float().cpu().contiguous().numpy(), frame.rgb, frame.stamp_s)
        return torch.from_numpy(filtered)[None].to(self.device)

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
        return self._preprocess(rgb, self.input_height, self.input_width)

    def _synchronize(self) -> None:
        if self.device.type == 'cuda':
            # Not the whole device: another engine may be recording a graph on it, which that would spoil.
            torch.cuda.current_stream(self.device).synchronize()


def display_name(path_or_name: Union[str, Path]) -> str:
    """What to call a checkpoint: by its file, or, where that has the name that every training gives it, by its folder."""
    path = Path(path_or_name)
    return path.absolute().parent.name if path.stem == 'checkpoint' else path.stem


def _check(rgb: np.ndarray) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise ValueError(f'expected a frame of (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}')


def scaled_px(length_px: int, scale: float) -> int:
    """`scale` times `length_px`, as a multiple of SCALE_STEP_PX that is no smaller than the network can take."""
    if scale == 1.0:
        return length_px
    return SCALE_STEP_PX * max(round(length_px * scale / SCALE_STEP_PX), -(-MIN_INPUT_PX // SCALE_STEP_PX))
