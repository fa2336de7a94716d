# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data, losses, metrics, and a training loop that resumes exactly."""
import errno
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from fanet_ros.datasets import UNLABELLED, DatasetError, Sample, Samples, load_folder
from fanet_ros.datasets.samples import Entry
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.model import Checkpoint, CheckpointMetadata, FANetOutputs, FrameContext
from fanet_ros.training.augment import Augmentation, draw_pasted_classes, paste_classes
from fanet_ros.training.batches import Batch, BatchSource, Group
from fanet_ros.training.clip_loss import ClipLoss
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.initial_weights import start_from
from fanet_ros.training.losses import (
    AUX_LABEL_STRIDE,
    LABEL_STRIDE,
    LabelMeaning,
    fanet_loss,
    near_borders,
    ohem_cross_entropy,
    pixel_loss,
    sampled_pixels,
    soft_cross_entropy,
)
from fanet_ros.training.optimization import learning_rate, make_optimizer, set_learning_rate
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

METADATA = CheckpointMetadata('fanet18', 'paper', 'pair', ('a', 'b'), ((1, 2, 3), (4, 5, 6)), (64, 64))
PLAIN: dict[str, Any] = {'color': 0, 'hue_deg': 0, 'gamma': 0, 'blur': 0, 'noise': 0, 'jpeg': 0}


def make_trainer(samples: Samples, settings: TrainingSettings, folder: RunFolder,
                 metadata: CheckpointMetadata = METADATA) -> Trainer:
    batches = BatchSource([Group(samples, 1.0)], Augmentation(64, 64), range(settings.batch_size), settings.seed,
                          metadata.temporal_frames)
    return Trainer(new_network(metadata, settings.seed), metadata, batches, settings, folder)


def test_confusion_matrix_on_known_values() -> None:
    confusion = ConfusionMatrix(3)
    confusion.add(np.array([[0, 0, 1, 255]], np.uint8), np.array([[0, 1, 1, 0]], np.uint8))
    assert confusion.class_iou()[:2].tolist() == [0.5, 0.5] and math.isnan(confusion.class_iou()[2])
    assert confusion.mean_iou() == 0.5 and confusion.pixel_accuracy() == pytest.approx(2 / 3)


def test_pixel_predicted_as_unlabelled_is_a_miss() -> None:
    confusion = ConfusionMatrix(2)
    confusion.add(np.array([[0, 0, 1, 255]], np.uint8), np.array([[0, 255, 1, 255]], np.uint8))
    assert confusion.class_iou().tolist() == [0.5, 1.0] and confusion.pixel_accuracy() == pytest.approx(2 / 3)


@pytest.mark.parametrize(('truth', 'predicted', 'reason'), [
    ([0, 1], [0, 2], 'prediction holds class 2: expected 0..1 or 255'),
    ([0, 254], [0, 1], 'truth holds class 254'),
    ([255, 0], [7, 0], 'prediction holds class 7'),
    ([0], [0, 1], 'expected equal shapes')])
def test_confusion_matrix_rejects_unknown_classes(truth: list, predicted: list, reason: str) -> None:
    confusion = ConfusionMatrix(2)
    with pytest.raises(ValueError, match=reason):
        confusion.add(np.array([truth], np.uint8), np.array([predicted], np.uint8))
    assert not confusion.counts.any() and not confusion.missed.any()


def test_ohem_keeps_the_hard_pixels() -> None:
    logits = torch.zeros(1, 2, 1, 4)
    logits[0, 0, 0, :3] = 10.0          # three easy pixels of class 0, one undecided
    labels = torch.tensor([[[0, 0, 255, 0]]])
    assert ohem_cross_entropy(logits, labels, keep=0.25).item() == pytest.approx(math.log(2), rel=1e-4)


def test_with_a_threshold_of_1_every_labelled_pixel_counts() -> None:
    logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).reshape(1, 2, 1, 3)
    labels = torch.tensor([[[0, 255, 1]]])                                  # easy, unknown, undecided
    assert ohem_cross_entropy(logits, labels, threshold=1.0).item() == pytest.approx((math.log(1 + math.exp(-9)) + math.log(2)) / 2)


