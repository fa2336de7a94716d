# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Viewers for the dashboard benchmark: a real browser if available, and clients that query like a page."""
from __future__ import annotations

import asyncio
import json
import shutil
import threading
from types import TracebackType
from typing import Any, Optional

import aiohttp

from fanet_ros.ros.dashboard.wire import unpack

CHROMIUM_NAMES = ('chromium', 'chromium-browser', 'google-chrome')
CHROMIUM_ARGUMENTS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                      '--disable-background-networking', '--disable-component-update', '--disable-sync')


class BrowserViewer:
    """The page in headless Chromium.

    :raises ImportError: playwright is not installed
    :raises FileNotFoundError: Chromium is not installed
    """

    def __init__(self, link: str) -> None:
        from playwright.sync_api import sync_playwright
        path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
        if path is None:
            raise FileNotFoundError('Chromium not found: apt-get install chromium')
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        self._page = self._browser.new_page()
        self._page.goto(link)

    def is_shown(self) -> bool:
        return self._page.evaluate('Boolean(window.fanet_ros?.picture.frame)')

    def forget(self) -> None:
        self._page.evaluate('fanet_ros.timing.seen_ms.length = 0')

    def seen_ms(self) -> list[float]:
        """Latency of each mask from its publication to its display, in ms."""
        return self._page.evaluate('fanet_ros.timing.seen_ms')

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()


class ClientViewers:
    """`count` WebSocket clients in one thread, each requesting camera and mask again as soon as it is answered.

    A context manager.
    """

    def __init__(self, link: str, count: int) -> None:
        self._link, self.count = link, count
        self.frames = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: Optional[asyncio.Task] = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ClientViewers:
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()

    def _end(self) -> None:
        if self._tasks is not None:
            self._tasks.cancel()

    def _run(self) -> None:
        async def view_all() -> None:
            async with aiohttp.ClientSession() as session:
                await asyncio.gather(*(self._view(session) for _ in range(self.count)))
        self._tasks = self._loop.create_task(view_all())
        try:
            self._loop.run_until_complete(self._tasks)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    async def _view(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f'{self._link}stream') as stream:
            have: dict[str, Any] = {'frame': -1, 'timing': -1, 'status': -1}
            while True:
                await stream.send_str(json.dumps({'layers': ['camera', 'mask'], **have}))
                content, _ = unpack(await stream.receive_bytes())
                if content['frame']:
                    self.frames += 1
                    have['frame'] = content['frame']['sequence']
                have.update(timing=content['timing'], status=content['status_version'])
