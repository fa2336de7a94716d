# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Duplicated information agrees, and every way of installing the package finds its data."""
from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

import fanet_ros
from fanet_ros.commands import COMMANDS, purpose
from fanet_ros.package_share import share_directory
from fanet_ros.tools.pack import command as pack

REPO = Path(__file__).parents[2]
PACKAGE_XML = ElementTree.parse(REPO / 'package.xml').getroot()


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split('.')[0])
    return found


def test_version_is_the_same_everywhere():
    assert PACKAGE_XML.findtext('version') == fanet_ros.__version__


@pytest.mark.parametrize('name', COMMANDS)
def test_every_program_has_a_main_and_says_what_it_is_for(name):
    source = REPO.joinpath(*COMMANDS[name].split('.')).with_suffix('.py')
    functions = {node.name: node for node in ast.parse(source.read_text(encoding='utf-8')).body
                 if isinstance(node, ast.FunctionDef)}
    assert [argument.arg for argument in functions['main'].args.args] == ['argv']
    assert purpose(name)


def test_installed_executables_are_all_programs():
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    folders = [Path(prefix) / 'lib' / 'fanet_ros' for prefix in prefixes]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        pytest.skip('the package is not installed in this shell')
    executables = {path.name: path for path in folder.iterdir()}
    assert set(executables) == set(COMMANDS)
    for name, path in executables.items():
        assert os.access(path, os.X_OK), name
        text = path.read_text(encoding='utf-8')
        assert text.startswith('#!/') and f"run('{name}', " in text


def test_package_xml_names_every_ros_package_that_is_imported():
    declared = {element.text for element in PACKAGE_XML if element.tag in ('depend', 'exec_depend')}
    ros_files = [*(REPO / 'fanet_ros' / 'ros').rglob('*.py'), *(REPO / 'launch').glob('*.py')]
    imported = set().union(*(imported_packages(path) for path in ros_files))
    # vision_msgs is optional: used if it is installed.
    ros_packages = {name for name in imported if name.endswith('_msgs') or name in (
        'rclpy', 'cv_bridge', 'launch', 'launch_ros', 'rcl_interfaces', 'builtin_interfaces')}
    assert ros_packages - {'vision_msgs'} <= declared


def test_package_xml_names_every_python_package_that_rosdep_provides():
    rosdep = {'PIL': 'python3-pil', 'aiohttp': 'python3-aiohttp', 'cv2': 'python3-opencv', 'matplotlib': 'python3-matplotlib',
              'numpy': 'python3-numpy', 'psutil': 'python3-psutil', 'tqdm': 'python3-tqdm', 'yaml': 'python3-yaml'}
    imported = set().union(*(imported_packages(path) for path in (REPO / 'fanet_ros').rglob('*.py')))
    declared = {element.text for element in PACKAGE_XML if element.tag == 'exec_depend' and element.text.startswith('python3-')}
    assert declared == {rosdep[name] for name in imported if name in rosdep}
    # The others come from pip, or are optional.
    elsewhere = {'torch', 'safetensors', 'rosbags', 'backports', 'onnx', 'onnxruntime', 'openvino', 'ncnn', 'pnnx', 'triton',
                 'tensorboard', 'av', 'simplejpeg', 'ray', 'pyarrow', 'fsspec', 'playwright', 'pytest', 'fanet_ros', '__future__',
                 *sys.stdlib_module_names}
    ros_packages = {element.text for element in PACKAGE_XML} | {'vision_msgs'}
    assert {name for name in imported if name not in rosdep} <= elsewhere | ros_packages


def test_advice_names_packages_and_no_extras_of_this_one():
    """An installation by colcon has no extras, so pip would install nothing."""
    texts = [*(REPO / 'fanet_ros').rglob('*.py'), *(REPO / 'docs').glob('*.md'), REPO / 'README.md']
    assert not [path.name for path in texts if 'fanet_ros[' in path.read_text(encoding='utf-8')]


@pytest.mark.parametrize('path', sorted((REPO / 'config').glob('*.param.yaml')), ids=lambda path: path.name)
def test_parameter_file_holds_for_any_node_name_and_namespace(path):
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    assert list(content) == ['/**'] and list(content['/**']) == ['ros__parameters']
    assert content['/**']['ros__parameters']


def test_share_directory_of_the_running_package_is_complete():
    share = share_directory()
    for name in ('package.xml', 'config/class_maps/camvid11.yaml', 'config/fastdds.xml', 'config/fastdds_receiver.xml',
                 'launch/segmentation.launch.py'):
        assert (share / name).is_file(), name


