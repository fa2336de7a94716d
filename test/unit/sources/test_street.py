# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic street: what a frame depends on, what it shows, and that image and labels agree."""
import numpy as np
import pytest

from fanet_ros.sources import SyntheticStreet
from fanet_ros.sources.street.canvas import Canvas
from fanet_ros.sources.street.character import DISTRICTS, Character
from fanet_ros.sources.street.classes import BICYCLIST, CAR, PEDESTRIAN, ROAD, TREE
from fanet_ros.sources.street.people import ATTITUDES, bicyclist, pedestrian
from fanet_ros.sources.street.sketch import Polygons, Sketch
from fanet_ros.sources.street.texture import NOTHING, OPAQUE, SEEN_THROUGH, Texture, grain
from fanet_ros.sources.street.view import View
from fanet_ros.sources.street.weather import Haze, Weather

CLASSES = set(range(11))
UNLABELLED = 255


def same(first: object, second: object) -> bool:
    return np.array_equal(first.rgb, second.rgb) and np.array_equal(first.labels, second.labels)


@pytest.fixture(name='canvas')
def canvas_fixture() -> Canvas:
    """An empty image of 80 x 60 px in clear air; the ground 6 m away is 20 px below the horizon, 1 m is 13.3 px."""
    view = View(80, 60, focal_px=80.0, center_px=40.0, horizon_px=20.0, height_m=1.5, x_m=0.0, bend_per_m=0.0)
    return Canvas(view, np.zeros((60, 80, 4), np.uint8), Haze(np.zeros(3), 1e9))


def test_a_frame_depends_only_on_the_arguments() -> None:
    first = SyntheticStreet(160, 120, 3).frame(5)
    assert same(first, SyntheticStreet(160, 120, 3).frame(5))
    assert not same(first, SyntheticStreet(160, 120, 4).frame(5))


@pytest.mark.parametrize('seed', [2, 8])
def test_frames_do_not_depend_on_earlier_ones(seed: int) -> None:
    used = SyntheticStreet(160, 120, seed)
    for index in range(0, 400, 50):
        used.frame(index)
    for index in (51, 5000):
        assert same(used.frame(index), SyntheticStreet(160, 120, seed).frame(index)), index


def test_frames_are_the_same_in_any_order() -> None:
    forward, backward = SyntheticStreet(96, 72, 5), SyntheticStreet(96, 72, 5)
    frames = [forward.frame(index) for index in range(8)]
    assert all(same(frames[index], backward.frame(index)) for index in reversed(range(8)))


def test_evicted_items_are_recreated_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = SyntheticStreet(96, 72, 6).frame(40)
    for name in ('street.KEPT_PLOTS', 'looks.KEPT_FIGURES'):
        monkeypatch.setattr(f'fanet_ros.sources.street.{name}', 2)
    assert same(expected, SyntheticStreet(96, 72, 6).frame(40))


def test_the_rate_sets_how_far_frames_are_apart() -> None:
    slow, fast = SyntheticStreet(96, 72, 3, rate_hz=10.0), SyntheticStreet(96, 72, 3, rate_hz=20.0)
    assert np.array_equal(slow.frame(4).labels, fast.frame(8).labels)
    assert not np.array_equal(slow.frame(4).labels, fast.frame(4).labels)


@pytest.mark.parametrize(('seed', 'index'), [(116, 90), (155, 256), (158, 7), (158, 173)])
def test_labels_are_classes_at_every_edge_of_a_texture(seed: int, index: int) -> None:
    """In these frames a texture with slanting edges is painted last over an unlabelled area, and OpenCV 5 mixes both."""
    assert set(np.unique(SyntheticStreet(480, 360, seed).frame(index).labels).tolist()) <= CLASSES | {UNLABELLED}


@pytest.mark.slow
def test_labels_are_classes_in_many_frames() -> None:
    for seed in range(100, 108):
        street = SyntheticStreet(320, 240, seed)
        for index in (7, 173):
            assert set(np.unique(street.frame(index).labels).tolist()) <= CLASSES | {UNLABELLED}, (seed, index)


@pytest.mark.parametrize('corners', [
    [(-1, 0, 8), (0, 0, 8), (0, 1, 8), (-1, 1, 8)],                 # upright, facing the camera, px 30 to 40, 25 to 35
    [(-1, 0, 8), (0, 0, 8), (0, 1, 9), (-1, 1, 9)]])                # leaning away
