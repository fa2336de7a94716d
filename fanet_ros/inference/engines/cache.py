"""Where engines keep what took long to make."""
from __future__ import annotations

import hashlib
import os
from pathlib import Path

from fanet_ros.model import FANet


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/fanet_ros or ~/.cache/fanet_ros, made if need be."""
    base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    directory = base / 'fanet_ros'
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def weights_digest(network: FANet) -> str:
    """16 hexadecimal digits that change with any weight, and with what the weights alone do not say of the network."""
    digest = hashlib.sha256(repr((network.flavor, network.reference_size, network.strides)).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