def test_auxiliary_heads_may_be_left_out_of_the_loss() -> None:
    network = new_network(METADATA, 0).eval()
    labels = torch.zeros(1, 64, 64, dtype=torch.int64)
    for weight in (0.0, 0.5):
        network.zero_grad(set_to_none=True)
        fanet_loss(network.forward_with_aux(torch.zeros(1, 3, 64, 64)), labels, auxiliary_weight=weight, hard_below=1.0).backward()
        assert network.clslayer.conv_out.weight.grad is not None
        for head in (network.clslayer_16, network.clslayer_32):
            assert (head.conv_out.weight.grad is None) == (weight == 0)


def test_labels_are_compared_with_the_logits_of_their_place_up_to_the_far_edge() -> None:
    side = 288
    place = torch.linspace(0, side - 1, -(-side // 8)).view(1, 1, -1, 1)       # the first and the last logit are in the corners
    for stride in (LABEL_STRIDE, AUX_LABEL_STRIDE):
        sampled = sampled_pixels(side, stride, torch.device('cpu'))
        upsampled = torch.nn.functional.interpolate(place, (len(sampled), 1), mode='bilinear', align_corners=True).flatten()
        assert len(sampled) == side // stride and sampled[-1] == side - 1
        assert (upsampled - sampled).abs().max() < 0.501 and abs((upsampled - sampled).mean()) < 0.01


def test_loss_reaches_the_last_row_and_column() -> None:
    logits = torch.zeros(1, 2, 8, 8)
    labels = torch.full((1, 64, 64), UNLABELLED)
    labels[:, -1, -1] = 1
    outputs = FANetOutputs(logits, logits, logits, FrameContext(*[logits] * 4))
    assert fanet_loss(outputs, labels, auxiliary_weight=0.5).item() == pytest.approx(2 * math.log(2))


def test_label_of_several_classes_accepts_any_of_them() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).view(1, 3, 1, 1).repeat(1, 1, 1, 4)
    labels = torch.tensor([[[0, 3, 4, UNLABELLED]]])                 # class 0; classes 1 and 2; any; nothing
    members = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=torch.bool)
    loss = pixel_loss(logits, labels, LabelMeaning(members))
    assert loss.flatten().tolist() == pytest.approx([math.log(2), math.log(2), 0.0, 0.0], abs=1e-6)
    plain = labels.where(labels < 3, UNLABELLED)
    torch.testing.assert_close(pixel_loss(logits, plain, LabelMeaning(members)), pixel_loss(logits, plain))
    smooth = LabelMeaning(members, smoothing=0.1), LabelMeaning(smoothing=0.1)
    torch.testing.assert_close(pixel_loss(logits, plain, smooth[0]), pixel_loss(logits, plain, smooth[1]))


def test_pixels_are_weighted_by_their_label() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]]).t().reshape(1, 2, 1, 2)
    labels = torch.tensor([[[1, 0]]])
    hard = [math.log(1 + math.e ** 2), math.log(2)]
    weighted = ohem_cross_entropy(logits, labels, LabelMeaning(weights=torch.tensor([3.0, 1.0])))
    assert weighted.item() == pytest.approx((hard[0] + 3 * hard[1]) / 4, rel=1e-5)


def test_borders_lie_between_classes_and_across_narrow_gaps() -> None:
    gap = UNLABELLED
    rows = torch.tensor([[[0, 0, 0, 1, 1, 1, 1], [2, 2, gap, gap, 3, 3, 3], [4, gap, gap, gap, gap, 4, 4]]])[:, :, None]
    near = [near_borders(row, radius).tolist() for row, radius in (
        (rows[:, 0], 1), (rows[:, 0], 2), (rows[:, 1], 2), (rows[:, 1], 3), (rows[:, 2], 6))]
    assert near == [[[[int(pixel) == 1 for pixel in row]]] for row in (
        '0011000', '0111100', '0000000', '0100100', '0000000')]
    column = torch.tensor([0, 0, 1, 1]).view(1, 4, 1)
    assert near_borders(column, 1).flatten().tolist() == [False, True, True, False]


