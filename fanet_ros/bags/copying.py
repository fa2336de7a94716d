# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a copy of a bag takes over from the original besides the messages: storage format, topics, custom data."""
from __future__ import annotations

from typing import Collection

import yaml
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag2 import StoragePlugin

from fanet_ros.bags.definitions import MessageDefinition, definition_in
from fanet_ros.bags.metadata import INFORMATION, METADATA
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.remote_path import AnyPath
from fanet_ros.bags.writer import BagWriter

UNKNOWN_HASH = 'RIHS01_' + '0' * 64


def storage_of(path: AnyPath) -> StoragePlugin:
    """Storage format of a bag, judged by its file names."""
    names = [path.name] if path.is_file() else [file.name for file in path.iterdir()]
    return StoragePlugin.SQLITE3 if any('.db3' in name for name in names) else StoragePlugin.MCAP


def custom_data_of(path: AnyPath) -> dict[str, str]:
    """custom_data of a bag's metadata.yaml; empty without one."""
    metadata = path / METADATA
    if not metadata.is_file():
        return {}
    return yaml.safe_load(metadata.read_text(encoding='utf-8'))[INFORMATION].get('custom_data') or {}


def copy_topics(writer: BagWriter, bag: BagReader, connections: Collection[Connection]) -> None:
    """Announce these topics of `bag` in the copy, with their types, definitions and QoS."""
    for item in connections:
        writer.add_topic(item.topic, item.msgtype, getattr(item.ext, 'offered_qos_profiles', ()), _definition(bag, item),
                         getattr(item.ext, 'serialization_format', 'cdr'))


def _definition(bag: BagReader, item: Connection) -> MessageDefinition:
    """Message definition of a topic; what old sqlite3 bags lack is taken from rosbags if it knows the type."""
    text, type_hash = item.msgdef.data, item.digest
    if item.msgdef.format == MessageDefinitionFormat.NONE or not type_hash:
        try:
            known = definition_in(bag.typestore, item.msgtype)
        except Exception:       # neither the bag nor rosbags knows the type: its messages are kept anyway
            known = MessageDefinition(text, UNKNOWN_HASH)
        text = known.text if item.msgdef.format == MessageDefinitionFormat.NONE else text
        type_hash = type_hash or known.type_hash
    return MessageDefinition(text, type_hash)