def test_an_opaque_texture_has_one_label_and_its_own_colours_to_its_edge(canvas: Canvas, corners: list) -> None:
    canvas.pixels[:] = (0, 0, 0, UNLABELLED)
    sketch = Sketch(1.0, None)
    sketch.textured(corners, Texture(np.full((4, 4, 3), 90), TREE))         # a texel is many pixels wide
    canvas.paint(sketch.finish().solid)
    assert set(np.unique(canvas.labels).tolist()) == {TREE, UNLABELLED}
    assert np.array_equal(canvas.labels == TREE, (canvas.rgb == 90).all(2)) and not canvas.rgb[canvas.labels != TREE].any()


@pytest.mark.slow
def test_streets_differ_and_show_all_classes() -> None:
    seen: set = set()
    for seed in range(8):
        labels = set(np.unique(SyntheticStreet(240, 180, seed).frame(30).labels).tolist())
        assert labels <= CLASSES | {UNLABELLED} and {0, ROAD} <= labels
        seen |= labels
    assert seen >= CLASSES
    rng = np.random.default_rng(0)
    assert {Character.draw(rng).district for _ in range(60)} == set(DISTRICTS)
    assert {Weather.draw(rng).kind for _ in range(60)} == {'sun', 'overcast', 'dusk'}


def test_the_street_moves_steadily() -> None:
    street = SyntheticStreet(160, 120, 1)
    labels = [street.frame(index).labels for index in (20, 21, 40)]
    changed = [float((labels[0] != other).mean()) for other in labels[1:]]
    assert 0 < changed[0] < 0.2 and changed[0] < changed[1]