def test_pixels_near_borders_may_weigh_more() -> None:
    logits = torch.zeros(1, 2, 1, 8)
    logits[0, 0, 0, 0] = 2.0                                        # wrong, far from the border between 5 and 6
    labels = torch.tensor([[[1, 1, 1, 1, 1, 1, 0, 0]]])
    wrong, undecided = math.log(1 + math.e ** 2), math.log(2)
    for weight in (1.0, 3.0):                                       # near the border are pixels 4 to 7
        loss = ohem_cross_entropy(logits, labels, border_weight=weight)
        assert loss.item() == pytest.approx((wrong + (3 + 4 * weight) * undecided) / (4 + 4 * weight), rel=1e-5)
    network = new_network(METADATA, 0).eval()
    labels = (torch.arange(64) > 31).long().expand(1, 64, 64)
    plain, bordered = (fanet_loss(network.forward_with_aux(torch.ones(1, 3, 64, 64)), labels, border_weight=weight).item()
                       for weight in (1.0, 3.0))
    assert plain != bordered


def test_soft_labels_count_where_they_are_known() -> None:
    logits = torch.log(torch.tensor([0.5, 0.5])).view(1, 2, 1, 1).repeat(1, 1, 1, 2).requires_grad_()
    soft = torch.tensor([[[[255, 0], [0, 0]]]], dtype=torch.uint8)
    loss = soft_cross_entropy(logits, soft)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2)) and logits.grad is not None
    assert logits.grad[..., 0].abs().min() > 0 and not logits.grad[..., 1].any()
    assert soft_cross_entropy(logits, torch.zeros_like(soft)).item() == 0


def test_encoder_may_have_its_own_learning_rate() -> None:
    network = new_network(METADATA, 0)
    optimizer = make_optimizer(network, TrainingSettings(learning_rate=0.1, encoder_rate=0.3))
    set_learning_rate(optimizer, 0.01)
    rates = {id(parameter): group['lr'] for group in optimizer.param_groups for parameter in group['params']}
    assert len(rates) == len(list(network.parameters()))
    assert rates[id(network.resnet.conv1.weight)] == pytest.approx(0.003)
    assert rates[id(network.clslayer.conv_out.weight)] == pytest.approx(0.01)


@pytest.mark.parametrize('name', ['adamw', 'sgd'])
def test_a_resumed_optimizer_has_the_settings_of_the_recipe(name: str) -> None:
    network = new_network(METADATA, 0)
    old, new = TrainingSettings(optimizer=name), TrainingSettings(optimizer=name, weight_decay=0.1, encoder_rate=0.3)
    optimizer = make_optimizer(network, new)
    optimizer.load_state_dict(make_optimizer(network, old).state_dict())
    assert [(group['weight_decay'], group['rate_factor']) for group in optimizer.param_groups] == [(0.1, 0.3), (0.1, 1.0)]


def test_augmentation_moves_labels_with_the_image() -> None:
    labels = np.zeros((80, 100), np.uint8)
    labels[:, 50:] = 1
    view = Augmentation(64, 64, **PLAIN)
    for seed in range(8):
        rgb, moved = view(Sample('x', np.repeat(labels[..., None] * 200, 3, 2), labels), np.random.default_rng(seed))
        valid = moved != 255
        assert rgb.shape == (64, 64, 3) and valid.any()
        assert ((rgb[..., 0] > 100) == (moved == 1))[valid].mean() > 0.95


def test_a_flipped_view_is_the_mirror_image() -> None:
    rng = np.random.default_rng(0)
    sample = Sample('x', rng.integers(0, 256, (64, 70, 3), np.uint8), rng.integers(0, 9, (64, 70), np.uint8))
    rgb, labels = Augmentation(64, 70, (1.0, 1.0), rotation_deg=0, flip=1.0, **PLAIN)(sample, rng)
    assert np.array_equal(labels, sample.labels[:, ::-1]) and np.array_equal(rgb, sample.rgb[:, ::-1])


def test_noise_does_not_darken() -> None:
    grey = Sample('x', np.full((128, 128, 3), 128, np.uint8), np.zeros((128, 128), np.uint8))
    rgb, _ = Augmentation(128, 128, **{**PLAIN, 'noise': 1.0}, rotation_deg=0, scale=(1.0, 1.0))(grey, np.random.default_rng(0))
    assert rgb.std() > 1 and abs(rgb.mean() - 128) < 0.2


