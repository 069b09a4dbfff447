"""One procedural video from a seed and an index: the pure core of the generator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.rotated_boxes import rectangle_around
from vis_pipeline.synthesis.procedural import shapes
from vis_pipeline.synthesis.procedural.render import render
from vis_pipeline.synthesis.procedural.returns import plan_returns
from vis_pipeline.synthesis.procedural.scene import plan_scene
from vis_pipeline.synthesis.procedural.settings import NORMAL, ReturnsSettings, SceneSettings


@dataclass(frozen=True)
class ProceduralVideo:
    """Frames and ground truth of one video with N tracks.

    Attributes:
        frames: uint8 [T, H, W, 3], BGR.
        masks: bool [N, T, H, W], visible pixels at mid-exposure; empty where fewer than 12 are visible.
        category_ids: from 1, in the order of `CATEGORY_NAMES`.
        visible_fractions: float64 [N, T], visible part of each object's whole area (frame edges hide too).
        in_frame: bool [N, T], where the object is in the frame, hidden or not.
        lookalikes: tracks that look like another one; empty if there are none.
        boxes: float64 [N, T, 4, 2], corners x, y of the rectangle of least area around each whole outline at
            mid-exposure, hidden or not; a pixel's centre is at its index.
    """

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    category_ids: tuple[int, ...]
    visible_fractions: NDArray[np.float64]
    in_frame: NDArray[np.bool_]
    lookalikes: tuple[int, ...]
    boxes: NDArray[np.float64]


def generate_video(seed: int, index: int, settings: SceneSettings | ReturnsSettings = NORMAL) -> ProceduralVideo:
    """Draw video `index` of the split with `seed`: the same arguments give the same arrays.

    Each video has a random stream of its own, so that splits with different seeds share none.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index, settings.stream])))
    if isinstance(settings, ReturnsSettings):
        scene = plan_returns(rng, settings, first_category=seed + index)
    else:
        scene = plan_scene(rng, settings, index, first_category=seed + index)
    return ProceduralVideo(
        frames=render(scene, settings, rng),
        masks=scene.visibility.pixels,
        category_ids=tuple(shapes.CATEGORY_NAMES.index(name) + 1 for name in scene.categories),
        visible_fractions=scene.visibility.fractions,
        in_frame=scene.visibility.in_frame,
        lookalikes=scene.lookalikes,
        boxes=np.array([[_box(body.outline_at(frame)) for frame in range(settings.length)] for body in scene.bodies]),
    )


def _box(outline: shapes.Contours) -> NDArray[np.float64]:
    return rectangle_around(outline[0].astype(np.float32))
