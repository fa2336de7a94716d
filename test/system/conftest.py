# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by the system tests: a separate DDS domain, installed executables, and a node to communicate with them."""
from __future__ import annotations

import functools
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import pytest

pytest.importorskip('rclpy')

import numpy as np
import psutil
import rclpy
import torch
from builtin_interfaces.msg import Time
from domains import own_domain
from executables import find_executable
from fanet_ros.msg import FrameTiming
from image_helpers import blotches
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.package_share import class_map_file
from fanet_ros.ros.common.image_conversion import rgb_to_image_message

TIMEOUT_S = 300.0       # generous for a busy machine; a hang is still detected
REPEAT_S = 5.0
ADDRESS_SPACE_BYTES = 12 * 2**30      # so that too large allocations fail on every machine
KEEP_ALL_QOS = QoSProfile(depth=100)


class Process:
    """A running executable of the package, with its output in a file; killed by the fixture that started it."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self.name, self._log = name, log
        with open(log, 'wb') as output:
            self._process = subprocess.Popen(
                [str(find_executable(name)), *arguments], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=environment, preexec_fn=_limit_memory)     # noqa: PLW1509  one call of the kernel

    @property
    def log(self) -> str:
        """All output so far."""
        return self._log.read_text(errors='replace')

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def resident_bytes(self) -> int:
        """Current resident memory in bytes."""
        return psutil.Process(self._process.pid).memory_info().rss

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        return self._process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """Kill it and wait."""
        self._process.kill()
        self._process.wait()


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))


class Client:
    """A ROS node inside the test, with helpers to communicate with other nodes."""

    def __init__(self, domain_id: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('client', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait_for(self, condition: Callable[[], bool], what: str, process: Optional[Process] = None) -> None:
        """Spin until `condition` holds; fails after TIMEOUT_S, or when `process` ends first."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert process is None or process.is_alive, f'{process.name} ended before {what}:\n{process.log}'
            assert time.monotonic() < deadline, \
                f'waited {TIMEOUT_S} s for {what}\n{process.log if process is not None else ""}'
            self._executor.spin_once(timeout_sec=0.05)

    def collect(self, message_type: type, topic: str, qos: QoSProfile = KEEP_ALL_QOS) -> list[Any]:
        """Subscribe to `topic`; the list grows with every message."""
        messages: list[Any] = []
        self.node.create_subscription(message_type, topic, messages.append, qos)
        return messages

    def publisher(self, message_type: type, topic: str, qos: Union[QoSProfile, int] = 5) -> Publisher:
        """Make a publisher and wait until somebody subscribes."""
        publisher = self.node.create_publisher(message_type, topic, qos)
        self.wait_for(lambda: publisher.get_subscription_count() > 0, f'a subscriber of {topic}')
        return publisher

    def set_parameters(self, node_name: str, atomically: bool = False, **values: Any) -> list[SetParametersResult]:
        """Like `ros2 param set`: one result per parameter, or a single one if atomically."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        if atomically:
            service, name = SetParametersAtomically, f'{node_name}/set_parameters_atomically'
            return [self._call(service, name, service.Request(parameters=parameters)).result]
        service, name = SetParameters, f'{node_name}/set_parameters'
        return list(self._call(service, name, service.Request(parameters=parameters)).results)

    def apply(self, node_name: str, atomically: bool = False, **values: Any) -> None:
        """set_parameters() with values that must be accepted."""
        for result in self.set_parameters(node_name, atomically, **values):
            assert result.successful, result.reason

    def get_parameters(self, node_name: str, *names: str) -> list[Any]:
        """Like `ros2 param get`, for several parameters."""
        request = GetParameters.Request(names=list(names))
        response = self._call(GetParameters, f'{node_name}/get_parameters', request, repeat=True)
        return [parameter_value_to_python(value) for value in response.values]

    def change_state(self, node_name: str, transition: int) -> bool:
        """Like `ros2 lifecycle set`; returns whether it succeeded."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return self._call(ChangeState, f'{node_name}/change_state', request).success

    def state(self, node_name: str) -> str:
        """Like `ros2 lifecycle get`: the name of the state."""
        return self._call(GetState, f'{node_name}/get_state', GetState.Request(), repeat=True).current_state.label

    def _call(self, service: type, name: str, request: Any, repeat: bool = False) -> Any:
        """:param repeat: ask again and again: an answer that is sent before DDS has matched its reader is lost."""
        client = self.node.create_client(service, name)
        self.wait_for(client.service_is_ready, f'the service {name}')
        began, futures = time.monotonic(), [client.call_async(request)]

        def is_answered() -> bool:
            if repeat and time.monotonic() - began > REPEAT_S * len(futures):
                futures.append(client.call_async(request))
            return any(future.done() for future in futures)
        self.wait_for(is_answered, f'the answer of {name}')
        self.node.destroy_client(client)
        return next(future.result() for future in futures if future.done())


Picture = Union[np.ndarray, Image, CompressedImage]