def load_package_share(folder: Path):
    """Import a copy of package_share.py put into `folder`/fanet_ros, as if the package lay there."""
    path = folder / 'fanet_ros' / 'package_share.py'
    path.parent.mkdir(parents=True)
    shutil.copy(REPO / 'fanet_ros' / 'package_share.py', path)
    spec = importlib.util.spec_from_file_location('package_share_copy', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_share_directory_of_a_checkout_is_its_root(tmp_path):
    (tmp_path / 'package.xml').touch()
    assert load_package_share(tmp_path).share_directory() == tmp_path


def test_share_directory_of_an_installation_inside_a_checkout_is_the_installed_one(tmp_path):
    (tmp_path / 'package.xml').touch()
    prefix = tmp_path / 'install' / 'fanet_ros'
    (prefix / 'share' / 'fanet_ros').mkdir(parents=True)
    (prefix / 'share' / 'fanet_ros' / 'package.xml').touch()
    module = load_package_share(prefix / 'lib' / 'python3.11' / 'site-packages')
    assert module.share_directory() == prefix / 'share' / 'fanet_ros'


def test_share_directory_says_what_is_missing(tmp_path):
    module = load_package_share(tmp_path)
    with pytest.raises(FileNotFoundError, match='share/fanet_ros/package.xml'):
        module.share_directory()


def test_pip_installs_the_python_package_with_its_data(tmp_path):
    # Built without downloads; setuptools can build wheels without the wheel package since 70.1.
    pytest.importorskip('setuptools', minversion='70.1')
    checkout = tmp_path / 'checkout'
    for name in ('fanet_ros', 'config', 'launch', 'weights'):
        if (REPO / name).is_dir():
            # Empty weight files: only their presence is checked, and packing real ones takes long.
            shutil.copytree(REPO / name, checkout / name, ignore=shutil.ignore_patterns('__pycache__'),
                            copy_function=lambda source, target: Path(target).touch() if name == 'weights' else
                            shutil.copy2(source, target))
    for name in ('setup.py', 'setup.cfg', 'package.xml', 'LICENSE', 'README.md'):
        if (REPO / name).is_file():
            shutil.copy(REPO / name, checkout)
    target = tmp_path / 'target'
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-build-isolation',
                    '--no-index', '--target', target, checkout], check=True, cwd=tmp_path)
    code = 'import fanet_ros.package_share as share; print(share.__file__); print(share.share_directory())'
    printed = subprocess.run(
        [sys.executable, '-c', code], check=True, cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(target)}).stdout
    assert printed.splitlines() == [
        str(target / 'fanet_ros' / 'package_share.py'), str(target / 'share' / 'fanet_ros')]
    installed = {path.relative_to(target / 'share' / 'fanet_ros') for path in (target / 'share').rglob('*')
                 if path.is_file() and path.suffix != '.pyc'}
    expected = {path.relative_to(checkout) for name in ('config', 'launch', 'weights')
                for path in (checkout / name).rglob('*') if path.is_file()} | {Path('package.xml')}
    assert installed == expected
    page = Path('fanet_ros', 'ros', 'dashboard', 'page')
    assert {path.name for path in (target / page).iterdir()} == {path.name for path in (REPO / page).iterdir()}
    assert [path.name for path in (target / 'bin').iterdir()] == ['fanet_ros']


def test_patching_the_wheels_replaces_the_build_machines_folders():
    spec = importlib.util.spec_from_file_location('patch_wheels', REPO / 'environment' / 'patch_wheels.py')
    patch_wheels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(patch_wheels)
    before = ('INCLUDES "/opt/python/cp311-cp311/include/python3.11;'
              '/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include;${PREFIX}/include"')
    after = patch_wheels.patch(before, '/usr/include/python3.12', '/venv/numpy/include')
    assert after == 'INCLUDES "/usr/include/python3.12;/venv/numpy/include;${PREFIX}/include"'
    assert patch_wheels.patch(after, '/usr/include/python3.12', '/venv/numpy/include') == after


def test_what_goes_to_a_borrowed_gpu_fits_into_64_mib():
    """As CONTRIBUTING says: for `make gpu` without the checkpoints that it does not use, for training without any but with data."""
    listed = subprocess.run(['git', 'ls-files', '-z'], cwd=REPO, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip('not a checkout')
    sizes = {name: (REPO / name).stat().st_size for name in listed.stdout.split('\0') if (REPO / name).is_file()}
    checkpoints = [name for name in sizes if name.startswith('weights/') and name.endswith('.safetensors')]
    unused = [name for name in checkpoints if name.endswith('_cityscapes.safetensors')]
    assert sum(sizes.values()) - sum(map(sizes.__getitem__, unused)) < 64 * 2**20
    assert sum(sizes.values()) - sum(map(sizes.__getitem__, checkpoints)) + pack.MAX_MB * 1e6 < 64 * 2**20
