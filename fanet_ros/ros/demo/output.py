# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layout of the demo's output directory, and removal of the files of an earlier run."""
from __future__ import annotations

from pathlib import Path

from fanet_ros.file_lock import lock_file
from fanet_ros.ros.demo.environment import DemoError

NODES = ('recorder', 'segmentation', 'camera')


class DemoOutput:
    """Paths of all output files below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bag = directory / 'bag'
        self.logs = directory / 'log'
        self.contact_sheet = directory / 'contact_sheet.png'
        self.video = directory / 'segmentation.mp4'
        self.page = directory / 'report.html'
        self.summary = directory / 'summary.json'

    def log(self, node: str) -> Path:
        return self.logs / f'{node}.log'

    def prepare(self) -> None:
        """Create the directory, lock it until this process ends, and remove the files of an earlier run, and no others.

        :raises DemoError: the directory cannot be used, another demo uses it, or its bag contains other files
        """
        own = [self.contact_sheet, self.video, self.page, self.summary]
        own += [self.bag / 'metadata.yaml', self.bag / 'bag.mcap']
        own += [self.log(node) for node in NODES]
        try:
            self._lock = lock_file(self.directory / '.lock')
            for path in own:
                path.unlink(missing_ok=True)
            if self.bag.is_dir():
                self.bag.rmdir()
            self.logs.mkdir(parents=True, exist_ok=True)
        except BlockingIOError:
            raise DemoError(f'another demo is writing into {self.directory}: choose another --output') from None
        except OSError as error:
            raise DemoError(
                f'cannot write into {self.directory} ({error}): choose another --output') from None
