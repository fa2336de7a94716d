"""How the outputs of a frame look: what the node's settings and the active class map make of a segmentation."""
from __future__ import annotations

from dataclasses import dataclass

from fanet_ros.inference import ClassMap


@dataclass(frozen=True)
class OutputStyle:
    """Handed over with every frame, so that a change falls between two frames.

    `class_map` is that of the network that segmented the frame; `overlay_alpha` is 0 (image) .. 1 (class colours).
    """

    class_map: ClassMap
    overlay_alpha: float = 0.5
