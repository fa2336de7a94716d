# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's report as one self-contained HTML file: video, timing of every frame, figures, contact sheet."""
from __future__ import annotations

import base64
import html
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional, Sequence

import cv2

from fanet_ros.bags.latency import STAGES
from fanet_ros.bags.recording import RecordedTiming
from fanet_ros.ros.demo.output import DemoOutput
from fanet_ros.ros.demo.summary import DemoSummary, format_summary

# Of the codecs that video_writer.py uses, those that browsers play.
PLAYED = ('avc1', 'h264', 'VP90', 'vp09')
COLORS = {'wait_ms': '#64748b', 'convert_ms': '#8b9fd1', 'preprocess_ms': '#5b8def', 'network_ms': '#14b8a6',
          'postprocess_ms': '#84cc8f', 'publish_ms': '#d8b04c', 'overlay_ms': '#d9825b'}
PLOT = (900, 260)           # px
MARGIN = (44, 12, 12, 24)   # left, right, top, bottom
STYLE = ''':root{color-scheme:dark light;--back:#f3f5f8;--card:#fff;--line:#dde2e9;--text:#17202b;--faint:#5d6b7c;--accent:#0f8a7e}
@media(prefers-color-scheme:dark){:root{--back:#0d1117;--card:#161b22;--line:#2a313c;--text:#e6edf3;--faint:#8b98a8;--accent:#2dd4bf}}
body{margin:0 auto;max-width:1100px;padding:1.2rem;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
section{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1rem;margin:1rem 0;overflow-x:auto}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.05rem;margin:0 0 .6rem}.faint{color:var(--faint)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem}.figures b{display:block;font-size:1.6rem}
video,img,svg{display:block;width:100%;height:auto;border-radius:.4rem}pre{margin:0;font:.85rem/1.45 ui-monospace,monospace}
.key{display:inline-block;width:.75rem;height:.75rem;border-radius:.2rem;margin:0 .35rem 0 .9rem}
svg text{fill:var(--faint);font-size:12px}'''


def write_page(output: DemoOutput, title: str, summary: DemoSummary, timings: Sequence[RecordedTiming]) -> None:
    """Write `output.page`, embedding the video and contact sheet of `output`.

    :raises OSError: the file cannot be written
    """
    sections = [_figures(summary), _video(output.video), _plot(timings),
                _section('Figures', f'<pre>{html.escape(format_summary(summary))}</pre>'), _contact_sheet(output.contact_sheet)]
    height, width = summary.network_size
    output.page.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>'
        f'<p class="faint">fanet_ros, network at {width}x{height}; camera, node and recorder over DDS; all results from the bag. '
        f'Live, with sliders: <code>make live</code></p>{"".join(sections)}</body></html>\n', encoding='utf-8')


def _section(heading: str, content: str) -> str:
    return f'<section><h2>{html.escape(heading)}</h2>{content}</section>' if content else ''


def _figures(summary: DemoSummary) -> str:
    age = next((row for row in summary.latencies if row.stage == STAGES['frame_age_ms']), None)
    shown = [(f'{summary.mask_hz:.1f}', 'masks per second'),
             (f'{summary.masks} of {summary.camera_frames}', 'camera frames with a mask')]
    if age is not None and math.isfinite(age.p50_ms):       # the camera stamped its images
        shown += [(f'{age.p50_ms:.0f} ms', 'camera to mask, median'), (f'{age.p95_ms:.0f} ms', 'camera to mask, p95')]
    if summary.agreement is not None:
        shown.append((f'{summary.agreement.pixel_agreement:.1%}', 'of the pixels agree with the ground truth'))
    cells = ''.join(
        f'<div><b>{html.escape(value)}</b><span class="faint">{html.escape(what)}</span></div>' for value, what in shown)
    return f'<section class="figures">{cells}</section>'


def _video(path: Path) -> str:
    found = browser_video(path)
    if found is None:
        return ''
    mime, content = found
    return _section(
        'Camera and overlay', f'<video controls autoplay loop muted src="data:{mime};base64,{_base64(content)}"></video>')


def browser_video(path: Path) -> Optional[tuple[str, bytes]]:
    """MIME type and content of a video that browsers play: `path` itself, or a WebM converted from it; None if OpenCV cannot."""
    capture = cv2.VideoCapture(str(path))
    try:
        code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little').decode('latin-1')
        if code in PLAYED:
            return 'video/mp4', path.read_bytes()
        size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        with tempfile.TemporaryDirectory() as folder:
            webm = Path(folder) / 'video.webm'
            with _silent_stderr():      # FFmpeg warns of an unknown tag for every WebM, but writes it
                writer = cv2.VideoWriter(str(webm), cv2.VideoWriter.fourcc(*'VP80'), capture.get(cv2.CAP_PROP_FPS), size)
            if not writer.isOpened():
                return None
            while (read := capture.read())[0]:
                writer.write(read[1])
            writer.release()
            return 'video/webm', webm.read_bytes()
    finally:
        capture.release()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what C libraries print to stderr."""
    kept = os.dup(2)
    try:
        with open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _plot(timings: Sequence[RecordedTiming]) -> str:
    """Stacked stages of every frame as SVG."""
    if len(timings) < 2:
        return ''
    stages = list(COLORS)
    sums = [[sum(getattr(timing, name) for name in stages[:count]) for timing in timings] for count in range(len(stages) + 1)]
    top = 1.05 * sorted(sums[-1])[int(0.99 * (len(timings) - 1))] or 1.0     # p99: one outlier must not flatten the rest
    left, right, above, below = MARGIN
    width, height = PLOT[0] - left - right, PLOT[1] - above - below

    def point(index: int, ms: float) -> str:
        return f'{left + width * index / (len(timings) - 1):.1f},{above + height * (1 - min(ms, top) / top):.1f}'
    shapes = []
    for count, name in enumerate(stages):
        upper = [point(index, ms) for index, ms in enumerate(sums[count + 1])]
        lower = [point(index, ms) for index, ms in enumerate(sums[count])]
        shapes.append(f'<polygon fill="{COLORS[name]}" points="{" ".join(upper + lower[::-1])}"/>')
    lines = ''.join(
        f'<line x1="{left}" x2="{left + width}" y1="{y}" y2="{y}" stroke="#8886" />'
        f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">'
        f'{top * share:.0f}</text>' for share in (0, 0.25, 0.5, 0.75, 1) for y in [above + height * (1 - share)])
    keys = ''.join(f'<span class="key" style="background:{color}"></span>{STAGES[name]}' for name, color in COLORS.items())
    return _section(
        'Timing of every frame [ms]', f'<svg viewBox="0 0 {PLOT[0]} {PLOT[1]}" role="img" aria-label="stages of every frame">'
                    f'{lines}{"".join(shapes)}<text x="{left}" y="{PLOT[1] - 6}">first frame</text><text x="{left + width}" '
                    f'y="{PLOT[1] - 6}" text-anchor="end">last</text></svg><p class="faint">{keys}</p>')


def _contact_sheet(path: Path) -> str:
    sheet = cv2.imread(str(path))
    if sheet is None:
        return ''
    jpeg = cv2.imencode('.jpg', sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return _section(
        'At a glance', f'<img alt="frames, masks, overlays and ground truth" src="data:image/jpeg;base64,{_base64(jpeg)}">')


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode('ascii')
