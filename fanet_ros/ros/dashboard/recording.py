# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records a bag on request of the page, with a recorder_node in a separate process."""
from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Optional, Sequence

from fanet_ros.host.child_process import END_WITH_PARENT
from fanet_ros.ros.common.node_command import node_command

STOP_S = 30.0
MAX_LINE_BYTES = 2**20


class RecordingError(Exception):
    """A recording cannot be started, or ended with an error; one line."""


class BagRecorder:
    """Runs one recording at a time; for use in the event loop.

    :param folder: folder for the bags; created when needed
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Optional[asyncio.subprocess.Process] = None
        self._reader: Optional[asyncio.Task] = None
        self._bag: Optional[Path] = None
        self._started = 0.0
        self._length_s = 0.0
        self._outcome = ''
        self._changing = asyncio.Lock()

    @property
    def is_recording(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def status(self) -> dict[str, Any]:
        """State of the current or last recording, ready for JSON; `bag` is empty before the first."""
        if self.is_recording:
            self._length_s = round(time.monotonic() - self._started, 0)
        return {'is_recording': self.is_recording, 'bag': str(self._bag or ''), 'length_s': self._length_s,
                'megabytes': round(_bytes_in(self._bag) / 1e6, 1), 'outcome': self._outcome}

    async def start(self, topics: Sequence[str], use_sim_time: bool = False) -> None:
        """Start a bag of `topics`, each in the format of the recorder's `topics` parameter.

        :param use_sim_time: reception stamps follow /clock
        :raises RecordingError: already recording, or the folder cannot be created
        """
        async with self._changing:
            if self.is_recording:
                raise RecordingError(f'{self._bag} is being recorded: stop it first')
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RecordingError(f'cannot record into {self._folder.absolute()}: {error.strerror}') from None
            self._bag = self._folder.absolute() / datetime.now().strftime('fanet_%Y_%m_%d-%H_%M_%S_%f')[:-3]
            parameters = {'output': str(self._bag), 'topics': list(topics), 'use_sim_time': use_sim_time}
            # In its own session: Ctrl-C reaches only the dashboard, which then stops the recorder in order. If the dashboard is
            # killed, Linux ends the recorder, which would otherwise fill the disk.
            self._process = await asyncio.create_subprocess_exec(
                *END_WITH_PARENT, *node_command('recorder_node', parameters), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
                start_new_session=True, limit=MAX_LINE_BYTES)
            self._started, self._length_s, self._outcome = time.monotonic(), 0.0, ''
            self._reader = asyncio.create_task(self._read(self._process))

    async def stop(self) -> None:
        """Stop recording and complete the bag; does nothing if not recording.

        :raises RecordingError: the recorder ended with an error; carries its last line
        """
        async with self._changing:
            process, reader = self._process, self._reader
            if process is None or reader is None:
                return
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(asyncio.shield(reader), STOP_S)
            except asyncio.TimeoutError:
                process.kill()
                await reader
            self._process = None
            if process.returncode != 0:
                raise RecordingError(self._outcome)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Read the output of the recorder until it ends, and keep its outcome."""
        assert process.stderr is not None       # opened as a pipe
        last = await _last_line(process.stderr)
        code = await process.wait()
        self._outcome = f'complete: {self._bag}' if code == 0 else last or f'the recorder ended with exit code {code}'


async def _last_line(stream: asyncio.StreamReader) -> str:
    last = ''
    async for line in stream:
        last = line.decode(errors='replace').strip() or last
    return last


def _bytes_in(bag: Optional[Path]) -> int:
    try:
        return sum(path.stat().st_size for path in bag.iterdir()) if bag is not None else 0
    except OSError:         # not created yet, or removed
        return 0
