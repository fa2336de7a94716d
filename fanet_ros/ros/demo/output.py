# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's output directory: what lies where, and how an earlier run's files make way."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fanet_ros.ros.demo.environment import DemoError

NODES = ('recorder', 'segmentation', 'camera')


@dataclass(frozen=True)
class DemoOutput:
    """Paths below `directory`."""

    directory: Path

    @property
    def bag(self) -> Path:
        return self.directory / 'bag'

    @property
    def logs(self) -> Path:
        return self.directory / 'log'

    @property
    def contact_sheet(self) -> Path:
        return self.directory / 'contact_sheet.png'

    @property
    def video(self) -> Path:
        return self.directory / 'segmentation.mp4'

    @property
    def page(self) -> Path:
        return self.directory / 'report.html'

    @property
    def summary(self) -> Path:
        return self.directory / 'summary.json'

    def log(self, node: str) -> Path:
        return self.logs / f'{node}.log'

    def prepare(self) -> None:
        """Make the directory and clear an earlier run's files away, these and no others.

        Raises DemoError when something else is in the way.
        """
        own = [self.contact_sheet, self.video, self.page, self.summary]
        own += [self.bag / 'metadata.yaml', self.bag / 'bag.mcap']
        own += [self.log(node) for node in NODES]
        try:
            for path in own:
                path.unlink(missing_ok=True)
            if self.bag.is_dir():
                self.bag.rmdir()
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(
                f'cannot write into {self.directory} ({error}): choose another --output') from None
