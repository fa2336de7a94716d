# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every source, on small real files."""
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.sources import SourceError, open_source


def test_folder_in_natural_order_skips_unreadable_files(tmp_path: Path) -> None:
    for number, value in ((10, 200), (2, 50)):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((20, 30, 3), value, np.uint8))
    (tmp_path / '5.png').write_bytes(b'no image')
    (tmp_path / '6.ppm').write_bytes(b'P6 1000000 1000000 255\n')        # more pixels than OpenCV decodes
    with pytest.warns(UserWarning, match='is not a readable image: skipped') as warned:
        frames = list(open_source(str(tmp_path)))
    assert [Path(str(item.message).split()[0]).name for item in warned] == ['5.png', '6.ppm']
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [50, 200]
    assert [frame.index for frame in frames] == [0, 1]


def test_12_bit_images_use_all_8_bits_and_dim_ones_stay_dim(tmp_path: Path) -> None:
    for name, value in (('1.png', 800), ('2.png', 4000)):
        cv2.imwrite(str(tmp_path / name), np.full((4, 6), value, np.uint16))
    assert [int(frame.rgb.max()) for frame in open_source(str(tmp_path))] == [800 >> 4, 4000 >> 4]


def test_video(tmp_path: Path) -> None:
    path = str(tmp_path / 'v.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (40, 120, 220):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    assert [round(float(frame.rgb.mean()), -1) for frame in open_source(path)] == [40, 120, 220]


def test_a_video_that_cannot_be_rewound_loops(tmp_path: Path) -> None:
    """A stream of JPEGs, as of a network camera, has no index."""
    values = 40, 120, 220
    (tmp_path / 'v.mjpeg').write_bytes(b''.join(
        cv2.imencode('.jpg', np.full((48, 64, 3), value, np.uint8))[1].tobytes() for value in values))
    frames = list(islice(open_source(str(tmp_path / 'v.mjpeg'), loop=True), 7))
    assert [round(float(frame.rgb.mean()), -1) for frame in frames] == [*values, *values, 40]
    assert [frame.index for frame in frames] == list(range(7))


@pytest.mark.parametrize('source', ['no/such/file.mp4', '/dev/video87'])
def test_absent_sources(source: str) -> None:
    with pytest.raises(SourceError, match=source):
        open_source(source)


def test_a_link_to_a_device_is_that_device(tmp_path: Path) -> None:
    (link := tmp_path / 'usb-Camera-video-index0').symlink_to('/dev/video87')
    with pytest.raises(SourceError, match='no camera answers at /dev/video87: .* whether another program uses it'):
        open_source(str(link))


def test_a_number_is_a_device_unless_a_path_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match='no camera answers at /dev/video2024'):
        open_source('2024')
    (tmp_path / '2024').mkdir()
    cv2.imwrite('2024/a.png', np.full((4, 6, 3), 7, np.uint8))
    assert [int(frame.rgb.max()) for frame in open_source('2024')] == [7]


def test_empty_folder_and_unreadable_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match='no images'):
        open_source(str(tmp_path))
    (tmp_path / 'x.mp4').write_bytes(b'not a video')
    with pytest.raises(SourceError, match='not a readable video'):
        open_source(str(tmp_path / 'x.mp4'))
