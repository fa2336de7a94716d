# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Access control of the dashboard: host names, origins, tokens."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from fanet_ros.ros.dashboard.access import Access, is_same_origin, names_this_machine
from fanet_ros.ros.dashboard.parameters import is_loopback, read_token


@pytest.mark.parametrize('host', ['localhost', 'localhost:8765', '127.0.0.1:9000', '127.8.8.8', '[::1]:8765'])
def test_on_loopback_any_local_host_name_and_port_is_accepted(host: str) -> None:
    assert names_this_machine(host)
    assert Access(is_local=True).refusal(host, None, None) is None


@pytest.mark.parametrize('host', ['evil.example', 'localhost.evil.example:8765', '192.168.1.7:8765', '', ':8765', '[', 'a@b:x',
                                  'evil.example:80@localhost'])
def test_on_loopback_a_foreign_host_name_is_refused_against_dns_rebinding(host: str) -> None:
    assert Access(is_local=True).refusal(host, None, None)[0] in (400, 421)


@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://localhost:9999', 'http://localhost', 'file://', '',
                                    'http://[', 'http://localhost:8765.evil.example'])
def test_another_origin_is_refused(origin: str) -> None:
    assert Access(is_local=True).refusal('localhost:8765', origin, None)[0] == 403


def test_the_own_origin_is_accepted_case_insensitively() -> None:
    assert is_same_origin('http://LocalHost:8765', 'localhost:8765')
    assert Access(is_local=True).refusal('localhost:8765', 'http://localhost:8765', None) is None


@pytest.mark.parametrize('given', [None, '', 'wrong', 'the right tokeN', 'the right token ', 'ü\udcff'])
def test_beyond_loopback_a_wrong_token_is_refused(given: Optional[str]) -> None:
    status, reason = Access(is_local=False, token='the right token').refusal('robot:8765', None, given)
    assert status == 401 and 'the right token' not in reason


def test_beyond_loopback_the_right_token_is_accepted_but_not_with_a_foreign_origin() -> None:
    access = Access(is_local=False, token='the right token')
    assert access.refusal('robot:8765', 'http://robot:8765', 'the right token') is None
    assert access.refusal('robot:8765', 'http://evil.example', 'the right token')[0] == 403


def test_every_start_generates_a_new_long_token() -> None:
    tokens = {Access(is_local=False).token for _ in range(20)}
    assert len(tokens) == 20 and min(map(len, tokens)) >= 32
    assert Access(is_local=True).token == ''


@pytest.mark.parametrize(('address', 'expected'), [
    ('127.0.0.1', True), ('localhost', True), ('::1', True), ('0.0.0.0', False), ('192.168.1.7', False), ('::', False)])
def test_loopback_addresses_are_recognised(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_a_host_name_is_not_an_address() -> None:
    with pytest.raises(ValueError, match='expected an IP address'):
        is_loopback('robot.local')


def test_a_token_file_must_contain_one_long_word(tmp_path: Path) -> None:
    path = tmp_path / 'token'
    with pytest.raises(ValueError, match='cannot be read: No such file'):
        read_token(str(path))
    for text in ('short', '', 'two words that are long enough'):
        path.write_text(text)
        with pytest.raises(ValueError, match='at least 16 characters'):
            read_token(str(path))
    path.write_text('0123456789abcdef\n')
    assert read_token(str(path)) == '0123456789abcdef'
