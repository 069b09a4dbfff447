"""What a frame shows of the targets, as it comes out while the video goes on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState
from vis_pipeline.trackers.siam_rcnn.asked import Answer
from vis_pipeline.trackers.siam_rcnn.decision import NONE


def frame_tracks(
    frame: Frame,
    answer: Answer,
    numbers: NDArray[np.int64],
    labels: NDArray[np.int64],
    boxes: NDArray[np.int64],
    windows: Sequence[NDArray[np.bool_]],
) -> FrameTracks:
    """The targets that the frame shows, those that begin in it, and those that are absent and go on.

    Args:
        frame: the frame.
        answer: about its N targets and B births.
        numbers: int64 [N + B].
        labels: int64 [N + B], the classes so far.
        boxes: int64 [S + B, 4], x, y, w, h, of the masks.
        windows: S + B, the masks, each in its Min-max box.
    """
    decision, count = answer.decision, len(answer.living)
    over = decision.ended | decision.crowded_out
    over[[join.target for join in answer.joins]] = True
    visible = np.concatenate([decision.shown, count + np.arange(len(decision.born))])
    hidden = np.setdiff1d(np.flatnonzero(~over), decision.shown)
    detections = np.concatenate([decision.found[decision.shown], decision.born])
    scores = np.concatenate([choice_scores(answer), answer.scores[decision.born]])
    detected = detections != NONE
    scores[visible[detected]] = answer.scores[detections[detected]]
    rows = np.concatenate([visible, hidden])
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    last = np.array([answer.outcomes[target].box for target in hidden]).reshape(-1, 4)
    states = [np.where(detected, MaskState.DETECTED, MaskState.PREDICTED), np.full(len(hidden), MaskState.HIDDEN)]
    nothing = np.zeros((0, 0), dtype=np.bool_)
    return FrameTracks(
        index=frame.index,
        time=frame.time,
        size=(frame.image.shape[0], frame.image.shape[1]),
        ids=numbers[rows],
        boxes=np.concatenate([corners, last]).astype(np.float32),
        scores=scores[rows].astype(np.float32),
        labels=labels[rows],
        states=np.concatenate(states).astype(np.int8),
        corners=np.concatenate([boxes[:, :2], np.zeros((len(hidden), 2), dtype=np.int64)]),
        masks=(*windows, *(nothing for _ in hidden)),
    )


def choice_scores(answer: Answer) -> NDArray[np.float64]:
    """How sure each choice is, float64 [N] in 0..1."""
    return np.array([min(max(outcome.score, 0.0), 1.0) for outcome in answer.outcomes], dtype=np.float64)
