"""The folder of a training run: its lock, its resumable state, its curves."""
from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Optional

import torch


class RunFolderError(RuntimeError):
    """The folder cannot be used; one line: why, and what to do."""


class RunFolder:
    """Belongs to one process at a time. Use as a context manager.

    :raises RunFolderError: another process trains there, or it cannot be written
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = open(path / '.lock', 'w')
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(f'{path} is used by another training: wait for it, or choose another --output') from None
        except OSError as error:
            raise RunFolderError(f'{path} cannot be used: {error.strerror}') from None

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._lock.close()

    @property
    def state_path(self) -> Path:
        """Where the resumable state is kept."""
        return self.path / 'state.pt'

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state; the last one stays if that fails.

        :raises RunFolderError: the disk is full, for example
        """
        partial = self.state_path.with_suffix('.partial')
        try:
            torch.save(state, partial)
            os.replace(partial, self.state_path)
        except (OSError, RuntimeError) as error:        # torch's own writer raises RuntimeError for a full disk
            partial.unlink(missing_ok=True)
            raise RunFolderError(
                f'cannot write {self.state_path} ({" ".join(str(error).split())[:120]}): make room; the state saved last is '
                'still there, the same command resumes from it') from None

    def load(self, device: torch.device) -> Optional[dict[str, Any]]:
        """The state saved last, None if there is none.

        :raises RunFolderError: it cannot be read
        """
        if not self.state_path.is_file():
            return None
        try:
            return torch.load(self.state_path, map_location=device, weights_only=True)
        except Exception as error:
            raise RunFolderError(f'{self.state_path} cannot be read ({type(error).__name__}): remove it to begin anew') from None

    def write_history(self, history: dict[str, Any]) -> None:
        """Losses and validation figures as JSON and as a picture.

        :param history: 'losses' of every iteration; 'validation': [[iteration, mIoU], ...]
        """
        path = self.path / 'history.json'
        partial = path.with_suffix('.partial')
        partial.write_text(json.dumps(history))
        os.replace(partial, path)       # a training may be killed at any moment
        from fanet_ros.training.plots import draw_history
        draw_history(history['losses'], history['validation'], self.path / 'loss.png')
