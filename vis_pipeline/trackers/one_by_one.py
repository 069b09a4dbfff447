"""Several objects of a video with a tracker that follows one: each alone, put over each other by their scores."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.given_objects import Beginning, LabelledFrame, draw_given, first_boxes
from vis_pipeline.trackers.single_object import Follower, ObjectInFrame

NO_MASKS = "the tracker makes no masks, which this benchmark wants; give weights of SiamMask that have a mask branch"


def follow_one_by_one(
    follow: Follower, frames: Iterable[Frame], given: Mapping[int, Mapping[int, Beginning]]
) -> Iterator[LabelledFrame]:
    """Follow objects through the frames of a video, each from the frame in which it is given.

    A pixel is of the object of the highest score that covers it, of equal ones of the lowest number.

    Args:
        follow: follows one; is called for each object, and all go on side by side.
        frames: the video.
        given: by the index of a frame the objects that begin there, by their numbers (1 to 255).

    Raises:
        ConfigError: the tracker makes no masks.
        DataError: an object cannot be followed from where it begins.
    """
    under_way: dict[int, tuple[deque[Frame], Iterator[ObjectInFrame]]] = {}
    for frame in frames:
        labels = np.zeros(frame.image.shape[:2], dtype=np.uint8)
        found: list[tuple[float, int, ObjectInFrame]] = []
        for number, (waiting, where) in under_way.items():
            waiting.append(frame)
            shown = next(where)
            found.append((shown.score, -number, shown))
        for _, number, shown in sorted(found, key=lambda entry: entry[:2]):
            labels[shown_mask(shown)] = -number
        if begun := given.get(frame.index):
            for number, box in first_boxes(frame, begun).items():
                waiting = deque([frame])
                where = follow(_taken(waiting), box)
                next(where)
                under_way[number] = waiting, where
            draw_given(labels, begun)
        yield LabelledFrame(frame, labels)


def shown_mask(found: ObjectInFrame) -> NDArray[np.bool_]:
    """Where an object is in a frame after its first, bool [H, W]; nowhere where its score is 0 and it has no mask.

    Raises:
        ConfigError: it has no mask though it is there.
    """
    if found.mask is not None:
        return masks.decode(found.mask).astype(np.bool_)
    if found.score > 0:
        raise ConfigError(NO_MASKS)
    return np.zeros(found.frame.image.shape[:2], dtype=np.bool_)


def _taken(waiting: "deque[Frame]") -> Iterator[Frame]:
    while waiting:
        yield waiting.popleft()
