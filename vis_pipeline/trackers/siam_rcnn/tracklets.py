"""Tracklets are built so that each is almost certainly of one object (section 3.3, Algorithm 1)."""

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""In place of a tracklet: the detection starts its own."""


def joined_tracklets(similarity: NDArray[np.float64], join_score: float, margin: float) -> NDArray[np.int64]:
    """Which tracklet each detection joins, int64 [D], or `NONE`.

    A detection joins the tracklet that it is most similar to, if that is above `join_score`, and neither another
    detection is as similar to that tracklet, nor the detection to another tracklet, up to `margin`. So no two
    detections join one tracklet.

    Args:
        similarity: float64 [P, D], of the tracklets that reached the previous frame and the detections; -inf where they
            are too far apart.
        join_score: alpha.
        margin: beta.
    """
    tracklets, detections = similarity.shape
    if not tracklets:
        return np.full(detections, NONE, dtype=np.int64)
    best = similarity.argmax(axis=0)
    scores = similarity[best, np.arange(detections)]
    rivals = scores - margin
    only_detection = (similarity[best] >= rivals[:, None]).sum(axis=1) == 1
    only_tracklet = (similarity >= rivals).sum(axis=0) == 1
    return np.where((scores > join_score) & only_detection & only_tracklet, best, NONE)
