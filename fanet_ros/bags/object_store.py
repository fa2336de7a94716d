# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an object store is asked through fsspec, and its errors."""
from __future__ import annotations

import tempfile
from functools import cached_property
from typing import Any, Callable, NamedTuple, TypeVar

from fanet_ros.bags.errors import StoreError
from fanet_ros.error_text import error_text
from fanet_ros.no_space import lacks_space

MARK = '://'
# By which stores tell one content of an object from another; the first one that a store has.
IDENTITIES = ('ETag', 'etag', 'md5Hash', 'generation', 'LastModified', 'last_modified', 'updated', 'mtime', 'created')
_Result = TypeVar('_Result')


class RemoteStat(NamedTuple):
    """An object: its size in bytes, and a text that changes with its content."""

    st_size: int
    identity: str


class Listing:
    """All objects below a URL by their relative path, '' for the URL itself; and names in each folder."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def files(self) -> dict[str, RemoteStat]:
        def find(files: Any) -> dict[str, RemoteStat]:
            begin = len(str(files._strip_protocol(self._url)).rstrip('/'))
            found = {name: about or files.info(name) for name, about in files.find(self._url, detail=True).items()}
            return {name[begin:].strip('/'): RemoteStat(int(about['size'] or 0), _identity(about))
                    for name, about in found.items() if about['type'] == 'file'}
        return ask(self._url, find)

    @cached_property
    def folders(self) -> dict[str, set[str]]:
        folders: dict[str, set[str]] = {}
        for name in self.files:
            while name:
                name, _, child = name.rpartition('/')
                folders.setdefault(name, set()).add(child)
        return folders


def ask(url: str, action: Callable[[Any], _Result]) -> _Result:
    """The result of `action` with fsspec's file system for the URL.

    :raises StoreError: whatever went wrong, in one line
    """
    protocol = url.partition(MARK)[0]
    try:
        import fsspec
        files = fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise StoreError(f'{url}: {error_text(error)}; each kind of store needs its package: pip install s3fs (s3://), '
                         'gcsfs (gs://)') from None
    try:
        return action(files)
    except Exception as error:      # each store has errors of its own
        raise StoreError(f'{url}: {error_text(error)}; {_remedy(error)}') from None


def _remedy(error: Exception) -> str:
    if lacks_space(error):
        return (f'free some space there or, if it was being copied to this machine, in {tempfile.gettempdir()} '
                '(for another folder, set TMPDIR)')
    if isinstance(error, FileNotFoundError):
        return 'check the name, and whether it was removed meanwhile'
    if isinstance(error, PermissionError):
        return 'check what these credentials may read and write'
    if 'credential' in f'{type(error).__name__} {error}'.lower():
        return 'log in, or set the variables that the store expects, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
    return 'check network, region and address (AWS_ENDPOINT_URL), and run the same command again'


def _identity(about: dict[str, Any]) -> str:
    return next((str(about[key]) for key in IDENTITIES if about.get(key)), '')