@pytest.mark.parametrize(('share', 'final_share', 'progress'), [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)])
def test_a_weight_may_begin_or_end_at_nothing(share: float, final_share: float, progress: float) -> None:
    sample = Sample('x', np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
    group = Group(Samples([Entry('x', lambda: sample)]), share, final_share)
    assert BatchSource([group], Augmentation(64, 64), range(2), 0).batch(0, progress).labels.shape == (1, 2, 64, 64)


def test_pasted_classes_include_their_pixels() -> None:
    """Images that show only their labels, so that every pixel tells whether its label was pasted with it."""
    rng = np.random.default_rng(0)
    views = []
    for first_class in (0, 4):
        labels = rng.integers(first_class, first_class + 4, (16, 16)).astype(np.uint8)
        labels[0] = UNLABELLED
        views.append((np.repeat(labels[..., None], 3, 2), labels))
    chosen = draw_pasted_classes(np.random.default_rng(1))
    rgb, labels = paste_classes(*views, chosen)
    assert np.array_equal(rgb[..., 0], labels)
    pasted = set(np.unique(labels)) & set(range(4, 8))
    assert 0 < len(pasted) < 4 and pasted == set(np.flatnonzero(chosen[:8])) - set(range(4))
    assert np.array_equal(np.isin(labels, list(pasted)), np.isin(views[1][1], list(pasted)))
    assert not any(draw_pasted_classes(np.random.default_rng(seed))[UNLABELLED] for seed in range(20))


def test_folder_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / 'images').mkdir()
    (tmp_path / 'labels').mkdir()
    with pytest.raises(DatasetError, match='no images'):
        load_folder(tmp_path, 2)
    cv2.imwrite(str(tmp_path / 'images/a.png'), np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(DatasetError, match='a.png is missing'):
        load_folder(tmp_path, 2)
    cv2.imwrite(str(tmp_path / 'labels/a.PNG'), np.full((8, 9), 7, np.uint8))
    with pytest.raises(DatasetError, match='class 7'):
        load_folder(tmp_path, 2)[0]
    assert load_folder(tmp_path, 8)[0].labels[0, 0] == 7


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = [Sample(str(i), rng.integers(0, 256, (64, 64, 3), np.uint8), rng.integers(0, 2, (64, 64), np.uint8))
               for i in range(3)]

    def train(folder: str, until: 'int | None' = None) -> 'list[float]':
        with RunFolder(tmp_path / folder) as run_folder:
            trainer = make_trainer(samples, TrainingSettings(iterations=4, batch_size=2, precision='float32'), run_folder)
            state = run_folder.load(torch.device('cpu'))
            if state is not None:
                trainer.resume(state)
            trainer.run(until)
            return trainer.losses

    assert len(train('parts', until=2)) == 2
    assert train('parts') == pytest.approx(train('whole'), rel=1e-4)
    assert (tmp_path / 'whole' / 'loss.png').is_file()


@pytest.mark.parametrize('settings', [
    TrainingSettings(iterations=3, batch_size=2, optimizer='sgd', schedule='poly', learning_rate=0.01),
    TrainingSettings(iterations=3, batch_size=2, schedule='constant', ema_decay=0.999, auxiliary_weight=0.0, hard_below=1.0),
    TrainingSettings(iterations=3, batch_size=2, accumulate=2, precision='float32', label_smoothing=0.1, class_balance=False)])
@pytest.mark.parametrize('temporal_frames', [1, 2])
def test_every_setting_trains(tmp_path: Path, settings: TrainingSettings, temporal_frames: int) -> None:
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 32:] = 1
    sample = Sample('a', np.repeat(labels[..., None] * 255, 3, 2), labels)
    metadata = replace(METADATA, temporal_frames=temporal_frames)
    trainer = make_trainer(Samples([Entry('a', lambda: sample)]), settings, RunFolder(tmp_path), metadata)
    before = trainer.network.resnet.conv1.weight.clone()
    trainer.run()
    assert len(trainer.losses) == 3 and np.isfinite(trainer.losses).all()
    assert not torch.equal(before, trainer.network.resnet.conv1.weight)


