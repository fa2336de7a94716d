# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packages import modules that need torch only when they are used."""
from __future__ import annotations

import gc
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fanet_ros.imports import import_quickly, imported_on_use

PACKAGES = ('fanet_ros.inference', 'fanet_ros.inference.engines', 'fanet_ros.model')


@pytest.mark.parametrize('module', [*PACKAGES, 'fanet_ros.inference.engines.choices', 'fanet_ros.inference.first_segmenter',
                                    'fanet_ros.host.machine'])
def test_importing_it_does_not_load_torch(module: str) -> None:
    code = f'import sys, {module}; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0


@pytest.mark.parametrize('package', PACKAGES)
def test_every_public_name_is_found(package: str) -> None:
    module = importlib.import_module(package)
    assert all(getattr(module, name).__module__.startswith(package) for name in module.__all__
               if hasattr(getattr(module, name), '__module__'))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        module.nothing      # noqa: B018


def test_a_name_is_imported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / 'lazy_example'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'part.py').write_text('import gc\nvalue = [gc.isenabled()]\n')
    monkeypatch.syspath_prepend(tmp_path)
    example = importlib.import_module('lazy_example')
    get = imported_on_use('lazy_example', {'part': ['value']})
    assert 'lazy_example.part' not in sys.modules
    assert get('value') == [False] and example.value is get('value')       # without garbage collection, and only then
    assert gc.isenabled()


def test_a_failed_import_leaves_the_garbage_collection_as_it_was() -> None:
    with pytest.raises(ModuleNotFoundError, match='fanet_ros.nothing'):
        import_quickly('fanet_ros.nothing')
    assert gc.isenabled()
    gc.disable()
    try:
        import_quickly('fanet_ros.choices')
        assert not gc.isenabled()
    finally:
        gc.enable()
