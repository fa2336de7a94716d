#!/usr/bin/env bash
# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
# Creates .venv/, the Python environment in which the package is built and run.
#   with a sourced ROS   uses that ROS; adds what it lacks (torch, ...) in a virtual environment that sees its packages
#   without one          installs ROS 2 Jazzy wheels into an isolated virtual environment; ROS_WHEELS=kilted: Kilted instead
# PYTHON=... selects an interpreter other than python3.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
venv=$repo/.venv
case ${ROS_WHEELS:-jazzy} in
    jazzy) wheels=ros_wheels.txt distribution=Jazzy ;;
    kilted) wheels=ros_wheels_kilted.txt distribution=Kilted ;;
    *) echo "error: ROS_WHEELS=$ROS_WHEELS is unknown: expected jazzy or kilted" >&2; exit 1 ;;
esac

fail() { echo "error: $*" >&2; exit 1; }

# pip prints a line per package: keep large downloads, to show progress, and every error. sed -u, since mawk, the awk of Debian and
# Ubuntu, would hold lines back until it has 4 KiB of them.
progress() {
    sed -u -n -E -e '/^ *Downloading .*[0-9] [MG]B/ { s/-(cp3|py3).*whl//; p }' -e 's/^Installing.*/  installing/p' \
        -e '/^ERROR|^error|^ *(hint|note):/ p'
}
install() { "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$@" 2>&1 | progress; }

command -v "$python" > /dev/null || fail "no $python here: install Python 3.10 or newer, or name one with PYTHON=..."
"$python" - << 'CHECK' || fail "$python cannot be used, see above; name another interpreter with PYTHON=..."
import sys
if sys.version_info < (3, 10):
    sys.exit(f'Python 3.10 or newer is needed, this is {sys.version.split()[0]}')
try:
    import ensurepip, venv  # noqa: F401
except ImportError:
    sys.exit('Python lacks venv (Debian/Ubuntu: apt install python3-venv)')
CHECK

# In an activated .venv, python3 is its own: use the interpreter that it was made from.
python=$("$python" -c 'import sys; print(sys._base_executable)')

# Identifies the inputs of the environment. If they are unchanged, it is kept.
key="$("$python" --version) ${ROS_DISTRO:-wheels} $(cat "$repo"/environment/{python.txt,"$wheels"} | sha256sum)"
exec 9> "$repo/.venv.lock"
flock 9
[ "$(cat "$venv/.complete" 2> /dev/null)" = "$key" ] && exit 0

rm -rf "$venv"
if [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
    "$python" -c 'import rclpy' || fail "ROS $ROS_DISTRO is sourced but $python cannot import rclpy: name ROS's own interpreter with PYTHON=..."
    echo "environment: ROS $ROS_DISTRO of ${AMENT_PREFIX_PATH%%:*}, $("$python" --version)"
    "$python" -m venv --system-site-packages "$venv"
    # The system's cv_bridge was compiled against the system's numpy: stay within its major version. The system's OpenCV,
    # if any, is kept too; pip does not know about either.
    constraints=$venv/constraints.txt
    "$venv/bin/python" - > "$constraints" << 'NUMPY'
try:
    import numpy
    print('numpy>=1.26,<2' if numpy.__version__.startswith('1.') else f'numpy=={numpy.__version__}')
except ImportError:
    print('numpy>=1.26,<2.3')
NUMPY
    install -r "$repo/environment/python.txt" -c "$constraints" numpy
    "$venv/bin/python" -c 'import cv2' 2> /dev/null || install -c "$constraints" 'opencv-python-headless<5'
    command -v colcon > /dev/null || install -c "$constraints" colcon-common-extensions
else
    [ "$(uname -sm)" = 'Linux x86_64' ] || fail "ROS wheels exist for x86-64 Linux only, this is $(uname -sm): install ROS 2 and source its setup.bash first"
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || fail "the pinned ROS wheels are for Python 3.10 to 3.13, this is $("$python" --version): name another with PYTHON=..."
    echo "environment: no ROS sourced, ROS 2 $distribution from wheels, $("$python" --version) (a few minutes, mostly downloads)"
    "$python" -m venv "$venv"
    install -r "$repo/environment/$wheels" -r "$repo/environment/python.txt"
    "$venv/bin/python" "$repo/environment/patch_wheels.py"
    # The wheels have no setup.bash: activating the environment puts their packages on ament's path.
    cat >> "$venv/bin/activate" << 'ACTIVATE'

# Added by fanet_ros: the ROS packages of this environment.
case ":${AMENT_PREFIX_PATH:-}:" in
    *":$VIRTUAL_ENV:"*) ;;
    *) export AMENT_PREFIX_PATH="$VIRTUAL_ENV${AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}" ;;
esac
ACTIVATE
fi
"$venv/bin/python" -c 'import rclpy, torch, cv2, rosbags, safetensors' || fail 'the environment is incomplete, see above'
echo "$key" > "$venv/.complete"
