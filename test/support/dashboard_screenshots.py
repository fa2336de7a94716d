# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Takes the screenshots of docs/dashboard.md from a running page.

    python test/support/dashboard_screenshots.py http://localhost:8765 docs
"""
from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from fanet_ros.ros.dashboard.benchmark_viewers import CHROMIUM_ARGUMENTS

FRAMES = 150        # the number the chart shows
LIMIT_S = 300.0


def settle(page: Any, frames: int) -> None:
    """Wait until `frames` frames are in the chart and the parameters are loaded."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and not page.evaluate(
            f'window.fanet_ros?.timing.rows.length >= {frames} && '
            'document.querySelectorAll("#main-parameters .parameter").length > 0'):
        page.wait_for_timeout(200)


def take(link: str, folder: Path) -> None:
    """Save dashboard_desktop.png (dark theme, with pixel probe) and dashboard_phone.png (light theme) in `folder`."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which('chromium'), args=list(CHROMIUM_ARGUMENTS))
        desktop = browser.new_page(viewport={'width': 1440, 'height': 1010}, color_scheme='dark')
        desktop.goto(link)
        settle(desktop, FRAMES)
        box = desktop.locator('#picture').bounding_box()
        desktop.mouse.move(box['x'] + 0.5 * box['width'], box['y'] + 0.78 * box['height'])
        while '% sure' not in desktop.text_content('#probe'):
            desktop.wait_for_timeout(100)
        desktop.screenshot(path=folder / 'dashboard_desktop.png')
        phone = browser.new_page(viewport={'width': 390, 'height': 1180}, color_scheme='light', is_mobile=True, has_touch=True,
                                 device_scale_factor=1.5)
        phone.goto(link)
        settle(phone, FRAMES // 3)
        phone.click('[data-view=pair]')
        phone.wait_for_timeout(1000)
        phone.screenshot(path=folder / 'dashboard_phone.png')
        browser.close()


if __name__ == '__main__':
    take(sys.argv[1], Path(sys.argv[2]))
