# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names, features and fast cores of processors, from texts as in /proc/cpuinfo."""
from __future__ import annotations

import pytest

from fanet_ros.host.cpu_cores import cores_of
from fanet_ros.inference import device

# Written after what such boards are known to print, where all cores of a kind print the same lines; not recorded for this test.
# (BogoMIPS, Features, implementer, variant, part, revision, number of cores)
PI_4 = [('108.00', 'fp asimd evtstrm crc32 cpuid', '0x41', '0x0', '0xd08', '3', 4)]
V8_2 = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp'
PI_5 = [('108.00', V8_2, '0x41', '0x4', '0xd0b', '1', 4)]
ROCK_5B = [('48.00', V8_2, '0x41', '0x2', '0xd05', '0', 4), ('48.00', V8_2, '0x41', '0x4', '0xd0b', '0', 4)]
V8_0 = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid'
OMNI_3576 = [('48.00', V8_0, '0x41', '0x0', '0xd03', '4', 4), ('48.00', V8_0, '0x41', '0x1', '0xd08', '0', 4)]
TX2 = [('62.50', 'fp asimd evtstrm aes pmull sha1 sha2 crc32', '0x41', '0x1', '0xd07', '3', 1),
       ('62.50', 'fp asimd evtstrm aes pmull sha1 sha2 crc32', '0x4e', '0x0', '0x003', '0', 2),
       ('62.50', 'fp asimd evtstrm aes pmull sha1 sha2 crc32', '0x41', '0x1', '0xd07', '3', 3)]
ORIN = [('62.50', V8_2 + ' uscat ilrcpc flagm paca pacg', '0x41', '0x0', '0xd42', '1', 12)]
DIMENSITY = [('26.00', V8_2 + ' sve asimdfhm sve2 svei8mm svebf16 i8mm bf16 dgh', '0x41', '0x1', '0xd46', '1', 6),
             ('26.00', V8_2 + ' sve asimdfhm sve2 svei8mm svebf16 i8mm bf16 dgh', '0x41', '0x1', '0xd4d', '1', 2)]


def text(kinds: list[tuple[str, str, str, str, str, str, int]], board: str = '', model_name: str = '') -> str:
    """/proc/cpuinfo of a board, as 64-bit Arm kernels print it."""
    blocks = []
    for bogomips, features, implementer, variant, part, revision, count in kinds:
        blocks += [f'processor\t: {len(blocks) + number}\n' + (f'model name\t: {model_name}\n' if model_name else '')
                   + f'BogoMIPS\t: {bogomips}\nFeatures\t: {features}\nCPU implementer\t: {implementer}\nCPU architecture: 8\n'
                   f'CPU variant\t: {variant}\nCPU part\t: {part}\nCPU revision\t: {revision}\n' for number in range(count)]
    return '\n'.join([*blocks, f'Revision\t: d04170\nSerial\t\t: 48343bbbe3ae743b\nModel\t\t: {board}\n' if board else ''])


@pytest.mark.parametrize(('cpuinfo', 'name', 'cores', 'fast'), [
    (text(PI_4, 'Raspberry Pi 4 Model B Rev 1.5'), 'Raspberry Pi 4 Model B Rev 1.5: 4 Cortex-A72', 4, 4),
    (text(PI_5, 'Raspberry Pi 5 Model B Rev 1.0'), 'Raspberry Pi 5 Model B Rev 1.0: 4 Cortex-A76', 4, 4),
    (text(ROCK_5B), '4 Cortex-A55 + 4 Cortex-A76', 8, 4),
    (text(OMNI_3576), '4 Cortex-A53 + 4 Cortex-A72', 8, 4),
    (text(OMNI_3576[:1]), '4 Cortex-A53', 4, 4),
    (text(TX2, model_name='ARMv8 Processor rev 3 (v8l)'), '4 Cortex-A57 + 2 Denver 2', 6, 6),
    (text(ORIN, model_name='ARMv8 Processor rev 1 (v8l)'), '12 Cortex-A78AE', 12, 12),
    (text([('26.00', V8_2, '0x51', '0xd', '0x800', '0', 2)]), '2 Arm 0x51 0x800', 2, 2)])
def test_cores_of_arm_boards(cpuinfo: str, name: str, cores: int, fast: int) -> None:
    found = cores_of(cpuinfo)
    assert (found.name, len(found.kinds), found.fast()) == (name, cores, fast)


def test_a_process_on_some_of_the_cores() -> None:
    cores = cores_of(text(ROCK_5B))
    assert [cores.fast(allowed) for allowed in ({0, 1, 2, 3}, {3, 4}, {4, 5, 6, 7}, set(range(8)))] == [4, 1, 4, 4]


def test_an_x86_processor() -> None:
    core = 'vendor_id\t: AuthenticAMD\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 fma\nbugs\t\t:\n'
    cores = cores_of(''.join(f'processor\t: {number}\n{core}\n' for number in range(2)))
    assert (cores.name, cores.features, cores.fast()) == ('AMD EPYC', {'fpu', 'avx2', 'fma'}, 2)


def test_nothing_is_known() -> None:
    cores = cores_of('')
    assert (cores.name, cores.features, cores.fast()) == ('', frozenset(), 0)


@pytest.mark.parametrize(('kinds', 'float16', 'bfloat16'), [
    (PI_4, False, False), (PI_5, True, False), (ROCK_5B, True, False), (ORIN, True, False), (DIMENSITY, True, True)])
def test_precisions_of_arm_boards(monkeypatch: pytest.MonkeyPatch, kinds: list[tuple[str, str, str, str, str, str, int]],
                                  float16: bool, bfloat16: bool) -> None:
    monkeypatch.setattr(device, 'cpu_features', lambda: cores_of(text(kinds)).features)
    cpu = device.choose_device('cpu')
    assert (device.computes_in('float16', cpu), device.computes_in('bfloat16', cpu)) == (float16, bfloat16)
    monkeypatch.setattr(device.platform, 'machine', lambda: 'aarch64')
    assert device.lower_precisions(cpu) == ('bfloat16',) * bfloat16 + ('float16',) * float16
