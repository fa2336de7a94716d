# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frame pipeline on a GPU; on a machine without one, as much of it as runs on the CPU."""
from __future__ import annotations

import threading
from itertools import chain
from pathlib import Path
from typing import Optional

import numpy as np
import pytest
import torch
from camera_images import ENCODINGS, as_sent, random_image

from fanet_ros.inference import FrameInput, OverlayColors, Segmenter, draw_overlay, gpu, release_memory, resident_mib
from fanet_ros.inference.device_image import rgb_of
from fanet_ros.inference.engines import EngineFactory
from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.engines.network_setup import rewritten_network
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.inference.host_results import PINNED_BYTES
from fanet_ros.inference.postprocess import layer_by_layer
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.resampling import resampled, taps
from fanet_ros.model import load_checkpoint
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD
from fanet_ros.tools.gpu.settings import StepSettings

pytestmark = pytest.mark.gpu
CPU = torch.device('cpu')
HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device('cuda' if HAS_GPU else 'cpu')
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason='no CUDA device')
SIZE = (360, 480) if HAS_GPU else (64, 96)
FRAMES_OF_LONG_RUN = 10_000 if HAS_GPU else 100
SWITCHES = 20 if HAS_GPU else 3


@pytest.fixture(name='settings', scope='module')
def settings_fixture(tmp_path_factory: pytest.TempPathFactory) -> StepSettings:
    return StepSettings(DEVICE, tmp_path_factory.mktemp('weights'))


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(settings: StepSettings) -> Path:
    """The shipped checkpoint or, without its weights, a similar one."""
    return settings.checkpoint('fanet18_camvid')[0]


def segmenter_of(checkpoint: Path, size: tuple[int, int] = SIZE, **more: object) -> Segmenter:
    return Segmenter.from_checkpoint(checkpoint, **{'device': str(DEVICE), 'engine': 'torch', 'input_height': size[0],
                                                    'input_width': size[1], **more})


def is_same(one: np.ndarray, other: np.ndarray, share: float = 0.99) -> bool:
    """Equal but for ties, some of which change with the order of summation."""
    return one.shape == other.shape and float((one == other).mean()) >= share


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """||found - expected|| / ||expected||; NaN if there is one."""
    return float((found.double().cpu() - expected.double().cpu()).norm() / expected.double().norm())


@pytest.mark.parametrize(('precision', 'largest'), [('float32', 5e-3), ('float16', 1e-2), ('bfloat16', 8e-2)])
@pytest.mark.parametrize('name', ['fanet18_camvid', 'fanet34_camvid'])
def test_every_precision_gives_the_logits_of_float32(settings: StepSettings, name: str, precision: str, largest: float,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)      # else convolutions use TF32, 10 bits of mantissa
    if not HAS_GPU and (precision, name) == ('float16', 'fanet34_camvid'):
        pytest.skip('half precision on a CPU takes long')
    network = load_checkpoint(settings.checkpoint(name)[0]).network
    image = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, CPU)(settings.frames(SIZE, 1)[0], *SIZE)
    with torch.inference_mode():
        expected = network(image)
    engine = EngineFactory(network, DEVICE, 'torch', precision).build(*SIZE)
    for _ in range(2):      # twice: state left by the first run must not matter
        assert distance(engine(image.to(DEVICE)), expected) < largest


@needs_gpu
@pytest.mark.parametrize('commute_head', [True, False])
def test_kernels_between_convolutions_give_the_same_logits(settings: StepSettings, commute_head: bool) -> None:
    """In a graph, in half precision, with trained weights, at the size that they are timed at."""
    size = settings.sizes[-1]
    network = load_checkpoint(settings.checkpoint('fanet18_camvid')[0]).network
    image = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, DEVICE)(settings.frames(size, 1)[0], *size)
    plain, fused = (TorchEngine(rewritten_network(network, DEVICE, 'float16', commute_head=commute_head, fused=fused),
                                DEVICE, 'float16', *size, pool=gpu.GraphPool(DEVICE)) for fused in (False, True))
    for _ in range(2):
        assert distance(fused(image), plain(image)) < 1e-2


