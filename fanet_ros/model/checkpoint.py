# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights on disk: one safetensors file that carries everything needed to use it.

The metadata (variant, flavour, classes, normalisation, where the weights come from and how good they are) travels inside
the file as JSON, so that weights can never be paired with the wrong class map or preprocessing.
"""
from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from fanet_ros.atomic_file import replacing
from fanet_ros.error_text import error_text
from fanet_ros.model.backbone import STRIDES
from fanet_ros.model.checkpoint_files import CheckpointError, resolve_checkpoint
from fanet_ros.model.fanet import BACKBONE_OF_VARIANT, FANet
from fanet_ros.model.uninitialised import Uninitialised
from fanet_ros.model.weight_storage import from_stored, to_stored
from fanet_ros.strict_json import with_tuples

FORMAT_VERSION = 1
# Of files with weights that readers of the version before cannot decode.
FORMAT_VERSION_8_BIT = 2
FORMAT_VERSION_PACKED = 3
METADATA_KEY = 'fanet_ros'
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class CheckpointMetadata:
    """Description of a trained network, stored with its weights.

    `mean` and `std` normalise RGB values scaled to 0..1. `training_resolution` is (height, width) in pixels of the training
    images, the default for inference. `figures` are measured results, by 'data/split/metric'.
    """

    variant: str                                        # 'fanet18', 'fanet34', 'fanet50'
    flavor: str                                         # 'paper' or 'official', see FANet
    class_map_name: str
    class_names: tuple[str, ...]                        # index in the logits -> name
    class_colors: tuple[tuple[int, int, int], ...]      # RGB, one per class
    training_resolution: tuple[int, int]
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    reference_size: Optional[tuple[int, int]] = None    # see FANet; official flavour only
    strides: tuple[int, int, int, int] = STRIDES        # see FANet
    temporal_frames: int = 1                            # frames attended to, the current one included; 1: not a video network
    class_bias: bool = False                            # see FANet
    temperature: float = 1.0                            # divides the logits, for a calibrated confidence, see calibrate
    data: str = ''
    license: str = ''
    recipe: str = ''
    training_frames: str = ''                           # fingerprints of the training frames, in base64
    figures: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.variant not in BACKBONE_OF_VARIANT:
            raise CheckpointError(
                f'unknown variant {self.variant!r}: expected one of {", ".join(BACKBONE_OF_VARIANT)}')
        if len(self.class_names) != len(self.class_colors):
            raise CheckpointError(f'{len(self.class_names)} class names but {len(self.class_colors)} class colours')
        if self.temporal_frames < 1:
            raise CheckpointError(f'temporal_frames must be at least 1, got {self.temporal_frames}')
        if not self.temperature > 0:
            raise CheckpointError(f'temperature must be above 0, got {self.temperature}')
        if not 1 <= len(self.class_names) <= 255:
            raise CheckpointError(f'expected 1 to 255 classes (255 marks unlabelled pixels), got {len(self.class_names)}')

    @property
    def num_classes(self) -> int:
        """C, the channels of the logits."""
        return len(self.class_names)

    def build_network(self, *, aux_heads: bool = False) -> FANet:
        """The FANet for these weights, freshly initialised."""
        return FANet(self.num_classes, BACKBONE_OF_VARIANT[self.variant], self.flavor,
                     reference_size=self.reference_size, aux_heads=aux_heads, strides=self.strides,
                     class_bias=self.class_bias)

    def to_json(self, format_version: int = FORMAT_VERSION) -> str:
        return json.dumps({'format_version': format_version, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CheckpointMetadata:
        """:raises CheckpointError: not JSON, a newer format, missing or unknown fields."""
        try:
            values: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError as error:
            raise CheckpointError(f'the metadata is not JSON ({error})') from None
        if not isinstance(values, dict):
            raise CheckpointError(f'the metadata is {text[:40]!r}: expected an object')
        version = values.pop('format_version', None)
        if version not in (FORMAT_VERSION, FORMAT_VERSION_8_BIT, FORMAT_VERSION_PACKED):
            raise CheckpointError(f'expected checkpoint format {FORMAT_VERSION} to {FORMAT_VERSION_PACKED}, got {version}: '
                                  'update fanet_ros')
        unknown = set(values) - {item.name for item in fields(cls)}
        if unknown:
            raise CheckpointError(f'unknown metadata fields: {", ".join(sorted(unknown))}')
        try:
            return cls(**{name: with_tuples(value) for name, value in values.items()})
        except TypeError as error:
            raise CheckpointError(f'incomplete metadata ({error})') from None


class Checkpoint(NamedTuple):
    """A network ready for inference (eval mode, float32, on the CPU) and its metadata."""

    network: FANet
    metadata: CheckpointMetadata

    @property
    def calibrated_network(self) -> FANet:
        """The network with its logits divided by the temperature, which is folded into the weights of the last layer."""
        if self.metadata.temperature == 1.0:
            return self.network
        network = copy.deepcopy(self.network)
        with torch.no_grad():
            for tensor in network.clslayer.conv_out.parameters():
                tensor.div_(self.metadata.temperature)
        return network


def save_checkpoint(path: Union[str, Path], network: FANet, metadata: CheckpointMetadata, *,
                    dtype: torch.dtype = torch.float16, is_packed: bool = False) -> None:
    """Write `network`'s inference weights and `metadata` to `path`, atomically; folders are created as necessary.

    Convolutions are stored as `dtype`, BatchNorm in float32; auxiliary heads are left out.

    :param dtype: a floating-point type, or torch.int8 for half the size of float16, see to_stored()
    :param is_packed: with torch.int8, 6 bits for large convolutions: a fifth smaller again
    :raises CheckpointError: the network does not match the metadata
    """
    path = Path(path)
    expected = metadata.build_network().state_dict()
    state = network.state_dict()
    _check_state(state, expected, str(path), allow_extra=network.aux_heads)
    _write(path, to_stored({key: state[key] for key in expected}, dtype, is_packed=is_packed), metadata)


def change_metadata(path_or_name: Union[str, Path], output: Path, **changes: Any) -> None:
    """Copy a checkpoint with its weights, bit for bit, and with metadata fields replaced by `changes`.

    :raises CheckpointError: no such file, or invalid metadata; other faults are left to load_checkpoint(), to be called before
    """
    with safe_open(resolve_checkpoint(path_or_name), framework='pt') as stored:
        metadata = CheckpointMetadata.from_json((stored.metadata() or {})[METADATA_KEY])
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}
    _write(output, tensors, replace(metadata, **changes))


def _write(path: Path, tensors: dict[str, torch.Tensor], metadata: CheckpointMetadata) -> None:
    dtypes = {tensor.dtype for tensor in tensors.values()}
    version = (FORMAT_VERSION_PACKED if torch.uint8 in dtypes else FORMAT_VERSION_8_BIT if torch.int8 in dtypes else FORMAT_VERSION)
    path.parent.mkdir(parents=True, exist_ok=True)      # what is written may have taken hours to compute
    with replacing(path) as partial:
        # Not save_file(): its files are readable only by their owner, whatever the umask.
        partial.write_bytes(save(tensors, metadata={METADATA_KEY: metadata.to_json(version)}))


def load_checkpoint(path_or_name: Union[str, Path]) -> Checkpoint:
    """Load a checkpoint by path, or by the name of a shipped one ('fanet18_camvid').

    :raises CheckpointError: missing or corrupt file, no metadata, tensors that do not fit the network
    """
    path = resolve_checkpoint(path_or_name)
    try:
        with safe_open(path, framework='pt') as stored:
            text = (stored.metadata() or {}).get(METADATA_KEY)
            tensors = {key: stored.get_tensor(key) for key in stored.keys()}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f'{path} is not a readable safetensors file ({error_text(error)}): copy it again, or turn a .pth file '
            f'into a checkpoint with import_weights') from None
    if text is None:
        raise CheckpointError(f'{path} carries no fanet_ros metadata: write checkpoints with train or import_weights')
    try:
        metadata = CheckpointMetadata.from_json(text)
        with Uninitialised():
            network = metadata.build_network()
        state = from_stored(tensors)
    except ValueError as error:
        raise CheckpointError(f'{path}: {error}') from None
    _check_state(state, network.state_dict(), str(path))
    network.load_state_dict(state, strict=True)
    return Checkpoint(network.eval(), metadata)


def _check_state(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], source: str, *,
                 allow_extra: bool = False) -> None:
    missing = [key for key in expected if key not in state]
    extra = [] if allow_extra else [key for key in state if key not in expected]
    unequal = [f'{key} expected {list(expected[key].shape)} got {list(state[key].shape)}'
               for key in expected if key in state and state[key].shape != expected[key].shape]
    problems = [f'{len(names)} {kind} (first: {names[0]})' for kind, names in
                (('tensors missing', missing), ('unknown tensors', extra), ('shapes unequal', unequal)) if names]
    if problems:
        raise CheckpointError(
            f'{source} does not fit the network its metadata describes: {"; ".join(problems)}; '
            f'write it again with train or import_weights')
