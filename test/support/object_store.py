# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An S3 server in this process that counts what it serves; needs moto[server] and s3fs."""
from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator
from urllib.request import Request, urlopen

import pytest

from fanet_ros.bags.reader import BagReader

BUCKET = 'archive'


class ObjectStore:
    """The server at `url` with a bucket.

    `requests`: (method, path with query, bytes sent) of those since forget(); `before`: called with method and path of a request.
    """

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server
        logging.getLogger('werkzeug').setLevel(logging.ERROR)
        self.requests: list[tuple[str, str, int]] = []
        self.before: Callable[[str, str], object] = lambda method, path: None
        self._answer = DomainDispatcherApplication(create_backend_app)
        self._server = make_server('127.0.0.1', 0, self._counted, threaded=True)
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Start to count again."""
        self.requests.clear()

    @property
    def bytes_sent(self) -> int:
        """Size of all objects and parts of objects that were downloaded."""
        return sum(size for method, path, size in self.requests if method == 'GET' and 'list-type' not in path)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _counted(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.before(environ['REQUEST_METHOD'], environ['PATH_INFO'])
        body = b''.join(self._answer(environ, start_response))
        path = environ['PATH_INFO'] + (f'?{environ["QUERY_STRING"]}' if environ.get('QUERY_STRING') else '')
        self.requests.append((environ['REQUEST_METHOD'], path, len(body)))
        return [body]


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A running server, to which environment variables lead s3fs, also in child processes; skips the test without moto or s3fs."""
    pytest.importorskip('moto')
    s3fs = pytest.importorskip('s3fs')
    store = ObjectStore()
    variables = {'AWS_ENDPOINT_URL': store.url, 'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test',
                 'AWS_DEFAULT_REGION': 'us-east-1', 'AWS_EC2_METADATA_DISABLED': 'true'}
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            s3fs.S3FileSystem.clear_instance_cache()
            urlopen(Request(f'{store.url}/moto-api/reset', method='POST')).close()      # what servers before this one hold
            files().mkdir(BUCKET)
            yield store
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        store.close()


def files() -> Any:
    """The file system of s3fs, as fanet_ros uses it."""
    import fsspec
    return fsspec.filesystem('s3', use_listings_cache=False)


def put(folder: Path, url: str) -> int:
    """Upload a folder; returns its size in bytes."""
    files().put(str(folder), url, recursive=True)
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


def messages(url: str) -> list[tuple[str, int, bytes]]:
    """All messages of a bag: topic, time of reception, bytes."""
    with BagReader(url) as bag:
        return [(connection.topic, at_ns, bytes(data)) for connection, at_ns, data in bag.messages()]