def test_each_frame_of_a_batch_is_as_alone(checkpoint: Path, settings: StepSettings) -> None:
    segmenter = segmenter_of(checkpoint, batch=5)
    frames = [FrameInput(rgb, confidence=number % 2 == 0) for number, rgb in enumerate(settings.frames((100, 140), 5))]
    alone = [segmenter.segment_batch([frame])[0] for frame in frames]
    for count in (5, 2, 3, 1, 5):       # in any order; each batch size has its own graph
        for frame, one, found in zip(frames, alone, segmenter.segment_batch(frames[:count])):
            assert is_same(found.labels, one.labels) and found.batch_size == count
            assert (found.confidence is None) == (not frame.confidence)
            assert found.confidence is None or np.abs(found.confidence.astype(int) - one.confidence).mean() < 1
    assert len({item.labels.tobytes() for item in alone}) == len(alone)


def test_a_video_is_as_by_the_plain_network(settings: StepSettings) -> None:
    checkpoint = settings.checkpoint('fanet18_camvid_video')[0]
    network, metadata = load_checkpoint(checkpoint)
    engine = EngineFactory(network, DEVICE, 'torch', settings.precision, needs_video=True).build(*SIZE)
    assert isinstance(engine, VideoEngine)
    preprocess = Preprocessor(metadata.mean, metadata.std, CPU)
    past, expected_past = (), ()
    for rgb in settings.frames(SIZE, metadata.temporal_frames + 2):
        image = preprocess(rgb, *SIZE)
        with torch.inference_mode():
            expected, expected_context = network.forward_video(image, expected_past)
        logits, context = engine.run_video(image.to(DEVICE), past)
        assert distance(logits, expected) < 2e-2
        past, expected_past = ((*before, new)[-(metadata.temporal_frames - 1):] for before, new in (
            (past, context), (expected_past, expected_context)))
    assert all(distance(one, other) < 2e-2 for mine, theirs in zip(past, expected_past) for one, other in zip(mine, theirs))


def test_frames_are_right_while_models_are_built_beside(checkpoint: Path, settings: StepSettings) -> None:
    sizes = [SIZE, (192, 480), (360, 256)] if HAS_GPU else [SIZE, (96, 96), (64, 192)]
    rgb = settings.frames(SIZE, 1)[0]
    expected = {size: segmenter_of(checkpoint, size).segment(rgb).labels for size in sizes}
    assert not any(is_same(expected[one], expected[other]) for one, other in zip(sizes, sizes[1:] + sizes[:1]))
    active = segmenter_of(checkpoint)
    found, failed, ended = [], [], threading.Event()

    def segment() -> None:
        try:
            while not ended.is_set():
                result = active.segment(rgb, confidence=True)
                found.append(((result.input_height, result.input_width), is_same(
                    result.labels, expected[result.input_height, result.input_width])))
        except Exception as error:      # in another thread: pytest would not see it
            failed.append(error)
    worker = threading.Thread(target=segment)
    worker.start()
    try:
        for number in range(SWITCHES):
            active = active.resized(*sizes[(number + 1) % len(sizes)])      # as in the node: the worker uses it next
            if number % 5 == 2:
                active = segmenter_of(checkpoint, sizes[number % len(sizes)])
            release_memory()
            seen = len(found)
            while worker.is_alive() and len(found) < seen + 3:
                ended.wait(0.001)
    finally:
        ended.set()
        worker.join()
    assert not failed and {size for size, _ in found} == set(sizes)
    assert all(right for _, right in found)


def test_what_is_wished_for_does_not_change_the_labels(checkpoint: Path, settings: StepSettings) -> None:
    segmenter = segmenter_of(checkpoint)
    rgb = settings.frames((150, 222), 1)[0]
    colors = OverlayColors(segmenter.class_map.palette(), 0.4)
    plain = segmenter.segment(rgb)
    found = segmenter.segment_batch([FrameInput(rgb, confidence=True, overlay=colors)])[0]
    streamed = next(segmenter.segment_stream([FrameInput(rgb, overlay=colors)]))
    assert is_same(found.labels, plain.labels) and is_same(streamed.labels, plain.labels)
    assert plain.overlay is None and plain.confidence is None
    if not HAS_GPU:         # drawn only on a GPU
        assert found.overlay is None
        return
    for item in (found, streamed):
        expected = draw_overlay(rgb, item.labels, colors.palette, colors.alpha)
        assert np.abs(item.overlay.astype(int) - expected).max() <= 1


