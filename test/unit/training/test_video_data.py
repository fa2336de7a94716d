"""Clips and the measure of flicker."""
import numpy as np

from fanet_ros.sources import SyntheticStreet
from fanet_ros.training.clips import camera_motion_clip
from fanet_ros.training.datasets import UNLABELLED, Sample, SampleCache
from fanet_ros.training.datasets.street import load_street
from fanet_ros.training.flicker import FlickerCounter


def test_a_camera_motion_clip_ends_with_the_image_and_moves_picture_and_labels_together() -> None:
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
        assert agree[known].mean() > 0.97 and (frame.labels == 3).any()     # all but the blended border


def test_a_street_gives_real_videos_relabelled_like_its_frames() -> None:
    frames = load_street([2], [1, 5], 64, 96, lambda name: True, SampleCache())
    assert frames.video(0, 3) is None           # there are no two frames before frame 1
    table = np.full(256, UNLABELLED, np.uint8)
    table[3] = 0
    clip = frames.relabelled(table).video(1, 3)
    assert [sample.name for sample in clip] == ['street2_3', 'street2_4', 'street2_5']
    truth = SyntheticStreet(96, 64, seed=2).frame(4)
    assert np.array_equal(clip[1].rgb, truth.rgb) and np.array_equal(clip[1].labels, table[truth.labels])


def test_flicker_counts_only_what_the_truth_does_not_explain() -> None:
    counter = FlickerCounter()
    assert np.isnan(counter.share)
    truth = np.zeros((2, 4), np.uint8)
    moved = truth.copy()
    moved[0, 0] = 1
    counter.add(truth, truth)
    predicted = moved.copy()
    predicted[1, :2] = 5
    counter.add(moved, predicted)               # one change is true, two are not
    assert (counter.changed, counter.steady) == (2, 7) and counter.share == 2 / 7
    counter.cut()
    counter.add(truth, truth)
    assert counter.steady == 7
