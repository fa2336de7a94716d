# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cores of a processor, from the text of /proc/cpuinfo; on Arm they may be of two kinds (big.LITTLE)."""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Collection, Optional

# Arm cores by implementer and part (Linux, arch/arm64/include/asm/cputype.h); the first ones execute in order, at a fraction of
# the speed of the others.
IN_ORDER = {('0x41', '0xd03'): 'Cortex-A53', ('0x41', '0xd04'): 'Cortex-A35', ('0x41', '0xd05'): 'Cortex-A55',
            ('0x41', '0xd46'): 'Cortex-A510', ('0x41', '0xd80'): 'Cortex-A520'}
OUT_OF_ORDER = {('0x41', '0xd07'): 'Cortex-A57', ('0x41', '0xd08'): 'Cortex-A72', ('0x41', '0xd09'): 'Cortex-A73',
                ('0x41', '0xd0a'): 'Cortex-A75', ('0x41', '0xd0b'): 'Cortex-A76', ('0x41', '0xd0c'): 'Neoverse-N1',
                ('0x41', '0xd0d'): 'Cortex-A77', ('0x41', '0xd40'): 'Neoverse-V1', ('0x41', '0xd41'): 'Cortex-A78',
                ('0x41', '0xd42'): 'Cortex-A78AE', ('0x41', '0xd44'): 'Cortex-X1', ('0x41', '0xd47'): 'Cortex-A710',
                ('0x41', '0xd49'): 'Neoverse-N2', ('0x41', '0xd4d'): 'Cortex-A715', ('0x41', '0xd4f'): 'Neoverse-V2',
                ('0x41', '0xd81'): 'Cortex-A720', ('0x41', '0xd82'): 'Cortex-X4', ('0x4e', '0x003'): 'Denver 2',
                ('0x4e', '0x004'): 'Carmel'}
NAMES = {**IN_ORDER, **OUT_OF_ORDER}
SLOW = frozenset(IN_ORDER.values())


@dataclass(frozen=True)
class CpuCores:
    """`kinds`: name of every core's kind by its number, all '' on x86. `features`: instruction sets that all cores have, as the
    kernel names them."""

    name: str
    kinds: tuple[str, ...]
    features: frozenset[str]

    def fast(self, allowed: Optional[Collection[int]] = None) -> int:
        """Number of cores worth a thread: a network waits for its slowest thread, so slow cores count only if all are slow.

        :param allowed: numbers of the cores that this process may use; None: all
        """
        usable = [kind for number, kind in enumerate(self.kinds) if allowed is None or number in allowed]
        return sum(kind not in SLOW for kind in usable) or len(usable)


def cores_of(cpuinfo: str) -> CpuCores:
    """What the text of /proc/cpuinfo says, of x86 and 64-bit Arm kernels."""
    blocks = [dict(re.findall(r'^([^:\n]+?)[ \t]*:[ \t]*(.*?)[ \t]*$', block, re.MULTILINE)) for block in cpuinfo.split('\n\n')]
    cores = [block for block in blocks if 'processor' in block]
    kinds = tuple(_kind(core) for core in cores)
    features = [frozenset((core.get('flags') or core.get('Features') or '').split()) for core in cores]
    board = next((block['Model'] for block in blocks if 'Model' in block), '')
    names = ' + '.join(f'{count} {kind}' for kind, count in Counter(kinds).items() if kind)
    name = ': '.join(item for item in (board, names) if item) or (cores[0].get('model name', '') if cores else '')
    return CpuCores(name, kinds, frozenset.intersection(*features) if features else frozenset())


def _kind(core: dict[str, str]) -> str:
    key = core.get('CPU implementer', ''), core.get('CPU part', '')
    return NAMES.get(key, f'Arm {key[0]} {key[1]}' if all(key) else '')
