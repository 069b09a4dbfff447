"""What a decided frame shows, as it comes out while the video goes on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState
from vis_pipeline.trackers.lifecycle.decision import HIDDEN, Candidates, Decision


def frame_tracks(
    frame: Frame,
    decision: Decision,
    candidates: Candidates,
    waiting: NDArray[np.float64],
    numbers: NDArray[np.int64],
    labels: NDArray[np.int64],
    windows: Sequence[NDArray[np.bool_]],
) -> FrameTracks:
    """The tracks that go on after a frame, those that it showed for the last time, and then those born in it.

    Args:
        frame: the frame.
        decision: about the N tracks before it and its B births.
        candidates: what it was decided from.
        waiting: float64 [N, 4], x, y, w, h, where the tracks before it are waited for while they are hidden.
        numbers: [N + B], of the tracks before it and of its births.
        labels: [N + B], the classes so far.
        windows: S + B, the masks of the S tracks that show one, and of the births, each in its Min-max box.
    """
    count, matched = len(decision.shown), decision.assignment
    sources = np.concatenate([decision.shown, decision.born])
    visible = sources != HIDDEN
    scores = np.concatenate([candidates.tracking_scores, candidates.detection_scores[decision.born]])
    scores[matched.tracks] = candidates.detection_scores[matched.detections]
    states = np.where(visible, MaskState.PREDICTED, MaskState.HIDDEN)
    states[matched.tracks] = states[count:] = MaskState.DETECTED
    boxes = np.concatenate([waiting, np.zeros((len(decision.born), 4))])
    boxes[visible] = candidates.boxes[sources[visible]]
    places = np.full(len(sources), HIDDEN)
    places[visible] = np.arange(len(windows))
    nothing = np.zeros((0, 0), dtype=np.bool_)
    rows = np.flatnonzero(np.concatenate([decision.alive, np.ones(len(decision.born), dtype=np.bool_)]) | visible)
    corners = np.where(visible[:, None], boxes[:, :2], 0).astype(np.int64)
    return FrameTracks(
        index=frame.index,
        time=frame.time,
        size=(frame.image.shape[0], frame.image.shape[1]),
        ids=numbers[rows],
        boxes=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)[rows].astype(np.float32),
        scores=scores[rows].astype(np.float32),
        labels=labels[rows],
        states=states[rows].astype(np.int8),
        corners=corners[rows],
        masks=tuple(nothing if place == HIDDEN else windows[place] for place in places[rows].tolist()),
    )
