# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries and answers of the WebSocket."""
from __future__ import annotations

import json

import pytest

from fanet_ros.ros.dashboard.audience import LOOKING_S, Audience
from fanet_ros.ros.dashboard.wire import Blob, Query, pack, unpack


def test_a_query_is_parsed_with_its_layers_in_a_fixed_order() -> None:
    text = json.dumps({'camera': 'front', 'layers': ['mask', 'camera'], 'frame': 7, 'timing': 3, 'status': 2, 'sent_ms': 12.5})
    assert Query.parse(text) == Query('front', ('camera', 'mask'), 7, 3, 2, 12.5)
    assert Query.parse('{}') == Query()


@pytest.mark.parametrize(('text', 'reason'), [
    ('', 'JSON'), ('{', 'JSON'), ('[' * 100000, 'JSON'), ('[]', 'got list'), ('null', 'got NoneType'),
    ('{"camera": 3}', 'camera: expected a name'), ('{"layers": "mask"}', 'layers: expected some of'),
    ('{"layers": ["mask", {}]}', 'layers: expected some of'), ('{"layers": ["depth"]}', 'layers: expected some of'),
    ('{"frame": "1"}', 'frame: expected a whole number'), ('{"timing": true}', 'timing: expected a whole number'),
    ('{"status": 1.5}', 'status: expected a whole number'), ('{"sent_ms": "now"}', 'sent_ms: expected a number'),
    ('{"sent_ms": NaN}', 'sent_ms: expected a number'), ('{"sent_ms": 1e400}', 'sent_ms: expected a number'),
    ('{"sent_ms": 1' + '0' * 400 + '}', 'sent_ms: expected a number')])
def test_an_invalid_query_is_refused_in_one_short_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        Query.parse(text)
    assert len(str(error.value)) < 120 and '\n' not in str(error.value)


def test_unpacking_inverts_packing() -> None:
    content, files = unpack(pack({'frame': {'sequence': 3}, 'text': 'ü'}, [
        Blob('camera', 'image/jpeg', b'abc'), Blob('mask', 'image/png', b'')]))
    assert content['frame'] == {'sequence': 3} and content['text'] == 'ü'
    assert files == {'camera': b'abc', 'mask': b''}
    assert [blob['mime'] for blob in content['blobs']] == ['image/jpeg', 'image/png']


def test_a_viewer_counts_until_it_stops_querying() -> None:
    now = 0.0
    audience = Audience(lambda: now)
    one, other = object(), object()
    assert audience.wanted() == {}
    audience.asked(one, Query('front', ('camera', 'mask')))
    audience.asked(other, Query('front', ('mask', 'confidence')))
    assert audience.wanted() == {'front': {'camera', 'mask', 'confidence'}}
    now = 2.0
    audience.asked(other, Query('left', ('mask',)))
    assert audience.wanted() == {'front': {'camera', 'mask'}, 'left': {'mask'}}
    now = LOOKING_S + 1.0
    assert audience.wanted() == {'left': {'mask'}}
    audience.left(other)
    audience.left(other)
    assert audience.wanted() == {}
