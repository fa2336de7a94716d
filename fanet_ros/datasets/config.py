# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of one data set in a recipe."""
from __future__ import annotations

from dataclasses import dataclass, field

from fanet_ros.choices import LAYOUTS
from fanet_ros.datasets.config_reader import ConfigError, one_of


@dataclass(frozen=True)
class DataConfig:
    """One data set.

    layout: 'folder' (images and masks with class indices, or with the colours of the class map), 'cityscapes'
    (leftImg8bit/ and gtFine/ with labelIds), 'coco_stuff' (images/ and annotations/ with the pixel maps of 2017),
    'bag' (a rosbag of a camera and of masks) or 'street' (the synthetic street).
    """

    layout: str = 'folder'
    path: str = ''                          # root of the data set, relative to the current directory
    weight: float = 1.0                     # share of the batches, relative to the other data sets
    final_weight: float = -1.0              # weight at the end of training, approached gradually; negative: as weight
    split: str = 'train'                    # cityscapes, coco_stuff: 'train' or 'val'
    images: str = 'images'                  # folder: subfolder of path with the images: NAME.jpg, .png or .bmp
    masks: str = 'labels'                   # folder: subfolder of path with the masks: NAME.png
    mask_suffix: str = ''                   # folder: part between NAME and .png of a mask, such as '_mask'
    labels: str = 'indices'                 # folder: content of the masks, 'indices' or 'colors'
    camera_topic: str = '/image'            # bag: Image or CompressedImage
    mask_topic: str = '/segmentation/mask'  # bag: Image mono8 with the stamps of the camera
    class_map: str = ''                     # folder, bag: the data set's own classes; '': the trained ones
    rename: dict[str, str] = field(default_factory=dict)   # its class -> trained class, where names differ; '': none;
                                                           # 'a|b': either
    unpenalized: tuple[str, ...] = ()       # trained classes that it does not label: not wrong to predict; with soft_labels
                                            # only where these find one of them most probable
    stretch: tuple[int, ...] = ()           # height and width to resize images and labels to first [px]; (): unchanged
    ignore_borders: int = 0                 # labels this close to a different one are ignored [px]
    soft_labels: str = ''                   # .npz of the command soft_labels: predictions of a larger network
    soft_rename: dict[str, str] = field(default_factory=dict)  # as rename, for the classes of the soft labels
    only: tuple[str, ...] = ()              # name prefixes of the images to use; (): all
    hold_out: tuple[str, ...] = ()          # name prefixes of the images to leave out
    seeds: tuple[int, int] = (100, 200)     # street: first seed, and the one after the last
    frames: tuple[int, ...] = (7, 90, 173, 256)     # street: frame numbers, for each seed
    size: tuple[int, int] = (360, 480)      # street: height and width [px]

    def __post_init__(self) -> None:
        one_of('layout', self.layout, LAYOUTS)
        one_of('labels', self.labels, ('indices', 'colors'))
        if self.weight < 0 or max(self.weight, self.final_weight) <= 0:
            raise ConfigError(f'weight is {self.weight}: expected more than 0, or 0 with a final_weight of more')
        if self.ignore_borders < 0:
            raise ConfigError(f'ignore_borders is {self.ignore_borders}: expected 0 or more')
        if self.stretch and (len(self.stretch) != 2 or min(self.stretch) < 1):
            raise ConfigError(f'stretch is {list(self.stretch)}: expected height and width')
        if not 0 <= self.seeds[0] < self.seeds[1]:
            raise ConfigError(f'seeds is {list(self.seeds)}: expected the first, 0 or more, and the one after the last')
        if self.layout != 'street' and not self.path:
            raise ConfigError(f'path is empty: layout {self.layout} needs the path of the data set')
