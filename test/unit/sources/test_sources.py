"""Every source on real small files, and the synthetic street."""
from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.sources import SourceError, SyntheticStreet, open_source
from fanet_ros.sources.street_canvas import Canvas, View
from fanet_ros.sources.street_sketch import Polygons, Sketch


def test_street_depends_on_its_arguments_alone() -> None:
    first, again = SyntheticStreet(160, 120, 3).frame(5), SyntheticStreet(160, 120, 3).frame(5)
    assert np.array_equal(first.rgb, again.rgb) and np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.rgb, SyntheticStreet(160, 120, 4).frame(5).rgb)


def test_street_frames_do_not_depend_on_those_before() -> None:
    used = SyntheticStreet(160, 120, 8)
    for index in (0, 50, 400, 51):
        frame, fresh = used.frame(index), SyntheticStreet(160, 120, 8).frame(index)
        assert np.array_equal(frame.rgb, fresh.rgb) and np.array_equal(frame.labels, fresh.labels)


def test_canvas_paints_picture_and_labels_alike_and_shadows_only_the_picture() -> None:
    view = View(80, 60, focal_px=80.0, center_px=40.0, horizon_px=20.0, height_m=1.5, x_m=0.0, bend_per_m=0.0)
    canvas = Canvas(view, np.zeros((60, 80, 4), np.uint8), np.zeros(3))
    sketch = Sketch(1.0, None)
    sketch.polygon([(-9, 0, 2), (9, 0, 2), (9, 0, 30), (-9, 0, 30)], (200, 200, 200), 3)
    sketch.upright(-1, 1, 0, 1, 8.0, (200, 100, 50), 8)
    sketch.shade_under(0.0, 4.0, 5.0, 1.0)
    thing = sketch.finish()
    canvas.paint(thing.solid)
    bright, labels = canvas.rgb, canvas.labels
    # In px: x = 40 +- 80 / 8, y = 20 + 80 * (1.5 - 0..1) / 8.
    assert (labels[26:34, 31:49] == 8).all() and (labels == 8).sum() <= 21 * 11
    assert np.array_equal(labels == 8, bright[..., 0] > 1.5 * bright[..., 2]) and (labels[50:] == 3).any()
    canvas.darken(thing.shadow)         # y = 20 + 80 * 1.5 / 4..5 = 44..50
    assert np.array_equal(canvas.labels, labels)
    assert (canvas.rgb[46:49, 30:50] < bright[46:49, 30:50]).all() and np.array_equal(canvas.rgb[:42], bright[:42])


def test_street_moves_and_shows_all_classes() -> None:
    street = SyntheticStreet(160, 120, 1)
    assert (street.frame(0).labels != street.frame(10).labels).any()
    seen = set()
    for seed in range(6):
        seen |= set(np.unique(SyntheticStreet(160, 120, seed).frame(30).labels).tolist())
    assert seen == set(range(11))


@pytest.mark.parametrize('size', [(64, 64), (97, 133)])
def test_street_has_road_below_and_sky_above(size: 'tuple[int, int]') -> None:
    frame = SyntheticStreet(*size, seed=0).frame(3)
    assert frame.rgb.shape == (size[1], size[0], 3) and frame.labels.shape == (size[1], size[0])
    assert frame.labels[-1, size[0] // 2] == 3
    assert not (frame.labels[:size[1] // 3] == 3).any() and not (frame.labels[size[1] // 2:] == 0).any()


def test_folder_in_natural_order_skips_what_is_no_image(tmp_path: Path) -> None:
    for number, value in ((10, 200), (2, 50)):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((20, 30, 3), value, np.uint8))
    (tmp_path / '5.png').write_bytes(b'no image')
    with pytest.warns(UserWarning, match='5.png'):
        frames = list(open_source(str(tmp_path)))
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [50, 200]
    assert [frame.index for frame in frames] == [0, 1]


def test_video(tmp_path: Path) -> None:
    path = str(tmp_path / 'v.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (40, 120, 220):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    assert [round(float(frame.rgb.mean()), -1) for frame in open_source(path)] == [40, 120, 220]


@pytest.mark.parametrize('source', ['no/such/file.mp4', '/dev/video87'])
def test_absent_sources(source: str) -> None:
    with pytest.raises(SourceError):
        open_source(source)


def test_empty_folder_and_unreadable_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match='no images'):
        open_source(str(tmp_path))
    (tmp_path / 'x.mp4').write_bytes(b'not a video')
    with pytest.raises(SourceError, match='not a readable video'):
        open_source(str(tmp_path / 'x.mp4'))
