# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions in one-line messages."""
from __future__ import annotations

from typing import Optional


def error_text(error: BaseException, limit: Optional[int] = None) -> str:
    """The text of an exception on one line, at most `limit` characters of it; the type of one without text (MemoryError)."""
    return ' '.join(str(error).split())[:limit] or type(error).__name__


def typed_error_text(error: BaseException, limit: Optional[int] = None) -> str:
    """error_text() after the type of the exception, for errors that no code of ours worded."""
    name, text = type(error).__name__, error_text(error, limit)
    return name if text == name else f'{name}: {text}'
