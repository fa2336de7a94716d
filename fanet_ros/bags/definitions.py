# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions for a bag, with which readers without this package decode its messages."""
from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fanet_ros.bags.errors import BagError
from fanet_ros.package_share import share_directory


class MessageDefinition(NamedTuple):
    """What a bag stores about a message type: its .msg text, dependencies included, and RIHS01 hash."""

    text: str
    type_hash: str


def message_definition(type_name: str) -> MessageDefinition:
    """Definition of a type such as 'sensor_msgs/msg/Image'.

    The .msg files of the running ROS define the messages on the wire, so they take precedence; rosbags' own copy of the
    standard messages is the fallback.

    :raises BagError: the type is in neither; the message says where it was searched for
    """
    store = get_typestore(Stores.EMPTY)
    try:
        _register(store, type_name)
    except BagError:
        store = _standard_messages()
        if type_name not in store.fielddefs:
            raise
    return definition_in(store, type_name)


def definition_in(store: Typestore, type_name: str) -> MessageDefinition:
    """Definition of a type that `store` knows."""
    text, _ = store.generate_msgdef(type_name, ros_version=2)
    return MessageDefinition(text, store.hash_rihs01(type_name))


def _register(store: Typestore, type_name: str) -> None:
    """Read a type's installed .msg file, and those of all types in its fields, into `store`."""
    if type_name in store.fielddefs:
        return
    parsed = get_types_from_msg(_installed_text(type_name), type_name)
    for _, fields in parsed.values():
        for _, field in fields:
            _register_field(store, field)
    store.register(parsed)


def _register_field(store: Typestore, field: tuple) -> None:
    kind, content = field
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        _register_field(store, content[0])
    elif kind == Nodetype.NAME:
        _register(store, content)


def _installed_text(type_name: str) -> str:
    package, _, relative = type_name.partition('/')
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        path = Path(prefix) / 'share' / package / f'{relative}.msg'
        if prefix and path.is_file():
            return path.read_text(encoding='utf-8')
    own = share_directory() / f'{relative}.msg'
    if package == 'fanet_ros' and own.is_file():
        return own.read_text(encoding='utf-8')
    raise BagError(
        f'no definition of {type_name}: share/{package}/{relative}.msg is not under any prefix in '
        f'AMENT_PREFIX_PATH; source the workspace that provides {package}')


@lru_cache(maxsize=1)
def _standard_messages() -> Typestore:
    return get_typestore(Stores.ROS2_JAZZY)
