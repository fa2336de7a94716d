# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings of doctor, their exit code and their report."""
from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Callable, Iterable, Sequence

from fanet_ros.error_text import typed_error_text

OK, WARN, ERROR = 'OK', 'WARN', 'ERROR'
COLORS = {OK: '32', WARN: '33', ERROR: '31'}
WIDTH = 110


@dataclass(frozen=True)
class Finding:
    """Result of one check: `level` OK, WARN or ERROR, what was found, and what to do about it ('' if nothing)."""

    check: str
    level: str
    what: str
    remedy: str = ''


# A check yields findings; an exception becomes a finding too.
Check = Callable[[], Iterable[Finding]]


def findings_of(name: str, check: Check) -> list[Finding]:
    """The findings of `check`, or an ERROR finding if it raises."""
    try:
        return list(check())
    except Exception as error:      # any error: the other checks must still run
        return [Finding(name, ERROR, f'could not be checked: {typed_error_text(error)}')]


def exit_code(findings: Sequence[Finding], strict: bool) -> int:
    """1 if there is an error, or with `strict` a warning; otherwise 0."""
    bad = (ERROR, WARN) if strict else (ERROR,)
    return int(any(finding.level in bad for finding in findings))


def lines_of(findings: Iterable[Finding], colored: bool) -> list[str]:
    """Report lines for a terminal, wrapped at WIDTH: level, check and finding, with the remedy below."""
    lines = []
    for finding in findings:
        level = f'{finding.level:5}'
        start = f'{level} {finding.check:10} '
        text = textwrap.wrap(finding.what, WIDTH - len(start)) or ['']
        lines.append(start + text[0])
        lines += [' ' * len(start) + line for line in text[1:]]
        lines += textwrap.wrap(finding.remedy, WIDTH, initial_indent=' ' * len(start) + '-> ',
                               subsequent_indent=' ' * (len(start) + 3))
    return [_colored(line) for line in lines] if colored else lines


def _colored(line: str) -> str:
    level = line[:5].strip()
    return f'\033[{COLORS[level]}m{line[:5]}\033[0m{line[5:]}' if level in COLORS else line


def summary(findings: Sequence[Finding]) -> str:
    """Verdict and number of findings per level, one line."""
    counts = {level: sum(finding.level == level for finding in findings) for level in (ERROR, WARN, OK)}
    verdict = 'not ready' if counts[ERROR] else 'ready, with warnings' if counts[WARN] else 'ready'
    return (f'{verdict}: {counts[ERROR]} error{"s" * (counts[ERROR] != 1)}, {counts[WARN]} '
            f'warning{"s" * (counts[WARN] != 1)}, {counts[OK]} OK')