def test_held_results_are_not_overwritten_by_later_frames(checkpoint: Path, settings: StepSettings) -> None:
    """On a GPU, hold more than the limit of pinned memory."""
    segmenter = segmenter_of(checkpoint)
    colors = OverlayColors(segmenter.class_map.palette(), 0.4)
    frames = [FrameInput(rgb, confidence=True, overlay=colors) for rgb in settings.frames((1024, 1024) if HAS_GPU else SIZE, 9)]
    held, copies = [], []
    for found in chain(segmenter.segment_stream(frames), (segmenter.segment_batch([frame])[0] for frame in frames)):
        assert found is not None
        layers = [item for item in (found.labels, found.confidence, found.overlay) if item is not None]
        held += layers
        copies += [item.copy() for item in layers]
    assert len(held) == 2 * len(frames) * (3 if HAS_GPU else 2)
    assert not HAS_GPU or sum(item.nbytes for item in held) > PINNED_BYTES
    assert all(np.array_equal(one, other) for one, other in zip(held, copies))


def test_stages_are_no_longer_than_the_whole(checkpoint: Path, settings: StepSettings) -> None:
    segmenter = segmenter_of(checkpoint)
    rgb = settings.frames(SIZE, 1)[0]
    segmenter.segment(rgb)
    begin = gpu.record_event(CPU)
    times = segmenter.segment(rgb).times
    whole_ms = gpu.elapsed_ms(begin, gpu.record_event(CPU))
    stages = (times.preprocess_ms, times.network_ms, times.postprocess_ms)
    assert min(stages) > 0 and sum(stages) <= 1.02 * whole_ms       # two clocks


