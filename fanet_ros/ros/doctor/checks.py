# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the checks of `doctor` and writes the report."""
from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Optional

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from fanet_ros.error_text import error_text
from fanet_ros.host.process_tuning import tune_process
from fanet_ros.ros.common.process import fail, init_ros, shut_down
from fanet_ros.ros.doctor.camera import CameraReception, check_camera, receive
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Check, Finding, exit_code, findings_of, lines_of, summary
from fanet_ros.ros.doctor.machine import check_cv_bridge, check_engines, check_precision, check_python, check_torch
from fanet_ros.ros.doctor.model import check_model
from fanet_ros.ros.doctor.outputs import check_outputs
from fanet_ros.ros.doctor.speed import check_speed
from fanet_ros.ros.doctor.transport import check_transport
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.sources import SyntheticStreet

REMEDY = 'correct the parameter file or the -p argument'


class Doctor:
    """Runs checks and prints the findings of each immediately, unless `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self.findings: list[Finding] = []
        self._quiet = quiet
        self._colored = sys.stdout.isatty() and not os.environ.get('NO_COLOR')

    def check(self, name: str, check: Check) -> None:
        """Run one check and keep its findings."""
        self.add(*findings_of(name, check))

    def add(self, *findings: Finding) -> None:
        self.findings += findings
        if not self._quiet:
            print('\n'.join(lines_of(findings, self._colored)), flush=True)


def examine(arguments: argparse.Namespace, argv: list[str]) -> int:
    """Run all checks and report; returns the exit code.

    :param arguments: parsed options, see doctor.py
    :param argv: command line with the node's ROS arguments
    """
    tuning = tune_process()
    try:
        init_ros(['doctor', *argv])
    except ValueError as error:
        fail('doctor', error)
        return 2
    try:
        doctor = Doctor(quiet=arguments.json == '-')
        for name, check in (('python', check_python), ('torch', check_torch), ('cv_bridge', check_cv_bridge),
                            ('engines', check_engines), ('ros', functools.partial(check_transport, tuning))):
            doctor.check(name, check)
        # Same name as the node, so that its section of a parameter file is used.
        node = rclpy.create_node('segmentation', enable_rosout=False, start_parameter_services=False)
        _check_node(doctor, node, arguments)
        return _report(doctor, arguments)
    except (KeyboardInterrupt, ExternalShutdownException):     # Ctrl-C, SIGTERM
        return 130
    finally:
        shut_down()


def _check_node(doctor: Doctor, node: Node, arguments: argparse.Namespace) -> None:
    settings = _check_parameters(doctor, node)
    if settings is None:
        return
    doctor.check('checkpoint', functools.partial(check_model, settings))
    can_run = not exit_code(doctor.findings, strict=False)
    if can_run:
        doctor.check('precision', functools.partial(check_precision, settings.precision, settings.device))
    receptions = _receive(doctor, node, settings, 0.0 if arguments.no_camera else arguments.wait_s)
    for item in () if arguments.no_camera else receptions:
        doctor.check(item.camera.name or 'camera', functools.partial(check_camera, node, item, arguments.wait_s))
    if receptions:
        doctor.check('outputs', functools.partial(check_outputs, node, [item.camera for item in receptions]))
    if not arguments.no_speed:
        _check_speed(doctor, settings, receptions, can_run)


def _receive(doctor: Doctor, node: Node, settings: SegmentationSettings, wait_s: float) -> list[CameraReception]:
    """What the cameras send; nothing if the node could not subscribe to them, because of invalid qos_overrides."""
    try:
        return receive(node, settings.cameras or ('',), settings.image_transport == 'compressed', wait_s, settings.bit_depth)
    except (ValueError, RuntimeError, ParameterException) as error:
        if not node.context.ok():       # shutdown was requested, which makes ROS calls fail
            raise ExternalShutdownException from None
        doctor.add(Finding('camera', ERROR, error_text(error), REMEDY))
        return []


def _check_parameters(doctor: Doctor, node: Node) -> Optional[SegmentationSettings]:
    """The settings that the node would use, None if it would not start with them."""
    try:
        return SegmentationSettings.declare(node, lambda line: doctor.add(Finding('parameters', WARN, line, REMEDY)))
    except (ValueError, ParameterException) as error:
        doctor.add(Finding('parameters', ERROR, error_text(error), REMEDY))
        return None


def _check_speed(doctor: Doctor, settings: SegmentationSettings, receptions: list[CameraReception], can_run: bool) -> None:
    """Measure on a frame of any readable camera, even if others have problems."""
    if not can_run:
        doctor.add(Finding('speed', WARN, 'not measured, because of the errors above', 'fix the errors above first'))
        return
    frame = next((item.rgb for item in receptions if item.rgb is not None), None)
    if frame is None:
        frame = SyntheticStreet(640, 480).frame(0).rgb
        doctor.add(Finding('speed', OK, 'no camera frame: measured on a 640x480 frame of the synthetic street'))
    rate_hz = sum(item.rate_hz for item in receptions) or None
    silent = [item.camera.name for item in receptions if not item.rate_hz]
    if rate_hz and silent:
        doctor.add(Finding('speed', WARN, f'the rate of {", ".join(silent)} is unknown: compared with the rate of the others',
                           'run doctor again when all cameras publish'))
    doctor.check('speed', functools.partial(check_speed, settings, frame, rate_hz))


def _report(doctor: Doctor, arguments: argparse.Namespace) -> int:
    code = exit_code(doctor.findings, arguments.strict)
    text = json.dumps({'exit_code': code, 'findings': [asdict(finding) for finding in doctor.findings]}, indent=1)
    if arguments.json == '-':
        print(text)
        return code
    print(summary(doctor.findings))
    if arguments.json:
        try:
            Path(arguments.json).write_text(text + '\n')
        except OSError as error:
            return fail('doctor', ValueError(f'{arguments.json} cannot be written: {error.strerror}'))
    return code
