# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records a bag at the page's order, by a recorder_node in a process of its own, beside the dashboard's."""
from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Optional, Sequence

from fanet_ros.ros.common.node_command import node_command

STOP_S = 30.0
MAX_LINE_BYTES = 2**20


class RecordingError(Exception):
    """It cannot be started or stopped; one line."""


class BagRecorder:
    """One recording at a time, for the event loop.

    :param folder: where the bags go; made when it is needed
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
        """Whether a recorder runs at this moment."""
        return self._process is not None and self._process.returncode is None

    def status(self) -> dict[str, Any]:
        """For JSON: of the present recording or the last one; `bag` is empty before the first."""
        if self.is_recording:
            self._length_s = round(time.monotonic() - self._started, 0)
        return {'is_recording': self.is_recording, 'bag': str(self._bag or ''), 'length_s': self._length_s,
                'megabytes': round(_bytes_in(self._bag) / 1e6, 1), 'outcome': self._outcome}

    async def start(self, topics: Sequence[str]) -> None:
        """Begin a bag of `topics`, each as the recorder's parameter names it.

        :raises RecordingError: there is one already, or the folder cannot be made
        """
        async with self._changing:
            if self.is_recording:
                raise RecordingError(f'{self._bag} is being recorded: stop it first')
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RecordingError(f'cannot record into {self._folder.absolute()}: {error.strerror}') from None
            self._bag = self._folder.absolute() / datetime.now().strftime('fanet_%Y_%m_%d-%H_%M_%S_%f')[:-3]
            parameters = {'output': str(self._bag), 'topics': list(topics)}
            # In a session of its own: Ctrl-C reaches the dashboard alone, which then ends it in order.
            self._process = await asyncio.create_subprocess_exec(
                *node_command('recorder_node', parameters), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
                start_new_session=True, limit=MAX_LINE_BYTES)
            self._started, self._length_s, self._outcome = time.monotonic(), 0.0, ''
            self._reader = asyncio.create_task(self._read(self._process))

    async def stop(self) -> None:
        """Complete the bag; does nothing while none is recorded.

        :raises RecordingError: the recorder ended with an error, its last line
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
        """Follow what the recorder says until it ends."""
        assert process.stderr is not None       # it is a pipe
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
    except OSError:         # not made yet, or removed
        return 0