def test_memory_does_not_grow(checkpoint: Path, settings: StepSettings) -> None:
    size = (128, 256) if HAS_GPU else (64, 64)
    segmenter = segmenter_of(checkpoint, size, batch=2)
    colors = OverlayColors(segmenter.class_map.palette(), 0.5)
    frames = [FrameInput(rgb, confidence=number % 2 == 0, overlay=colors if number % 3 == 0 else None)
              for number, rgb in enumerate(settings.frames(size, 6))]

    def work(count: int) -> tuple[float, float]:
        for _ in range(0, count, 12):
            for start in range(0, 6, 2):
                segmenter.segment_batch(frames[start:start + 2])
            assert sum(1 for _ in segmenter.segment_stream(frames)) == 6
        on_gpu = gpu.peak_memory_mib(DEVICE).get('gpu_held_mib', 0.0)
        return resident_mib(), on_gpu
    host, on_gpu = work(FRAMES_OF_LONG_RUN // 5)
    host_later, on_gpu_later = work(FRAMES_OF_LONG_RUN)
    assert on_gpu_later == on_gpu
    assert host_later - host < 24


@needs_gpu
def test_recordings_share_their_memory_and_spoil_nothing() -> None:
    """In any order and on two streams, the outputs of a recording stay valid until its next call."""
    pool = gpu.GraphPool(DEVICE)
    weight = torch.randn(64, 3, 3, 3, device=DEVICE)

    def function(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = torch.nn.functional.conv2d(images, weight).relu()
        return features.mean(1), features.amax((2, 3))
    with torch.inference_mode():
        shapes = [(1, 3, 64, 64), (2, 3, 200, 160), (1, 3, 33, 47)]
        recordings = [gpu.Recording(function, [torch.zeros(shape, device=DEVICE)], pool) for shape in shapes]
        held = torch.cuda.memory_reserved(DEVICE)
        recordings += [gpu.Recording(function, [torch.zeros(shapes[2], device=DEVICE)], pool) for _ in range(3)]
        assert torch.cuda.memory_reserved(DEVICE) <= held + 2**21       # one segment of the allocator, for inputs and outputs
        other = torch.cuda.Stream(DEVICE)
        for number in range(60):
            images = [torch.randn(shape, device=DEVICE) for shape in shapes]
            order = [(number + offset) % 3 for offset in range(3)]
            torch.cuda.synchronize(DEVICE)
            results = {}
            for place, index in enumerate(order):
                with gpu.on(other if (number + place) % 2 else gpu.current_stream(DEVICE)):
                    results[index] = recordings[index](images[index])
            torch.cuda.synchronize(DEVICE)
            for index, result in results.items():
                for one, expected in zip(result, function(images[index])):
                    assert distance(one, expected) < 5e-3


@needs_gpu
@pytest.mark.parametrize(('dtype', 'classes', 'low', 'size', 'channels_last'), [
    (torch.float16, 19, (128, 256), (1024, 2048), True), (torch.float16, 11, (45, 60), (97, 131), False),
    (torch.bfloat16, 11, (45, 60), (360, 480), True), (torch.float32, 171, (9, 7), (61, 300), True),
    (torch.float32, 2, (1, 8), (5, 64), False)])
def test_the_kernel_gives_what_pytorch_gives(dtype: torch.dtype, classes: int, low: tuple[int, int], size: tuple[int, int],
                                             channels_last: bool) -> None:
    from fanet_ros.inference.triton_postprocess import one_pass
    generator = torch.Generator().manual_seed(3)
    logits = (3 * torch.randn(1, classes, *low, generator=generator)).to(DEVICE, dtype)
    if channels_last:
        logits = logits.contiguous(memory_format=torch.channels_last)
    frame = torch.randint(0, 256, (*size, 3), generator=generator, dtype=torch.uint8).to(DEVICE)
    palette = torch.randint(0, 256, (256, 3), generator=generator, dtype=torch.uint8).to(DEVICE)
    found = one_pass(logits, size, True, frame, palette, 0.3)
    expected = layer_by_layer(logits, size, True, frame, palette, 0.3)
    same = found[0] == expected[0]
    assert float(same.float().mean()) > 0.999
    assert int((found[1].int() - expected[1].int()).abs().max()) <= 1
    assert int((found[2][same].int() - expected[2][same].int()).abs().max()) <= 1


@pytest.mark.parametrize('size', [(360, 480), (180, 240), (540, 720), (144, 200)])
@pytest.mark.parametrize('encoding', [None, *ENCODINGS])
def test_the_gpu_is_given_what_the_cpu_is_given(settings: StepSettings, encoding: Optional[str], size: tuple[int, int]) -> None:
    """The CPU rounds to 8 bits when it resizes, twice if it takes means of blocks first; a GPU does not."""
    frame = random_image(encoding, 360, 480, padding=10) if encoding else settings.frames((360, 480), 1)[0]
    one, other = (Preprocessor(IMAGENET_MEAN, IMAGENET_STD, device) for device in (DEVICE, CPU))
    image = one.upload(frame)
    if HAS_GPU:
        given = one.normalized(image, *size).cpu()
    else:       # layer by layer, as on a GPU without Triton
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        given = (resampled(rgb_of(image), *taps((360, 480), size, CPU)) / 255 - mean) / std
    levels = 255 * float(((given - other(frame, *size)).abs() * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)).max())
    assert levels < 1.01


@pytest.mark.parametrize('encoding', ['bgr8', 'nv12', 'bayer_rggb8'])
def test_a_frame_as_the_camera_sent_it_is_segmented_as_its_rgb(
        checkpoint: Path, settings: StepSettings, encoding: str) -> None:
    segmenter = segmenter_of(checkpoint)
    colors = OverlayColors(segmenter.class_map.palette(), 0.4)
    images = [as_sent(rgb, encoding) for rgb in settings.frames((150, 222), 3)]
    expected = [segmenter.segment_batch([FrameInput(image.rgb, overlay=colors)])[0] for image in images]
    found = [segmenter.segment_batch([FrameInput(image, overlay=colors)])[0] for image in images]
    streamed = list(segmenter.segment_stream(FrameInput(image, overlay=colors) for image in images))
    for one, *others in zip(expected, found, streamed):
        for other in others:
            assert is_same(one.labels, other.labels)
            assert one.overlay is None or is_same(one.overlay, other.overlay, 0.98)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason='fewer than two CUDA devices')
def test_another_gpu_than_the_present_one(checkpoint: Path, settings: StepSettings) -> None:
    rgb = settings.frames(SIZE, 1)[0]
    expected = segmenter_of(checkpoint).segment(rgb, confidence=True).labels
    assert is_same(segmenter_of(checkpoint, device='cuda:1').segment(rgb, confidence=True).labels, expected)