@pytest.mark.parametrize('size', [(64, 64), (97, 133), (133, 97), (65, 301), (301, 65)])
@pytest.mark.parametrize('seed', [0, 11])
def test_any_size_has_road_below_and_sky_above(size: tuple, seed: int) -> None:
    frame = SyntheticStreet(*size, seed=seed).frame(3)
    assert frame.rgb.shape == (size[1], size[0], 3) and frame.labels.shape == (size[1], size[0])
    assert frame.rgb.dtype == frame.labels.dtype == np.uint8
    assert (frame.labels[-size[1] // 4:] == ROAD).mean() > 0.2
    assert not (frame.labels[:size[1] // 3] == ROAD).any()
    assert not (frame.labels[size[1] // 2 + size[1] // 20:] == 0).any()


@pytest.mark.parametrize('arguments', [(63, 64), (64, 63), (64, 64, 0, 0.0)])
def test_impossible_streets_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match='at least 64 x 64 px|must be positive'):
        SyntheticStreet(*arguments)


def test_polygons_and_textures_are_painted_alike_in_image_and_labels(canvas: Canvas) -> None:
    sketch = Sketch(1.0, None)
    sketch.upright(-1, 0, 0, 1, 8.0, (200, 100, 50), CAR)
    sketch.picture(Texture(np.full((32, 32, 3), 90), TREE), 1.0, 1.0, 1.0, z=8.0)
    canvas.paint(sketch.finish().solid)
    # In px: x = 40 + 80 * (-1..0) / 8 and 40 + 80 * (0.5..1.5) / 8, y = 20 + 80 * (1.5 - 0..1) / 8.
    assert (canvas.labels[26:34, 31:39] == CAR).all() and (canvas.labels[26:34, 46:54] == TREE).all()
    assert np.array_equal(canvas.labels > 0, canvas.rgb.any(2))
    assert (canvas.rgb[canvas.labels == CAR] == (200, 100, 50)).all()
    assert (canvas.rgb[canvas.labels == TREE] == 90).all()


def test_see_through_parts_have_the_label_but_not_the_colour(canvas: Canvas) -> None:
    cover = np.full((40, 60), SEEN_THROUGH, np.uint8)
    cover[:, :20], cover[:, 40:] = NOTHING, OPAQUE
    sketch = Sketch(1.0, None)
    sketch.picture(Texture(np.full((40, 60, 3), 120), TREE, cover), 0.0, 4.5, 1.5, z=6.0)        # 60 x 20 px
    canvas.paint(sketch.finish().solid)
    assert not canvas.labels[22:38, 10:28].any() and (canvas.labels[22:38, 32:68] == TREE).all()
    assert not canvas.rgb[22:38, 10:48].any() and (canvas.rgb[22:38, 52:68] == 120).all()


def test_a_wall_that_reaches_behind_the_camera_covers_only_its_side(canvas: Canvas) -> None:
    sketch = Sketch(1.0, None)
    texture = Texture(np.full((64, 256, 3), 150), 1)
    sketch.textured([(3, 0, -20), (3, 0, 30), (3, 8, 30), (3, 8, -20)], texture)
    canvas.paint(sketch.finish().solid)
    assert not canvas.labels[:, :48].any() and (canvas.labels[:30, 60:] == 1).all()


def test_shadows_darken_the_image_but_not_the_labels(canvas: Canvas) -> None:
    sketch = Sketch(1.0, None)
    sketch.polygon([(-9, 0, 2), (9, 0, 2), (9, 0, 30), (-9, 0, 30)], (200, 200, 200), ROAD)
    sketch.shade_under(0.0, 4.0, 5.0, 1.0)
    thing = sketch.finish()
    canvas.paint(thing.solid)
    bright, labels = canvas.rgb, canvas.labels
    canvas.darken(thing.shadow)         # y = 20 + 80 * 1.5 / 4..5 = 44..50
    assert np.array_equal(canvas.labels, labels) and (labels == ROAD).any()
    assert (canvas.rgb[46:49, 30:50] < bright[46:49, 30:50]).all() and np.array_equal(canvas.rgb[:42], bright[:42])


def test_whole_streets_have_the_same_labels_without_shadows(monkeypatch: pytest.MonkeyPatch) -> None:
    shaded = [SyntheticStreet(160, 120, seed).frame(9) for seed in (2, 5)]
    monkeypatch.setattr(Canvas, 'darken', lambda canvas, shadows: None)
    plain = [SyntheticStreet(160, 120, seed).frame(9) for seed in (2, 5)]
    for one, other in zip(shaded, plain):
        assert np.array_equal(one.labels, other.labels) and one.rgb.mean() < other.rgb.mean()


def test_shadows_fall_away_from_the_sun_and_only_if_there_is_one() -> None:
    for sun, length in ((None, 0), ((1.5, 0.0), 4)):
        sketch = Sketch(1.0, sun)
        sketch.shade_upright(0.0, 5.0, 0.2, 2.0)
        shadow = sketch.finish().shadow
        assert len(shadow.points) == length
        if length:
            assert np.allclose([shadow.points[:, 0].min(), shadow.points[:, 0].max()], [0, 3], atol=1e-5)


def test_joined_polygons_keep_order_and_move_forward() -> None:
    sketch = Sketch(1.0, None)
    sketch.upright(0, 1, 0, 1, 2.0, (1, 2, 3), CAR)
    part = sketch.finish().solid
    both = Polygons.join([part, part], [10.0, 1.0])
    assert both.points[:, 2].tolist() == [12.0] * 4 + [3.0] * 4 and both.sizes.tolist() == [4, 4]
    assert part.points[0, 2] == 2.0


@pytest.mark.parametrize(('paint', 'label'), [(pedestrian, PEDESTRIAN), (bicyclist, BICYCLIST)])
def test_people_move_their_limbs_and_look_different_from_each_side(paint: object, label: int) -> None:
    def image(attitude: int, heading: float) -> np.ndarray:
        texture, width, height = paint(1, 7, attitude, heading, 1.0)
        assert texture.label == label and 0.5 < width < 2 and 1 < height < 2
        return texture.level(0, 0, 0, np.empty(0))
    assert not np.array_equal(image(0, 1.5), image(ATTITUDES // 4, 1.5))
    assert not np.array_equal(image(0, 0.0), image(0, 1.5))
    assert np.array_equal(image(3, 1.5), image(3, 1.5))


def test_grain_is_around_one_and_seamless() -> None:
    tile = grain(np.random.default_rng(1), 64, 64, 0.0, 0.1)[..., 0]
    assert abs(float(tile.mean()) - 1) < 0.02
    inside = np.abs(np.diff(tile, axis=0)).max()
    assert np.abs(tile[0] - tile[-1]).max() <= 1.5 * inside
