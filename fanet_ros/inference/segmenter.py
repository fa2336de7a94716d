"""The one way from an RGB frame to labels, used by the node, the evaluation and every tool alike."""
from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.device import check_memory, choose_device
from fanet_ros.inference.segmentation import Segmentation, SegmentationError, StageTimes
from fanet_ros.model import MIN_INPUT_PX, Checkpoint, load_checkpoint

MAX_INPUT_PX = 8192


class Segmenter:
    """Segments RGB frames of any size with one checkpoint at one network resolution.

    Call segment() from one thread at a time. set_input_size() may be called from another: the change takes effect
    between two frames.

    :raises SegmentationError: see from_checkpoint
    """

    def __init__(self, checkpoint: Checkpoint, *, name: str = 'unnamed', device: str = 'auto', input_height: int = 0,
                 input_width: int = 0, class_map: Union[None, str, Path, ClassMap] = None,
                 variant: str = 'auto') -> None:
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
        self._network = network.to(self.device, memory_format=torch.channels_last)
        self._mean = (torch.tensor(metadata.mean) * 255).view(1, 3, 1, 1).to(self.device)
        self._scale = (1 / (torch.tensor(metadata.std) * 255)).view(1, 3, 1, 1).to(self.device)
        self.input_height = self.input_width = 0
        self.set_input_size(input_height, input_width)

    @classmethod
    def from_checkpoint(cls, path_or_name: Union[str, Path] = 'fanet18_camvid', *, device: str = 'auto',
                        input_height: int = 0, input_width: int = 0,
                        class_map: Union[None, str, Path, ClassMap] = None, variant: str = 'auto',
                        num_threads: int = 0) -> Segmenter:
        """Load a checkpoint by path or shipped name and warm it up.

        :param device: 'auto', 'cpu', 'cuda' or 'cuda:N'
        :param input_height: network resolution in px, 64..8192; 0: the checkpoint's own
        :param class_map: names and colours instead of the checkpoint's own, as many as it has classes
        :param variant: 'auto', or the variant that the checkpoint must be
        :param num_threads: CPU threads of the network; 0: torch's choice
        :raises SegmentationError: a missing, corrupt or unfitting checkpoint, a class count or variant that does not
            match, an impossible resolution, an absent device
        """
        if num_threads > 0:
            torch.set_num_threads(num_threads)
        try:
            checkpoint = load_checkpoint(path_or_name)
        except ValueError as error:
            raise SegmentationError(str(error)) from None
        return cls(checkpoint, name=Path(path_or_name).stem, device=device, input_height=input_height,
                   input_width=input_width, class_map=class_map, variant=variant)

    @property
    def description(self) -> str:
        """One line for logs: checkpoint, variant, resolution, device, classes."""
        return (f'{self.checkpoint_name} ({self.variant}, {self.metadata.flavor}) at {self.input_height}x'
                f'{self.input_width} on {self.device}, {len(self.class_map)} classes {self.class_map.name}')

    def set_input_size(self, height: int, width: int) -> None:
        """Run the network at `height` x `width` px from the next frame on; 0: the checkpoint's own.

        :raises SegmentationError: out of range or too large for the memory; the present size stays
        """
        height = height or self.metadata.training_resolution[0]
        width = width or self.metadata.training_resolution[1]
        for name, value in (('input_height', height), ('input_width', width)):
            if not MIN_INPUT_PX <= value <= MAX_INPUT_PX:
                raise SegmentationError(f'{name} is {value} px: expected {MIN_INPUT_PX}..{MAX_INPUT_PX}, or 0 for the '
                                        "checkpoint's own")
        check_memory(height, width, self.metadata.num_classes, self.device)
        with self._lock:
            try:    # the first run at a size is slow: libraries choose and cache their kernels then
                self._run_network(np.zeros((height, width, 3), np.uint8), height, width)
            except RuntimeError as error:       # torch's OutOfMemoryError is one
                if self.device.type == 'cuda':
                    torch.cuda.empty_cache()
                raise SegmentationError(f'resolution {height}x{width} does not run on {self.device}: '
                                        f'{" ".join(str(error).split())[:160]}') from None
            self.input_height, self.input_width = height, width

    def warm_up(self) -> None:
        """Run once at the present resolution, so that the first real frame is not the slow one."""
        self.segment(np.zeros((self.input_height, self.input_width, 3), np.uint8))

    def segment(self, rgb: np.ndarray, *, confidence: bool = False) -> Segmentation:
        """Label every pixel of `rgb`, (H, W, 3) uint8 of any size.

        :param confidence: also give the probability of each pixel's class
        :raises ValueError: `rgb` is not such an array
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise ValueError(f'expected a frame of (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}')
        with self._lock:
            start = time.perf_counter()
            height, width = self.input_height, self.input_width
            images = self._preprocess(rgb, height, width)
            self._synchronize()
            preprocessed = time.perf_counter()
            with torch.inference_mode():
                logits = self._network(images)
            self._synchronize()
            computed = time.perf_counter()
            labels, confidences = _postprocess(logits, rgb.shape[:2], confidence)
            end = time.perf_counter()
        return Segmentation(
            labels, confidences,
            StageTimes((preprocessed - start) * 1e3, (computed - preprocessed) * 1e3, (end - computed) * 1e3),
            height, width)

    def _run_network(self, rgb: np.ndarray, height: int, width: int) -> None:
        with torch.inference_mode():
            _postprocess(self._network(self._preprocess(rgb, height, width)), (height, width), False)

    def _preprocess(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        """(H, W, 3) uint8 -> (1, 3, height, width) float32, normalised as in training, on the device."""
        if rgb.shape[:2] != (height, width):
            shrinks = height * width < rgb.shape[0] * rgb.shape[1]
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        frame = torch.from_numpy(np.array(rgb) if not rgb.flags.writeable else np.ascontiguousarray(rgb))
        images = frame.to(self.device).permute(2, 0, 1)[None].float()       # (1, 3, h, w), channels last in memory
        return (images - self._mean) * self._scale

    def _synchronize(self) -> None:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)


def _postprocess(logits: torch.Tensor, size: tuple[int, int],
                 with_confidence: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """(1, C, h, w) logits -> labels and confidence, (H, W) uint8 each, at `size`: bilinear, then argmax."""
    with torch.inference_mode():
        logits = F.interpolate(logits, size, mode='bilinear', align_corners=True)   # (1, C, H, W)
        labels = logits.argmax(1)[0].to(torch.uint8).cpu().numpy()
        if not with_confidence:
            return labels, None
        probability = torch.softmax(logits[0], 0).amax(0)                           # (H, W)
        return labels, (probability * 255 + 0.5).to(torch.uint8).cpu().numpy()