@pytest.mark.parametrize('flavor', ['paper', 'official'])
@pytest.mark.parametrize('auxiliary_weight', [0.0, 0.5])
def test_every_parameter_that_is_trained_gets_a_gradient(flavor: str, auxiliary_weight: float) -> None:
    """Processes that train together wait for all of these."""
    metadata = replace(METADATA, flavor=flavor)
    network = new_network(metadata, 0)
    settings = TrainingSettings(auxiliary_weight=auxiliary_weight)
    loss = ClipLoss(network, metadata.mean, metadata.std, LabelMeaning(), settings, 'float32')
    loss(Batch(torch.zeros(1, 2, 64, 64, 3, dtype=torch.uint8), torch.zeros(1, 2, 64, 64, dtype=torch.uint8))).backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert len(trained) > 60 and all(parameter.grad is not None for parameter in trained)


def test_timed_training_stops_on_time_and_counts_time_before_a_resume(tmp_path: Path) -> None:
    sample = Sample('a', np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
    settings = TrainingSettings(iterations=10**6, minutes=0.02, batch_size=2, precision='float32')

    def trainer(folder: RunFolder) -> Trainer:
        return make_trainer(Samples([Entry('a', lambda: sample)]), settings, folder)
    with RunFolder(tmp_path) as folder:
        first = trainer(folder)
        assert first.run() and 0 < first.iteration < 10**6
        state = folder.load(torch.device('cpu'))
        assert state is not None and state['seconds'] >= 1.2
        again = trainer(folder)
        again.resume(state)
        assert again.run() and again.iteration == first.iteration


def test_a_saved_state_is_to_be_removed_only_if_it_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_a_broken_disk(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    with RunFolder(tmp_path) as folder:
        folder.state_path.write_bytes(b'damaged')
        with pytest.raises(ValueError, match=r'state.pt cannot be read \(.*\): remove it to start over'):
            folder.load(torch.device('cpu'))
        monkeypatch.setattr(torch, 'load', from_a_broken_disk)
        with pytest.raises(ValueError, match=r'state.pt cannot be read: Input/output error\Z'):
            folder.load(torch.device('cpu'))


@pytest.mark.parametrize(('schedule', 'rates'), [
    ('cosine', [0.05, 0.1, 0.05, 0.0]), ('poly', [0.05, 0.1, 0.1 * 0.5 ** 0.9, 0.0]), ('constant', [0.05, 0.1, 0.1, 0.1])])
def test_learning_rates_warm_up_and_follow_the_schedule(schedule: str, rates: list[float]) -> None:
    settings = TrainingSettings(iterations=1000000, schedule=schedule, learning_rate=0.1, warmup_iterations=2)
    found = [learning_rate(settings, iteration, iteration / 1000000) for iteration in (0, 1, 500000, 1000000)]
    assert found == pytest.approx(rates, rel=1e-4, abs=1e-9)


def test_initial_weights_keep_what_fits_and_match_classes_by_name() -> None:
    known = replace(METADATA, class_names=('b', 'x', 'a'), class_colors=((1, 1, 1),) * 3)
    start, network = Checkpoint(known.build_network(), known), new_network(METADATA, 1)
    line = start_from(network, METADATA, start, 'other')
    assert torch.equal(network.resnet.conv1.weight, start.network.resnet.conv1.weight)
    assert torch.equal(network.clslayer.conv_out.weight, start.network.clslayer.conv_out.weight[[2, 0]])
    assert line == 'weights of other; at random: the auxiliary heads'
    fresh = replace(METADATA, class_names=('a', 'new'))
    network, untouched = new_network(fresh, 1), new_network(fresh, 1)
    assert "the class head's rows of new" in start_from(network, fresh, start, 'other')
    assert torch.equal(network.clslayer.conv_out.weight[1], untouched.clslayer.conv_out.weight[1])
    deeper = replace(METADATA, variant='fanet50')
    with pytest.raises(ValueError, match='is a fanet18, the recipe trains a fanet50'):
        start_from(new_network(deeper, 1), deeper, start, 'other')