class Camera:
    """Publishes images with unique stamps, and waits for the answers of a segmentation node.

    :param node: name of the node, with a leading /
    """

    def __init__(self, client: Client, process: Process, node: str = '/segmentation', topic: str = '/image',
                 message_type: type = Image) -> None:
        self.client, self.process = client, process
        self.masks = client.collect(Image, f'{node}/mask')
        self.timings = client.collect(FrameTiming, f'{node}/timing')
        self.publisher = client.publisher(message_type, topic)
        self._stamp_s = 1000

    def connect(self, picture: Picture) -> None:
        """Send `picture` until it is answered: until both directions are connected, frames and answers may be lost."""
        self.client.wait_for(lambda: self.send(picture) is not None and bool(self.masks and self.timings),
                             'the first mask', self.process)
        self.wait_for_one(self.timings, self.send(picture))

    def header(self) -> Header:
        """A header with the next stamp."""
        self._stamp_s += 1
        return Header(stamp=Time(sec=self._stamp_s, nanosec=123456789), frame_id='front/optical frame')

    def send(self, picture: Picture) -> Header:
        """Publish (H, W, 3) uint8 RGB or a message with a new header; returns the header."""
        header = self.header()
        if isinstance(picture, np.ndarray):
            picture = rgb_to_image_message(picture, header)
        picture.header = header
        self.publisher.publish(picture)
        return header

    def answer_to(self, picture: Picture) -> tuple[Image, FrameTiming]:
        """Publish an image; returns its mask and timing."""
        header = self.send(picture)
        return self.wait_for_one(self.masks, header), self.wait_for_one(self.timings, header)

    def answer_at(self, picture: Picture, network_size: tuple[int, int]) -> tuple[Image, FrameTiming]:
        """answer_to() once the network runs at this (height, width): first frames of a new shape are squeezed into the old one."""
        def runs_at_it() -> bool:
            timing = self.answer_to(picture)[1]
            return (timing.input_height, timing.input_width) == network_size
        self.client.wait_for(runs_at_it, f'a network of {network_size}', self.process)
        return self.answer_to(picture)

    def wait_for_one(self, messages: list[Any], header: Header) -> Any:
        """Wait for the message with exactly this header."""
        def found() -> list[Any]:
            return [message for message in messages if message.header == header]
        self.client.wait_for(lambda: bool(found()), f'an answer to the frame of {header.stamp.sec} s', self.process)
        message, = found()
        return message


@pytest.fixture(name='ros_domain_id', scope='session')
def ros_domain_id_fixture() -> Iterator[int]:
    """A domain that no other process on this machine uses."""
    with own_domain() as domain_id:
        yield domain_id


@pytest.fixture(name='client', scope='module')
def client_fixture(ros_domain_id: int) -> Iterator[Client]:
    """A node in the domain of the processes under test."""
    client = Client(ros_domain_id)
    yield client
    client.close()


@pytest.fixture(name='make_camera', scope='module')
def make_camera_fixture(client: Client) -> Callable[..., Camera]:
    """Makes a Camera: make_camera(process, node='/segmentation', topic='/image', message_type=Image)."""
    return functools.partial(Camera, client)


@pytest.fixture(name='start_executable', scope='module')
def start_executable_fixture(
        ros_domain_id: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Process]]:
    """Starts an installed executable: start_executable('camera_node', '--ros-args', '-p', 'count:=3')."""
    started: list[Process] = []
    logs = tmp_path_factory.mktemp('log')

    def start(name: str, *arguments: str) -> Process:
        environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros_domain_id), 'PYTHONUNBUFFERED': '1'}
        started.append(Process(name, list(arguments), logs / f'{len(started)}_{name}.log', environment))
        return started[-1]
    yield start
    for process in started:
        process.kill()


@pytest.fixture(name='small_checkpoint', scope='session')
def small_checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained FANet-18 with the 11 CamVid classes that runs at 96x128 and predicts many of them."""
    class_map = ClassMap.load(class_map_file('camvid11'))
    metadata = CheckpointMetadata('fanet18', 'paper', class_map.name, class_map.names, class_map.colors,
                                  training_resolution=(96, 128))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = metadata.build_network().train()
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None       # plain mean of what it sees
        for _ in range(2):      # lets the normalisation layers see some values, else one class wins nearly everywhere
            network(torch.randn(4, 3, 96, 128))
    path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
    save_checkpoint(path, network.eval(), metadata)
    return path


@pytest.fixture(name='start_segmentation', scope='module')
def start_segmentation_fixture(start_executable: Callable[..., Process], small_checkpoint: Path) -> Callable[..., Process]:
    """Starts a node with `small_checkpoint`: start_segmentation('output_size:=network', rules=['__ns:=/front']).

    Its results equal those of `segmenter` exactly: with engine auto, two processes may choose engines that round differently.
    """
    def start(*parameters: str, rules: Sequence[str] = ()) -> Process:
        given = (f'checkpoint:={small_checkpoint}', 'device:=cpu', 'engine:=torch', 'num_threads:=1', *parameters)
        return start_executable('segmentation_node', '--ros-args', *(part for rule in rules for part in ('-r', rule)),
                                *(part for parameter in given for part in ('-p', parameter)))
    return start


@pytest.fixture(name='segmentation_camera', scope='module')
def segmentation_camera_fixture(
        make_camera: Callable[..., Camera], start_segmentation: Callable[..., Process]) -> Callable[..., Camera]:
    """A camera with its own node: segmentation_camera('output_size:=network', ...), with parameters of the node."""
    def start(*parameters: str) -> Camera:
        camera = make_camera(start_segmentation(*parameters))
        camera.connect(blotches(0))
        return camera
    return start


@pytest.fixture(name='segmenter', scope='module')
def segmenter_fixture(small_checkpoint: Path) -> Iterator[Segmenter]:
    """`small_checkpoint` loaded in this process."""
    threads = torch.get_num_threads()
    yield Segmenter.from_checkpoint(small_checkpoint, device='cpu', engine='torch', num_threads=1)
    torch.set_num_threads(threads)
