# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training clips, and the measurement of flicker."""
from functools import partial

import cv2
import numpy as np
import pytest

from fanet_ros.datasets import UNLABELLED, Entry, Sample, SampleCache, Samples
from fanet_ros.datasets.changes import relabel
from fanet_ros.datasets.street import load_street
from fanet_ros.evaluation.flicker import Flicker, FlickerCounter
from fanet_ros.sources import SyntheticStreet
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.clips import camera_motion_clip


def test_camera_motion_clip_ends_with_the_image_and_moves_pixels_and_labels_together() -> None:
    labels = np.zeros((60, 80), np.uint8)
    labels[20:40, 30:50] = 3
    rgb = np.repeat((labels * 60)[..., None], 3, 2)
    clip = camera_motion_clip(Sample('a', rgb, labels), 3, np.random.default_rng(0), max_shift=0.1)
    assert len(clip) == 3 and clip[-1].labels is labels
    assert not np.array_equal(clip[0].labels, labels)
    for frame in clip:
        known = frame.labels != UNLABELLED
        brightness = frame.rgb[..., 0].astype(int)
        agree = (brightness > 90) == (frame.labels == 3)
        assert agree[known].mean() > 0.97 and (frame.labels == 3).any()     # except for the blended border


def test_soft_labels_of_a_clip_move_with_its_frames() -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[20:44, 30:60] = 1
    soft = np.stack([labels == 0, labels == 1], -1).astype(np.uint8) * 255
    sample = Sample('a', np.zeros((64, 96, 3), np.uint8), labels, soft)
    for frame in camera_motion_clip(sample, 3, np.random.default_rng(0), max_shift=0.1):
        assert frame.soft is not None
        known = frame.labels != UNLABELLED
        assert (frame.soft.argmax(-1) == frame.labels)[known].mean() > 0.97 and (frame.soft[..., 1] > 127).any()
        assert ((frame.soft.sum(-1) > 127) == known).mean() > 0.97
    without = Sample('b', sample.rgb, labels)
    groups = [Group(Samples([Entry(item.name, partial(Sample, item.name, item.rgb, item.labels, item.soft))]), 1.0)
              for item in (without, sample)]
    augmentation = Augmentation(64, 96, scale=(1.0, 1.0), rotation_deg=0, flip=0)
    batch = BatchSource(groups, augmentation, range(8), 0, clip_length=2).batch(0)
    assert batch.soft is not None and batch.soft.shape == (2, 8, 8, 12, 2)
    has_soft = batch.soft.amax((0, 2, 3, 4)).numpy() > 0
    assert has_soft.any() and not has_soft.all()
    rows, columns = (np.linspace(0, side - 1, side // 8).round().astype(int) for side in (64, 96))
    at_logits, soft_labels = batch.labels.numpy()[:, has_soft][:, :, rows][..., columns], batch.soft.numpy()[:, has_soft]
    certain = soft_labels.max(-1) == 255
    assert certain.mean() > 0.7 and (soft_labels.argmax(-1) == at_logits)[certain].mean() > 0.97


def test_street_gives_real_videos_relabelled_like_its_frames() -> None:
    frames = load_street([2], [1, 5], 64, 96, lambda name: True, SampleCache())
    assert frames.video(0, 3) is None           # there are no two frames before frame 1
    table = np.full(256, UNLABELLED, np.uint8)
    table[3] = 0
    clip = frames.changed(relabel(table)).video(1, 3)
    assert [sample.name for sample in clip] == ['street2_3', 'street2_4', 'street2_5']
    truth = SyntheticStreet(96, 64, seed=2).frame(4)
    assert np.array_equal(clip[1].rgb, truth.rgb) and np.array_equal(clip[1].labels, table[truth.labels])


def test_flicker_counts_only_changes_that_are_not_in_the_ground_truth() -> None:
    counter = FlickerCounter()
    assert np.isnan(counter.flicker.in_place) and np.isnan(counter.flicker.along_motion)
    still = np.full((64, 64, 3), 90, np.uint8)
    truth = np.zeros((64, 64), np.uint8)
    changed = truth.copy()
    changed[0, :10] = 1
    counter.add(still, truth, truth)
    predicted = changed.copy()
    predicted[20, :20] = 5
    counter.add(still, changed, predicted)              # ten changes are in the ground truth, twenty are not
    assert counter.flicker == Flicker(20 / (64 * 64 - 10), 0.0, 20 / (64 * 64 - 10))
    counter.add(np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80), np.uint8), np.ones((80, 80), np.uint8))
    assert counter.flicker.in_place == 20 / (64 * 64 - 10)      # another size: another video


def test_what_comes_into_view_does_not_flicker() -> None:
    """The camera turns to the right by 6 px, to where everything is labelled wrongly."""
    scene = SyntheticStreet(480, 240, seed=3).frame(30).rgb
    labels = np.zeros(scene.shape[:2], np.uint8)
    labels[:, 320:] = 1
    counter = FlickerCounter()
    for first in (0, 6):
        view = (slice(None), slice(first, 320 + first))
        counter.add(np.ascontiguousarray(scene[view]), np.zeros((240, 320), np.uint8), np.ascontiguousarray(labels[view]))
    assert counter.flicker.in_place == pytest.approx(6 / 320) and counter.flicker.along_motion < 0.001


def test_labels_that_move_with_the_scene_do_not_flicker() -> None:
    texture = cv2.resize(np.random.default_rng(0).integers(0, 255, (30, 50, 3), dtype=np.uint8), (200, 120))
    wrong = np.zeros((120, 200), np.uint8)
    wrong[40:80, 60:100] = 2                            # a false object that moves with the scene
    truth, steady, restless = np.zeros_like(wrong), FlickerCounter(), FlickerCounter()
    for frame in range(6):
        rgb = np.roll(texture, 4 * frame, 1)
        steady.add(rgb, truth, np.roll(wrong, 4 * frame, 1))
        restless.add(rgb, truth, np.roll(wrong, 4 * frame, 1) if frame % 2 else truth)
    in_place = 2 * 4 * 40 / wrong.size                  # a column of four pixels on either side
    assert abs(steady.flicker.in_place - in_place) < 1e-6
    assert abs(steady.flicker.of_moving_labels - in_place) < 0.3 * in_place
    assert steady.flicker.along_motion < 0.3 * in_place
    assert abs(restless.flicker.along_motion - 40 * 40 / wrong.size) < 0.1 * 40 * 40 / wrong.size
