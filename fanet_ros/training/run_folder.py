# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run: its lock, its resumable state, its checkpoints, its curves."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Optional

import torch

from fanet_ros.atomic_file import replacing
from fanet_ros.error_text import error_text
from fanet_ros.file_lock import lock_file
from fanet_ros.model import CheckpointMetadata, FANet, save_checkpoint

CHECKPOINT_NAME = 'checkpoint.safetensors'      # the newest
BEST_NAME = 'best.safetensors'                  # the one with the highest mIoU in validation


class RunFolder:
    """The folder of one training at a time. Use it as a context manager.

    :param owner: False for the other processes of a training whose first process holds the lock
    :raises ValueError: another process is training there, or it cannot be written
    """

    def __init__(self, path: Path, owner: bool = True) -> None:
        self.path, self._lock = path, None
        if not owner:
            return
        try:
            self._lock = lock_file(path / '.lock')
        except BlockingIOError:
            raise ValueError(f'{path} is used by another training: wait for it, or choose another --output') from None
        except OSError as error:
            raise ValueError(f'{path} cannot be used: {error.strerror}') from None

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def state_path(self) -> Path:
        return self.path / 'state.pt'

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; the previous one is kept if that fails.

        :raises ValueError: the disk is full, for example
        """
        self._replace(self.state_path, lambda path: torch.save(state, path))

    def load(self, device: torch.device) -> Optional[dict[str, Any]]:
        """The state saved last, None if there is none.

        :raises ValueError: it cannot be read
        """
        if not self.state_path.is_file():
            return None
        try:
            return torch.load(self.state_path, map_location=device, weights_only=True)
        except OSError as error:
            raise ValueError(f'{self.state_path} cannot be read: {error.strerror or error}') from None
        except Exception as error:
            raise ValueError(f'{self.state_path} cannot be read ({type(error).__name__}): remove it to start '
                             'over') from None

    def keep(self, network: FANet, metadata: CheckpointMetadata, *, best: bool) -> None:
        """Write the newest checkpoint, and also as the best one if it is.

        :raises ValueError: the disk is full, for example
        """
        self._replace(self.path / CHECKPOINT_NAME, lambda path: save_checkpoint(path, network, metadata))
        if best:
            self._replace(self.path / BEST_NAME, lambda path: shutil.copyfile(self.path / CHECKPOINT_NAME, path))

    def write_history(self, history: dict[str, Any]) -> None:
        """Write losses and validation figures as JSON and as a plot.

        :param history: 'losses' of every iteration; 'validation': [[iteration, mIoU], ...]
        :raises ValueError: the disk is full, for example
        """
        from fanet_ros.evaluation.plots import draw_history
        self._replace(self.path / 'history.json', lambda path: path.write_text(json.dumps(history)))
        self._replace(self.path / 'loss.png', lambda path: draw_history(history['losses'], history['validation'], path))

    def _replace(self, path: Path, write: Callable[[Path], Any]) -> None:
        """Write `path` with `write`, completely or not at all, even if the power fails."""
        try:
            with replacing(path, is_durable=True) as partial:
                write(partial)
        except (OSError, RuntimeError) as error:        # torch's own writer raises RuntimeError for a full disk
            raise ValueError(
                f'cannot write {path} ({error_text(error, 120)}): free some disk space; the last saved '
                'state is intact, the same command resumes from it') from None
