"""One video's tracks beside its ground truth, frame by frame, as CLEAR and IDF1 compare them at IoU 0.5.

Tracks are matched with ground truths of their own class only, one to one: in each frame those pairs of IoU 0.5 and more
that were matched in the frame before stay, and the rest maximises the sum of IoUs (Bernardin and Stiefelhagen 2008, as
TrackEval 1.3 computes it). A *switch* is a ground truth that is matched with another track than when it was last
matched, however long ago; a *miss* a ground truth without a track, a *false positive* a track without a ground truth.
The partner of a ground truth is the track that IDF1's matching of whole videos gives it (Ristani 2016). Crowds are
objects like any other, as in TrackEval's YouTube-VIS data set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from evaluation.youtube_vis import parse_entries
from vis_pipeline.masks.track_iou import frame_intersections
from vis_pipeline.structures.splits import Annotation, Video
from vis_pipeline.structures.tracks import TrackResult

NOTHING = -1
LEAST_IOU = 0.5
POOR_IOU = 0.1
_KEPT = 1000.0
_EPSILON = np.finfo(float).eps

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Error:
    """One error, over a stretch of frames that follow each other.

    Attributes:
        kind: `switch`, `miss` or `false positive`.
        first, last: its frames; those of a switch are one.
        track: index of the track that is wrong, or that the ground truth has switched to; None for a miss.
        truth: index of the ground truth; None for a false positive.
        before: of a switch, the track that the ground truth was matched with before.
        nearest: index of the ground truth (of a miss: of the track) that has the highest IoU over these frames.
        iou: that IoU, a mean.
        why: of a miss or false positive: `class` (the nearest is of another class and matches), `taken` (it is of the
            class and has another match), `poor` (IoU 0.1 to 0.5), or `nothing`.
    """

    kind: str
    first: int
    last: int
    track: int | None = None
    truth: int | None = None
    before: int | None = None
    nearest: int | None = None
    iou: float = 0.0
    why: str | None = None


@dataclass(frozen=True)
class Counts:
    """Masks that are matched, false and missed; switches; masks that IDF1 counts as right (its IDTP)."""

    matched: int = 0
    false: int = 0
    missed: int = 0
    switches: int = 0
    identified: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(one + two for one, two in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def idf1(self) -> float | None:
        """IDF1; None where there is no mask on either side."""
        masks = 2 * self.matched + self.false + self.missed
        return 2 * self.identified / masks if masks else None

    @property
    def motsa(self) -> float | None:
        """MOTSA; None where there is no ground truth."""
        truths = self.matched + self.missed
        return (self.matched - self.false - self.switches) / truths if truths else None


@dataclass(frozen=True)
class Comparison:
    """D tracks and G ground truths of F frames.

    Attributes:
        matches: int64 [D, F], the ground truth that each track is matched with, or `NOTHING`.
        truth_matches: int64 [G, F], the track that each ground truth is matched with, or `NOTHING`.
        partners: int64 [G], the track that is each ground truth's by IDF1's matching, or `NOTHING`.
        errors: in the order of frames.
        counts: how many there are, by mask.
    """

    matches: NDArray[np.int64]
    truth_matches: NDArray[np.int64]
    partners: NDArray[np.int64]
    errors: tuple[Error, ...]
    counts: Counts


_Entry = TypeVar("_Entry", TrackResult, Annotation)


def compare(
    tracks: Sequence[TrackResult], truths: Sequence[Annotation], video: Video, least_score: float = 0.0
) -> Comparison:
    """Compare; tracks that score less than `least_score` are left out, as if they were not there.

    Raises:
        DataError: a mask is damaged; the track's index among the video's, or the annotation's id, is named.
    """
    found, true = parse_entries(list(enumerate(tracks)), video), parse_entries(list(enumerate(truths)), video)
    counted = np.array([track.score >= least_score for track in tracks], dtype=np.bool_)
    shown, truth_shown = (found.masks >= 0) & counted[:, None], true.masks >= 0
    common = frame_intersections(found, true)
    iou = common / np.maximum(found.areas[:, None] + true.areas[None] - common, 1)
    iou[~counted] = 0.0
    classes = np.array([track.category_id for track in tracks], dtype=np.int64)
    truth_classes = np.array([truth.category_id for truth in truths], dtype=np.int64)

    matches = np.full(shown.shape, NOTHING, dtype=np.int64)
    partners = np.full(len(truths), NOTHING, dtype=np.int64)
    switches: list[Error] = []
    identified = 0
    for category in np.union1d(classes, truth_classes):
        rows, columns = np.flatnonzero(classes == category), np.flatnonzero(truth_classes == category)
        own = iou[rows[:, None], columns]
        for frame, track, truth, before in _matched(own, shown[rows], truth_shown[columns]):
            matches[rows[track], frame] = columns[truth]
            if before not in (NOTHING, track):
                switches.append(
                    Error(
                        "switch",
                        frame,
                        frame,
                        track=int(rows[track]),
                        truth=int(columns[truth]),
                        before=int(rows[before]),
                    )
                )
        together = np.count_nonzero(own >= LEAST_IOU, axis=2)
        for track, truth in zip(*linear_sum_assignment(-together), strict=True):
            if together[track, truth]:
                partners[columns[truth]] = rows[track]
                identified += int(together[track, truth])
    truth_matches = np.full(truth_shown.shape, NOTHING, dtype=np.int64)
    which, frames = np.nonzero(matches != NOTHING)
    truth_matches[matches[which, frames], frames] = which
    false, missed = shown & (matches == NOTHING), truth_shown & (truth_matches == NOTHING)
    errors = [
        *switches,
        *_stretches("miss", missed, iou.transpose(1, 0, 2), truth_classes, classes),
        *_stretches("false positive", false, iou, classes, truth_classes),
    ]
    return Comparison(
        matches,
        truth_matches,
        partners,
        tuple(sorted(errors, key=lambda error: error.first)),
        Counts(len(which), int(false.sum()), int(missed.sum()), len(switches), identified),
    )


def _matched(iou: NDArray[np.float64], shown: Flags, truth_shown: Flags) -> Iterator[tuple[int, int, int, int]]:
    """Of one class frame, track, ground truth, and the track that it was matched with before, or `NOTHING`."""
    last = np.full(len(truth_shown), NOTHING, dtype=np.int64)
    just_now = last.copy()
    for frame in range(shown.shape[1]):
        rows, columns = np.flatnonzero(shown[:, frame]), np.flatnonzero(truth_shown[:, frame])
        if not len(rows) or not len(columns):
            continue
        # Ground truths in rows, as in TrackEval: so ties fall as they do there.
        here = iou[rows, columns[:, None], frame]
        rank = here + _KEPT * (rows == just_now[columns][:, None])
        rank[here < LEAST_IOU - _EPSILON] = 0.0
        just_now[:] = NOTHING
        for column, row in zip(*linear_sum_assignment(-rank), strict=True):
            if rank[column, row] > _EPSILON:
                track, truth = int(rows[row]), int(columns[column])
                yield frame, track, truth, int(last[truth])
                last[truth] = just_now[truth] = track


def _stretches(
    kind: str, wrong: Flags, iou: NDArray[np.float64], classes: NDArray[np.int64], other_classes: NDArray[np.int64]
) -> Iterator[Error]:
    """The stretches of frames in which those of one side are wrong, bool [N, F], with IoU [N, M, F] to the others."""
    for index in range(len(wrong)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong[index].astype(np.int8), [0]])))
        for first, beyond in edges.reshape(-1, 2).tolist():
            means = iou[index, :, first:beyond].mean(axis=1)
            nearest = int(means.argmax()) if means.size and means.max() > 0 else None
            best = 0.0 if nearest is None else float(means[nearest])
            same = nearest is not None and classes[index] == other_classes[nearest]
            why = "nothing"
            if best >= LEAST_IOU:
                why = "taken" if same else "class"
            elif best >= POOR_IOU:
                why = "poor"
            side = {"truth": index} if kind == "miss" else {"track": index}
            yield Error(kind, first, beyond - 1, nearest=nearest, iou=best, why=why, **side)
