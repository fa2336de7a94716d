# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Full disks, told apart from other errors of the system."""
from __future__ import annotations

import errno
import tempfile


def lacks_space(error: BaseException) -> bool:
    """Whether a disk or a quota is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def temporary_folder_fault(error: BaseException) -> str:
    """What is wrong with the temporary folder that was being written to, and what to do; empty for errors of another kind."""
    remedy = 'free some space, or set TMPDIR to another folder'
    if lacks_space(error):
        return f'no space left in the temporary folder {tempfile.gettempdir()}: {remedy}'
    if isinstance(error, FileNotFoundError) and error.filename is None and error.strerror:      # by gettempdir()
        return f'{error.strerror}: {remedy}'
    return ''
