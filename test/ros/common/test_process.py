# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of a node's process."""
import subprocess
import sys

PROGRAM = '''
import os, signal, sys, threading
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.signals import SignalHandlerOptions
from fanet_ros.ros.common.process import ignore_signals, shut_down, start_ros

assert start_ros('node', [], SignalHandlerOptions.ALL)
node = rclpy.create_node('node')
threading.Timer(0.1, os.kill, (os.getpid(), getattr(signal, sys.argv[1]))).start()
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    print('woken')
ignore_signals()
threads = set(os.listdir('/proc/self/task'))
shut_down()
os.kill(os.getpid(), signal.SIGTERM)
print(len(threads - set(os.listdir('/proc/self/task'))), 'thread has ended,', 'running' if rclpy.ok() else 'shut down')
'''


def test_rclpys_signal_thread_has_ended_before_the_interpreter_frees_what_it_uses() -> None:
    for name in ('SIGINT', 'SIGTERM'):
        done = subprocess.run([sys.executable, '-c', PROGRAM, name], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, 'woken\n1 thread has ended, shut down\n', '')
