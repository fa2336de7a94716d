# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Matching and scaling of the calibration for a mask."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from rclpy.context import Context
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fanet_ros.ros.segmentation.camera_info import KEPT, CameraInfos, camera_info_topic, image_size, scaled_camera_info

K = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
P = [490.0, 0.0, 318.0, -49.0, 0.0, 505.0, 242.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def header(second: int, frame_id: str = 'front') -> Header:
    return Header(stamp=Time(sec=second, nanosec=7), frame_id=frame_id)


def calibration(second: int = 1, frame_id: str = 'front', width: int = 640, height: int = 480) -> CameraInfo:
    info = CameraInfo(header=header(second, frame_id), width=width, height=height, distortion_model='plumb_bob',
                      d=[0.1, 0.2, 0.0, 0.0, 0.0], k=K, p=P)
    info.r[0] = info.r[4] = info.r[8] = 1.0
    return info


def pixel(p: np.ndarray, point: tuple[float, float, float]) -> np.ndarray:
    u, v, w = np.asarray(p).reshape(3, 4) @ [*point, 1.0]
    return np.array([u / w, v / w])


def test_projection_matches_the_resized_image() -> None:
    info = calibration()
    scaled = scaled_camera_info(info, header(5, 'other'), height=120, width=320)
    assert (scaled.height, scaled.width, scaled.header) == (120, 320, header(5, 'other'))
    for point in ((0.3, -0.2, 2.0), (-1.0, 1.0, 4.0)):
        assert np.allclose(pixel(scaled.p, point), pixel(info.p, point) * [0.5, 0.25])
    assert list(scaled.k) == [250.0, 0.0, 160.0, 0.0, 127.5, 60.0, 0.0, 0.0, 1.0]
    assert scaled.distortion_model == 'plumb_bob' and list(scaled.d) == list(info.d)
    assert list(scaled.r) == list(info.r)
    assert list(info.k) == K and info.width == 640      # the input message is not modified


def test_region_of_interest_and_binning_are_scaled() -> None:
    info = calibration()
    info.binning_x = info.binning_y = 2
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 40, 20, 400, 200
    assert image_size(info) == (100, 200)
    scaled = scaled_camera_info(info, header(1), height=50, width=100)
    roi = scaled.roi
    assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (20, 10, 200, 100)
    assert (scaled.width, scaled.height, scaled.binning_x) == (320, 240, 2) and image_size(scaled) == (50, 100)


def test_equal_stamp_takes_precedence_over_newer_ones() -> None:
    infos = CameraInfos()
    for second in (1, 2, 3):
        infos.put(calibration(second))
    assert infos.find(header(2), 480, 640).header == header(2)
    assert infos.find(header(9), 480, 640).header == header(3)      # else the newest
    infos.put(calibration(4, 'rear'))
    assert infos.find(header(9), 480, 640).header == header(3)      # of this camera
    assert infos.find(header(9), 240, 320) is None                  # and of this size
    assert infos.find(header(9, 'left'), 480, 640) is None
    infos.put(calibration(2, width=320, height=240))
    assert infos.find(header(2), 480, 640).header == header(3)


def test_old_messages_are_dropped() -> None:
    infos = CameraInfos()
    infos.put(calibration(0, 'once'))
    for second in range(1, KEPT):
        infos.put(calibration(second))
    assert infos.find(header(0, 'once'), 480, 640) is not None
    infos.put(calibration(KEPT))
    assert infos.find(header(0, 'once'), 480, 640) is None


@pytest.fixture(name='context')
def context_fixture() -> Iterator[Context]:
    context = Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


@pytest.mark.parametrize(('namespace', 'image', 'expected'), [
    ('', '/image', '/camera_info'), ('/robot', '/robot/image', '/robot/camera_info'),
    ('/robot', '/cam/color/image_raw', '/cam/color/camera_info'),
    ('', '/cam/image_raw/compressed', '/cam/camera_info')])
def test_default_topic_is_in_the_namespace_of_the_image(
        context: Context, namespace: str, image: str, expected: str) -> None:
    node = rclpy.create_node('n', namespace=namespace, context=context)
    assert camera_info_topic(node, image) == expected


def test_remapped_topic_takes_precedence(context: Context) -> None:
    node = rclpy.create_node('n', context=context, cli_args=['--ros-args', '-r', 'camera_info:=/there/info'])
    assert camera_info_topic(node, '/cam/image_raw') == '/there/info'


@pytest.mark.parametrize(('camera', 'expected'), [
    ('front', '/calibration/front'), ('left', '/robot/left_eye/info'), ('rear', '/rear_eye/camera_info')])
def test_each_of_several_cameras_is_remapped_by_its_name(context: Context, camera: str, expected: str) -> None:
    node = rclpy.create_node('n', namespace='/robot', context=context, cli_args=[
        '--ros-args', '-r', 'front/camera_info:=/calibration/front', '-r', 'left/camera_info:=left_eye/info',
        '-r', 'camera_info:=/of/a/single/camera'])
    assert camera_info_topic(node, f'/{camera}_eye/image_raw', camera) == expected


@pytest.mark.parametrize('change', [
    {'frame_id': ''}, {'stamp': 0}, {'frame_id': '', 'stamp': 0},
    {'roi': (639, 479)}, {'roi': (640, 480)}, {'width': 0, 'height': 0}, {'width': 639, 'height': 479}])
def test_calibration_with_quirks_of_drivers_is_used(change: dict) -> None:
    info = calibration(0 if change.get('stamp') == 0 else 5, change.get('frame_id', 'front'), change.get('width', 640),
                       change.get('height', 480))
    if change.get('stamp') == 0:
        info.header.stamp = Time()
    info.roi.width, info.roi.height = change.get('roi', (0, 0))
    infos = CameraInfos()
    infos.put(info)
    found = infos.find(header(5), 480, 640)
    assert found is not None and list(found.k) == K
    scaled = scaled_camera_info(found, header(5), 480, 640)
    assert (scaled.header, scaled.width, scaled.height) == (header(5), 640, 480)
    assert np.allclose(scaled.k, K, rtol=3e-3 if change.get('width') == 639 else 1e-9)


@pytest.mark.parametrize(('info', 'reason'), [
    (None, 'nothing received on /camera_info'),
    (calibration(5, 'rear'), "camera_info has frame_id 'rear', the image 'front'"),
    (calibration(5, width=1280, height=720), 'camera_info is for 1280x720 images, these are 640x480'),
    (CameraInfo(header=header(5)), 'uncalibrated: camera_info has neither size nor focal length')])
def test_reason_for_no_match(info: CameraInfo, reason: str) -> None:
    infos = CameraInfos()
    if info is not None:
        infos.put(info)
    assert infos.find(header(5), 480, 640) is None and infos.rejection_reason(header(5), 480, 640, '/camera_info') == reason
