# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `format` of a CompressedImage: `ORIGINAL; CODEC compressed COMPRESSED` as image transports write it, or a single word."""
from __future__ import annotations

import re
from dataclasses import dataclass

VIDEO = re.compile(r'\b(h\.?26[45]|hevc|x26[45]|libx26[45]|av1|vp[89]|ffmpeg|theora)(?=\b|_)', re.IGNORECASE)
REPUBLISH = ('a video packet is not an image on its own; decode the stream: ros2 run image_transport republish ffmpeg raw '
             '--ros-args -r in/ffmpeg:=TOPIC -r out:=image')
NO_COLORS = re.compile(r'(8SC|16SC|32SC|32FC|64FC)[1-4]')        # encodings whose values are not colours
GREY = re.compile(r'mono(8|16)|8UC1|16UC1', re.IGNORECASE)
MASK_PNG = 'mono8; png compressed mono8'                  # of masks and confidences as grey PNGs
COMPRESSED_SUFFIX = '/compressed'       # of the topic on which image_transport publishes compressed images


def other_transport(topic: str) -> tuple[str, str]:
    """The topic of the same images with the other value of `image_transport`, and that value."""
    raw = topic.removesuffix(COMPRESSED_SUFFIX)
    return (raw, 'raw') if topic != raw else (raw + COMPRESSED_SUFFIX, 'compressed')


@dataclass(frozen=True)
class TransportFormat:
    """Encoding of the camera's image and of the image that was compressed; each '' if not given."""

    original: str
    compressed: str

    @classmethod
    def of(cls, text: str) -> TransportFormat:
        """Parse a `format`; both encodings are '' if it is not of that form."""
        original, separator, rest = text.partition(';')
        if not separator:
            return cls('', '')
        compressed = re.search(r'compressed\s*(\S*)', rest)
        return cls(original.strip(), compressed[1] if compressed else '')

    @property
    def bayer_pattern(self) -> str:
        """Such as 'rggb', if the compressed image is the sensor's mosaic; else ''."""
        match = re.fullmatch(r'bayer_([rgb]{4})(8|16)', self.original)
        return match[1] if match and self.compressed in ('', self.original) else ''

    @property
    def lost_color(self) -> str:
        """What to do about colour lost in compression, in a sentence; '' if none was."""
        if not self.original or GREY.fullmatch(self.original) or not GREY.fullmatch(self.compressed):
            return ''
        return (f'the images are {self.original} but were compressed as {self.compressed}: their colour is lost. Use '
                'image_transport raw, or have the driver publish rgb8 or bgr8')
