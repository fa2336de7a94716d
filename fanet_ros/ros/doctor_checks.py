"""Makes the checks of `doctor`, one after the other, and reports."""
from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from fanet_ros.ros.doctor_camera import check_camera, listen
from fanet_ros.ros.doctor_findings import ERROR, OK, Check, Finding, exit_code, findings_of, lines_of, summary
from fanet_ros.ros.doctor_machine import check_cv_bridge, check_engines, check_python, check_torch
from fanet_ros.ros.doctor_model import check_model
from fanet_ros.ros.doctor_speed import check_speed
from fanet_ros.ros.doctor_transport import check_transport
from fanet_ros.ros.process_end import fail, shut_down
from fanet_ros.ros.process_tuning import tune_process
from fanet_ros.ros.segmentation_parameters import declare_settings
from fanet_ros.sources import SyntheticStreet


class Doctor:
    """Makes the checks one after the other and tells of each at once."""

    def __init__(self, quiet: bool) -> None:
        self.findings: list[Finding] = []
        self._quiet = quiet
        self._colored = sys.stdout.isatty() and not os.environ.get('NO_COLOR')

    def check(self, name: str, check: Check) -> None:
        """Make one check."""
        found = findings_of(name, check)
        self.findings += found
        if not self._quiet:
            print('\n'.join(lines_of(found, self._colored)), flush=True)


def examine(arguments: argparse.Namespace, argv: list[str]) -> int:
    """Check and report; returns the exit code.

    :param argv: with the node's own ROS arguments
    """
    tuning = tune_process()
    try:
        rclpy.init(args=argv)
    except RuntimeError as error:
        fail('doctor', error)
        return 2
    try:
        doctor = Doctor(quiet=arguments.json == '-')
        for name, check in (('python', check_python), ('torch', check_torch), ('cv_bridge', check_cv_bridge),
                            ('engines', check_engines), ('ros', functools.partial(check_transport, tuning))):
            doctor.check(name, check)
        # The node's own name, so that its section of a parameter file is read; it offers nothing under it.
        node = rclpy.create_node('segmentation', enable_rosout=False, start_parameter_services=False)
        _check_node(doctor, node, arguments)
        return _report(doctor, arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        shut_down()


def _check_node(doctor: Doctor, node: Node, arguments: argparse.Namespace) -> None:
    try:
        settings = declare_settings(node)
    except (ValueError, ParameterException) as error:
        finding = Finding('parameters', ERROR, ' '.join(str(error).split()), 'mend the parameter file or the -p argument')
        doctor.check('parameters', lambda: [finding])
        return
    doctor.check('checkpoint', functools.partial(check_model, settings))
    frame, rate_hz = None, None
    if not arguments.no_camera:
        heard = listen(node, settings.cameras or ('',), settings.image_transport == 'compressed', arguments.wait_s)
        for item in heard:
            doctor.check(item.camera.name or 'camera', functools.partial(check_camera, node, item, arguments.wait_s))
        frame = next((item.rgb for item in heard if item.rgb is not None), None)
        rate_hz = sum(item.rate_hz for item in heard) or None
    if not arguments.no_speed and all(finding.level != ERROR for finding in doctor.findings if finding.check != 'camera'):
        if frame is None:
            frame = SyntheticStreet(640, 480).frame(0).rgb
            note = Finding('speed', OK, 'no frame of a camera: measured on one of 640x480 of the synthetic street')
            doctor.check('speed', lambda: [note])
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
