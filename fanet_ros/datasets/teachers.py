# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that others learn from: our own checkpoints, and networks for semantic segmentation from elsewhere, as ONNX files."""
from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.datasets.layouts import find_class_map
from fanet_ros.datasets.sample import DatasetError
from fanet_ros.error_text import error_text
from fanet_ros.inference import ClassMap
from fanet_ros.inference.device import computes_in, in_memory_format
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint, load_checkpoint
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD

MULTIPLE_PX = 32        # sides of a network's input


class Teacher(ABC):
    """Predicts the classes of images.

    class_names: of its outputs
    own_size: height and width [px] of its input, if it takes no other
    usual_size: height and width [px] that it was trained at, if known
    """

    class_names: tuple[str, ...]
    own_size: Optional[tuple[int, int]] = None
    usual_size: Optional[tuple[int, int]] = None

    @abstractmethod
    def logits(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        """(2, C, h, w) float32 on its device: of the image, and of the mirror image.

        :param rgb: (H, W, 3) uint8
        :param height: of its input [px]
        :param width: of its input [px]
        """


class CheckpointTeacher(Teacher):
    """One of our own checkpoints; computes in bfloat16 where the device supports it natively.

    :raises DatasetError: a video network
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        metadata = checkpoint.metadata
        if metadata.temporal_frames > 1:
            raise DatasetError('the teacher is a video network: choose one for single images')
        self.class_names, self.usual_size = metadata.class_names, metadata.training_resolution
        self._network = in_memory_format(checkpoint.calibrated_network.to(device).eval(), torch.channels_last)
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=computes_in('bfloat16', device))
        self._preprocess = Preprocessor(metadata.mean, metadata.std, device)

    def logits(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        image = self._preprocess(rgb, height, width)
        with torch.inference_mode(), self._autocast:
            found: torch.Tensor = self._network(torch.cat([image, image.flip(3)])).float()
        return found


class OnnxTeacher(Teacher):
    """A network that takes float32 (1, 3, H, W), RGB normalised as for ImageNet, and returns (1, C, h, w) logits or probabilities.

    :param class_map: of its outputs; one more output, such as a background at the end, is of no class
    :raises DatasetError: unreadable, or another kind of network
    """

    def __init__(self, path: Path, class_map: ClassMap, device: torch.device) -> None:
        self._path, self.class_names = path, class_map.names
        self._session = _open(path, device)
        self._input = self._session.get_inputs()[0]
        shape = self._input.shape
        fits = len(shape) == 4 and all(size in (wanted, None) or isinstance(size, str) for size, wanted in zip(shape, (1, 3)))
        if not fits or len(self._session.get_inputs()) != 1 or self._input.type != 'tensor(float)':
            raise DatasetError(f'{path} takes {self._input.type} {shape}: expected one input of float32 images (1, 3, H, W)')
        if isinstance(shape[2], int) and isinstance(shape[3], int):
            self.own_size = shape[2], shape[3]
        self._preprocess = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, torch.device('cpu'))

    def logits(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        image = self._preprocess(rgb, height, width)
        return torch.cat([self._run(image), self._run(image.flip(3))])

    def _run(self, image: torch.Tensor) -> torch.Tensor:
        try:
            found: Any = self._session.run(None, {self._input.name: image.contiguous().numpy()})[0]
        except Exception as error:      # onnxruntime's own classes
            raise DatasetError(f'{self._path} failed on an image of {image.shape[3]}x{image.shape[2]} px: '
                               f'{error_text(error, 200)}') from None
        classes = len(self.class_names)
        if found.ndim != 4 or found.dtype.kind != 'f' or found.shape[1] not in (classes, classes + 1):
            labels = '; export it without its argmax' if found.dtype.kind in 'iu' else ''
            raise DatasetError(f'{self._path} returns {found.dtype} {list(found.shape)}: expected logits (1, C, h, w) of the '
                               f'{classes} classes, or one output more{labels}')
        scores = torch.from_numpy(found.astype(np.float32, copy=False))
        if scores.min() >= 0 and (scores.sum(1) - 1).abs().max() < 0.01:        # probabilities
            return scores.clamp(min=1e-6).log()
        return scores


def predict_soft_labels(teachers: Sequence[Teacher], rgb: np.ndarray, sizes: Sequence[tuple[int, int]], rows: int,
                        columns: int) -> np.ndarray:
    """Class probabilities times 255, (rows, columns, C) uint8, averaged over networks, input sizes and horizontal mirroring.

    They add up to less than 255 where a teacher sees something that is of no class.

    :param teachers: with the same classes; each counts the same
    :param rgb: (H, W, 3) uint8
    :param sizes: height and width [px] of a network's input; a teacher with a size of its own uses that
    """
    with torch.inference_mode():
        mean = torch.stack([_probabilities(teacher, rgb, sizes, rows, columns).cpu() for teacher in teachers]).mean(0)
    return (mean.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def _probabilities(teacher: Teacher, rgb: np.ndarray, sizes: Sequence[tuple[int, int]], rows: int, columns: int) -> torch.Tensor:
    """(C, rows, columns) float32 on the teacher's device."""
    predictions = []
    for height, width in sizes if teacher.own_size is None else [teacher.own_size]:
        logits = F.interpolate(teacher.logits(rgb, height, width), (rows, columns), mode='bilinear', align_corners=True)
        image, mirrored = logits.softmax(1)[:, :len(teacher.class_names)]
        predictions.append((image + mirrored.flip(2)) / 2)
    return torch.stack(predictions).mean(0)


def scaled_sizes(height: int, width: int, scales: Sequence[float]) -> list[tuple[int, int]]:
    """Sizes of a network's input [px] for an image of this size, in multiples of MULTIPLE_PX."""
    def side(length_px: float) -> int:
        return max(round(length_px / MULTIPLE_PX), 2) * MULTIPLE_PX
    return [(side(height * scale), side(width * scale)) for scale in scales]


def is_onnx(name: str) -> bool:
    """Whether a teacher is an ONNX file, by its name; otherwise it is a checkpoint."""
    return Path(name).suffix.lower() == '.onnx'


def open_teacher(name: str, classes: str, device: torch.device) -> Teacher:
    """Open a checkpoint, by shipped name or path, or an ONNX file.

    :param classes: class map of an ONNX file, by shipped name or path; '' for a checkpoint, which contains its own
    :raises ValueError: it cannot be used, or is an ONNX file without a class map
    """
    if not is_onnx(name):
        if classes:
            raise DatasetError(f'{name} contains its classes: leave out --teacher-classes, which is for ONNX files')
        return CheckpointTeacher(load_checkpoint(name), device)
    if not classes:
        raise DatasetError(f'{name} does not say what its outputs are: give its class map with --teacher-classes, the name of a '
                           'shipped one such as cityscapes19, or a YAML file')
    return OnnxTeacher(Path(name).expanduser(), find_class_map(classes), device)


def open_teachers(names: Sequence[str], classes: str, device: torch.device) -> list[Teacher]:
    """Open several, as open_teacher does.

    :param classes: class map of those that are ONNX files
    :raises ValueError: one cannot be used, or they have different classes
    """
    files = any(map(is_onnx, names))
    teachers = [open_teacher(name, classes if is_onnx(name) or not files else '', device) for name in names]
    for name, teacher in zip(names, teachers):
        if teacher.class_names != teachers[0].class_names:
            raise DatasetError(f'{name} has other classes than {names[0]}, or in another order: they cannot be averaged')
    return teachers


def _open(path: Path, device: torch.device) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise DatasetError('ONNX files need a package that is not installed: pip install onnxruntime') from None
    if not path.is_file():
        raise DatasetError(f'{path} does not exist')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    wanted = ['CUDAExecutionProvider'] * (device.type == 'cuda') + ['CPUExecutionProvider']
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:          # onnxruntime's own classes
        raise DatasetError(f'{path} is not a usable ONNX file: {error_text(error, 200)}') from None
