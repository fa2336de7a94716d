# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The metadata.yaml of a split bag: merged from those of its files, and its QoS applied to them."""
from __future__ import annotations

from typing import Any, Final, Sequence

from rosbags.highlevel import AnyReader

METADATA: Final = 'metadata.yaml'
INFORMATION: Final = 'rosbag2_bagfile_information'


def joined_metadata(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge the metadata of a bag's files, each of which was written as a bag of one file."""
    filled = [file for file in files if file['message_count']] or list(files[:1])
    begin = min(file['starting_time']['nanoseconds_since_epoch'] for file in filled)
    end = max(file['starting_time']['nanoseconds_since_epoch'] + file['duration']['nanoseconds'] for file in filled)
    topics: dict[str, dict[str, Any]] = {}
    for file in files:
        for topic in file['topics_with_message_count']:
            name = topic['topic_metadata']['name']
            count = topics[name]['message_count'] if name in topics else 0
            topics[name] = {**topic, 'message_count': count + topic['message_count']}
    return {**files[0], 'relative_file_paths': [path for file in files for path in file['relative_file_paths']],
            'files': [entry for file in files for entry in file['files']],
            'starting_time': {'nanoseconds_since_epoch': begin}, 'duration': {'nanoseconds': end - begin},
            'message_count': sum(file['message_count'] for file in files),
            'topics_with_message_count': list(topics.values())}


def use_qos_of_metadata(reader: AnyReader) -> None:
    """Give the topics of every file the QoS that metadata.yaml states for them.

    rosbags leaves out the messages of topics that differ in it, without a word: those of files written before another publisher
    came, of merged and of indexed bags.
    """
    for part in reader.readers:
        stated = {(item.topic, item.msgtype): item.ext for item in part.connections}
        for file in getattr(getattr(part, 'storage', None), 'storages', ()):
            known = [(item.topic, item.msgtype, item.ext) for item in part.connections]
            file.connections[:] = [item if (item.topic, item.msgtype, item.ext) in known else
                                   item._replace(ext=stated.get((item.topic, item.msgtype), item.ext)) for item in file.connections]
