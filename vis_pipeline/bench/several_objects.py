"""What it saves to follow the objects of a video together, and not one after another."""

from collections.abc import Callable
from dataclasses import dataclass

from vis_pipeline.bench.speed_scene import Scene
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.several_objects import follow_objects

_REPEATS = 3


@dataclass(frozen=True)
class ObjectsTiming:
    """Seconds for the frames of a scene; of several tries the quickest.

    Attributes:
        together: all objects in a batch, their masks made exclusive.
        apart: each object alone, one after another.
    """

    objects: int
    frames: int
    together: float
    apart: float


def time_objects(tracker: SiamMaskPredictor, scene: Scene, clock: Callable[[], float]) -> ObjectsTiming:
    """Time both ways in turn, in this process, by a clock in seconds; boxes in the first frame give the objects."""
    boxes = dict(enumerate(scene.boxes, start=1))
    together, apart = [], []
    for _ in range(_REPEATS):
        begun = clock()
        list(follow_objects(tracker, scene.frames, {0: boxes}))
        middle = clock()
        for number, box in boxes.items():
            list(follow_objects(tracker, scene.frames, {0: {number: box}}))
        together.append(middle - begun)
        apart.append(clock() - middle)
    return ObjectsTiming(len(boxes), len(scene.frames), min(together), min(apart))
