# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Follows the status lines that the recorder prints: what it sees and what it has recorded."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TopicStatus:
    """One topic as the recorder sees it; its own subscription is among the subscribers."""

    messages: int = 0
    publishers: int = 0
    subscribers: int = 0


@dataclass(frozen=True)
class RecorderStatus:
    """One status line."""

    elapsed_s: float = 0.0
    topics: dict[str, TopicStatus] = field(default_factory=dict)

    def topic(self, name: str) -> TopicStatus:
        """All zero for a topic that is not recorded."""
        return self.topics.get(name, TopicStatus())

    @classmethod
    def parse(cls, line: str) -> RecorderStatus:
        content = json.loads(line)
        topics = {name: TopicStatus(**status) for name, status in content['topics'].items()}
        return cls(content['elapsed_s'], topics)


class StatusFile:
    """The file that the recorder's standard output goes to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._latest = RecorderStatus()

    def latest(self) -> RecorderStatus:
        """The newest complete line; an empty status before the first."""
        with open(self._path, 'rb') as file:
            file.seek(self._offset)
            new = file.read()
        complete = new[:new.rfind(b'\n') + 1]
        if complete:
            self._offset += len(complete)
            self._latest = RecorderStatus.parse(complete.splitlines()[-1].decode())
        return self._latest
