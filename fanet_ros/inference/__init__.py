"""One RGB frame in, one Segmentation out: preprocessing, the network, labels, colours. Knows nothing of ROS."""
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.memory import release_memory, trim_heap
from fanet_ros.inference.overlay import color_labels, draw_legend, draw_overlay
from fanet_ros.inference.segmentation import Segmentation, SegmentationError, StageTimes
from fanet_ros.inference.segmenter import Segmenter

__all__ = ['ClassMap', 'Segmentation', 'SegmentationError', 'Segmenter', 'StageTimes', 'color_labels', 'draw_legend',
           'draw_overlay', 'release_memory', 'trim_heap']
