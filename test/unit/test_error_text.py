# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every error leaves one line that says something."""
from __future__ import annotations

import pytest

from fanet_ros.error_text import error_text, typed_error_text


@pytest.mark.parametrize(('error', 'text', 'typed'), [
    (ValueError('no such\n  size\n'), 'no such size', 'ValueError: no such size'),
    (MemoryError(), 'MemoryError', 'MemoryError'),
    (RuntimeError(' \n'), 'RuntimeError', 'RuntimeError')])
def test_the_text_is_one_line_and_never_empty(error: Exception, text: str, typed: str) -> None:
    assert error_text(error) == text and typed_error_text(error) == typed


def test_a_long_text_is_cut() -> None:
    assert error_text(ValueError('too\nlong'), 5) == 'too l' and typed_error_text(ValueError('too\nlong'), 5) == 'ValueError: too l'
