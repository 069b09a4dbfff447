"""One video's tracks of one category in the form that TrackEval's metrics take, without files and without dense masks.

The rules are those of TrackEval's YouTube-VIS data set (`trackeval/datasets/youtube_vis.py`, release 1.3): every track
that is not null in a frame is a detection there, and nothing is removed, so a crowd is an object like any other in the
metrics by frame, and a mask without pixels is a detection that nothing can match. TrackMAP alone ignores crowds.

One fault is not repeated: that data set gives its first prediction the id 0, which TrackMAP takes for "no match", so
that the ground truth of that prediction can be matched again. Ids begin at 1 here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trackeval.metrics import TrackMAP

from evaluation.youtube_vis import parse_entries, truth_sizes
from vis_pipeline.masks.track_iou import frame_intersections, mean_areas
from vis_pipeline.structures.splits import Annotation, Video
from vis_pipeline.structures.tracks import TrackResult


class TrackMapOfIou(TrackMAP):  # type: ignore[misc]
    """TrackMAP that is given the IoU of every pair of tracks, in place of the tracks themselves."""

    @staticmethod
    def _compute_track_ious(
        dt: NDArray[np.float64], gt: Sequence[int], iou_function: str = "mask", boxformat: str = "xywh"
    ) -> NDArray[np.float64]:
        return dt


def sequence_data(
    annotated: Sequence[tuple[int, Annotation]],
    predicted: Sequence[tuple[int, TrackResult]],
    video: Video,
    least_score: float,
) -> dict[str, Any]:
    """What `eval_sequence` of HOTA, CLEAR, Identity and :class:`TrackMapOfIou` reads, for G and D tracks of F frames.

    By frame: `gt_ids` and `tracker_ids` (lists of int64 [g] and [d], from 0 without gaps), `similarity_scores` (list of
    float64 [g, d], mask IoU) and their totals `num_*`; predictions that score less than `least_score` are left out.
    By track, of all predictions, best score first: `dt_tracks` (float64 [D, G], IoU over the whole video), `gt_tracks`,
    ids, scores, mean areas in pixels and crowd flags.

    Each annotation and result comes with its index in the file, which is named in the error for a damaged mask.

    Raises:
        DataError: a mask is damaged.
    """
    truth_runs, predicted_runs = parse_entries(annotated, video), parse_entries(predicted, video)
    truth = [annotation for _, annotation in annotated]
    common = frame_intersections(truth_runs, predicted_runs)
    unions = truth_runs.areas[:, None] + predicted_runs.areas[None, :] - common
    scores = np.array([prediction.score for _, prediction in predicted], dtype=np.float64)
    counted = (predicted_runs.masks >= 0) & (scores >= least_score)[:, None]
    best_first = np.argsort(-scores, kind="stable")
    return {
        **_by_frame(truth_runs.masks >= 0, counted, common / np.maximum(unions, 1)),
        "gt_tracks": range(len(truth)),
        "gt_track_ids": list(range(1, len(truth) + 1)),
        "gt_track_areas": truth_sizes(truth, truth_runs.areas).tolist(),
        "gt_track_iscrowd": [annotation.iscrowd for annotation in truth],
        "dt_tracks": (common.sum(axis=2) / np.maximum(unions.sum(axis=2), 1)).T[best_first],
        "dt_track_ids": list(range(1, len(predicted) + 1)),
        "dt_track_areas": mean_areas(predicted_runs.areas)[best_first].tolist(),
        "dt_track_scores": scores[best_first],
        "iou_type": "mask",
    }


def _by_frame(
    truth_shown: NDArray[np.bool_], predicted_shown: NDArray[np.bool_], similarity: NDArray[np.float64]
) -> dict[str, Any]:
    """The fields by frame, from flags [G, F] and [D, F] and the IoU [G, D, F] of the masks."""
    truths, predictions = truth_shown.any(axis=1), predicted_shown.any(axis=1)
    truth_shown, predicted_shown = truth_shown[truths], predicted_shown[predictions]
    similarity = similarity[truths][:, predictions]
    truth_ids = [np.flatnonzero(shown) for shown in truth_shown.T]
    predicted_ids = [np.flatnonzero(shown) for shown in predicted_shown.T]
    return {
        "num_timesteps": len(truth_ids),
        "num_gt_ids": len(truth_shown),
        "num_tracker_ids": len(predicted_shown),
        "num_gt_dets": int(truth_shown.sum()),
        "num_tracker_dets": int(predicted_shown.sum()),
        "gt_ids": truth_ids,
        "tracker_ids": predicted_ids,
        "similarity_scores": [
            similarity[rows[:, None], columns, frame]
            for frame, (rows, columns) in enumerate(zip(truth_ids, predicted_ids, strict=True))
        ],
    }
