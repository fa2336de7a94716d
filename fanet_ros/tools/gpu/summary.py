# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Summary of the figures in words and tables."""
from __future__ import annotations

from collections import Counter
from typing import Callable, Iterator

from fanet_ros.host.machine import one_line
from fanet_ros.size_text import size_text
from fanet_ros.tools.benchmark.report import tables
from fanet_ros.tools.gpu.figures import Figure
from fanet_ros.tools.significant import significant

SUITES = ('network', 'labels', 'batch', 'pixels')       # of `benchmark`, which formats their tables


def summary(found: dict[str, list[Figure]]) -> str:
    """Markdown summary of the figures, by step."""
    parts = []
    machine = next((item for figures in found.values() for item in figures if item['figure'] == 'machine'), None)
    if machine is not None:
        parts.append(('REHEARSAL on the CPU at toy size: its times are meaningless.\n' if machine['rehearsal'] else '')
                     + one_line(machine))
    for name, figures in found.items():
        lines = [line for item in figures if item['figure'] in _LINES for line in _LINES[item['figure']](item)]
        suites = [{'suite': item['figure'], **item} for item in figures if item['figure'] in SUITES]
        parts.append('\n'.join([f'## {name}', '', *_tests(figures), *lines, *([tables(suites)] if suites else [])]))
    return '\n\n'.join(parts) + '\n'


def _tests(figures: list[Figure]) -> Iterator[str]:
    tests = [item for item in figures if item['figure'] == 'test']
    if tests:
        counts = {outcome: sum(item['outcome'] == outcome for item in tests) for outcome in ('passed', 'failed', 'skipped')}
        yield '- tests: ' + ', '.join(f'{number} {outcome}' for outcome, number in counts.items())
    skipped = Counter(item['reason'] for item in tests if item['outcome'] == 'skipped')
    yield from (f'- {number} skipped: {reason}' for reason, number in skipped.items())
    yield from (f"- FAILED {item['name']}: {item['reason']}" for item in tests if item['outcome'] == 'failed')


def _one_by_one(item: Figure) -> Iterator[str]:
    yield (f"- {_what(item)}, one by one, {item['wanted']}: p50 {significant(item['p50_ms'])} ms, "
           f"p95 {significant(item['p95_ms'])}, p99 {significant(item['p99_ms'])}; {_stages(item)}")


def _stream(item: Figure) -> Iterator[str]:
    yield f"- {_what(item)}, as a stream: {item['frames_per_s']:.0f} frames/s; {_stages(item)}"


def _batch(item: Figure) -> Iterator[str]:
    yield (f"- {_what(item)}, {item['batch']} together: {significant(item['p50_ms_per_frame'])} ms per frame, "
           f"{item['cost_against_one']:.2f} of a single one")


def _floor(item: Figure) -> Iterator[str]:
    yield (f"- {item['variant']} {_size(item)} {item['precision']}: network "
           f"{significant(item['network_ms'])} ms; {item['flop'] / 1e9:.1f} GFLOP take "
           f"{significant(item['arithmetic_ms'])} ms at least, "
           f"{item['least_bytes'] / 1e6:.0f} MB {significant(item['least_bytes_ms'])} ms, "
           f"{item['bytes'] / 1e6:.0f} MB of single operations {significant(item['bytes_ms'])} ms")


def _profile(item: Figure) -> Iterator[str]:
    yield (f"- {item['variant']} {_size(item)}, {item['of']}: {item['kernels']:.0f} kernels, "
           f"{significant(item['kernels_us'] / 1e3)} ms; "
           f"{item['launches']:.0f} launches and {item['graph_launches']:.0f} of graphs")
    for row in item['table'][:6]:
        yield f"    - {row['us']:.0f} us, {row['number']:.0f} of {row['name'][:90]}"


def _alternative(item: Figure) -> Iterator[str]:
    time = f"failed: {item['reason']}" if item['ms'] is None else f"{significant(item['ms'])} ms"
    yield f"- {_size(item)} {item['stage']}, {item['way']}: {time}"


_LINES: dict[str, Callable[[Figure], Iterator[str]]] = {
    'skipped': lambda item: iter([f"- skipped: {item['reason']}"]), 'failed': lambda item: iter([f"- FAILED: {item['reason']}"]),
    'one by one': _one_by_one, 'stream': _stream, 'batch of frames': _batch, 'floor': _floor, 'profile': _profile,
    'alternative': _alternative,
    'card': lambda item: iter(['- the card: ' + ', '.join(
        f'{key} {significant(value, 4)}' for key, value in item.items() if key != 'figure')]),
    'start': lambda item: iter([f"- {_what(item)}: ready after {item['seconds']:.1f} s"]),
    'done': lambda item: iter([f"- done in {item['seconds']:.0f} s"
                               + (f", {item['gpu_held_mib']:.0f} MiB of GPU memory held" if 'gpu_held_mib' in item else '')]),
    'compiled': lambda item: iter([(f"- torch.compile {item['way']}: {significant(item['ms'])} ms, "
                                    f"{item['times_as_fast']:.2f}x speedup over the graph, "
                                    f"error {item['error']:.1e}, ready after {item['compile_s']:.0f} s")]),
}


def _what(item: Figure) -> str:
    return f"{item['checkpoint']} ({item['weights']} weights) {_size(item)}, {item['engine']}"


def _stages(item: Figure) -> str:
    return ', '.join(f"{name[:-len('_ms')]} {significant(value)}" for name, value in item['stages_ms'].items())


def _size(item: Figure) -> str:
    return size_text(item['height'], item['width'])
