"""Video object segmentation as DAVIS measures it: region similarity J and contour accuracy F.

The measures are those of Perazzi et al. (CVPR 2016), the three forms those of the benchmark's own tools
(davisvideochallenge/davis-matlab and davis2017-evaluation): DAVIS-2016, DAVIS-2017 semi-supervised and unsupervised.

Two faults of those tools are not repeated: their decay counts frames in 8 bits, so more than 256 come out wrong; and a
number that the first annotation skips counts as an object. Void pixels are left out in every form; the tools take them
for background in the semi-supervised forms, whose annotations have none.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vis_pipeline.data.davis import VOID
from vis_pipeline.errors import DataError

TOLERANCE = 0.008  # of the image's diagonal: how far a contour may lie from the true one
RECALLED = 0.5
MOST_PROPOSALS = 20
UNASSIGNED = -1

Masks = NDArray[np.bool_]


class Form(str, Enum):
    """What is scored: all objects as one; each object under its own number; each object by its best proposal."""

    SINGLE_OBJECT = "2016"
    SEMI_SUPERVISED = "2017"
    UNSUPERVISED = "2017-unsupervised"


@dataclass(frozen=True)
class Statistics:
    """One measure over the frames of an object, or the mean of such over objects.

    Attributes:
        mean: average over the frames, in 0..1.
        recall: share of the frames above 0.5.
        decay: mean over the first quarter of the frames less that over the last; what is lost with time.
    """

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class LabelledSequence:
    """One sequence as label maps, 0 where there is no object.

    Attributes:
        prediction: uint8 [F, H, W]; the object, or in the unsupervised form the proposal, of each pixel.
        truth: uint8 [F, H, W]; 255 is void. The objects are the labels of the first frame.
    """

    name: str
    prediction: NDArray[np.uint8]
    truth: NDArray[np.uint8]


@dataclass(frozen=True)
class ObjectScores:
    """One object: its label in the annotation, and the label of the prediction that it is scored by.

    `prediction` is None where the unsupervised form has fewer proposals than objects: an empty mask stands in for it.
    """

    label: int
    prediction: int | None
    J: Statistics
    F: Statistics


@dataclass(frozen=True)
class SequenceScores:
    """The objects of one sequence, and the mean over them; `frames` counts those that are scored."""

    name: str
    frames: int
    objects: tuple[ObjectScores, ...]
    J: Statistics
    F: Statistics


@dataclass(frozen=True)
class DavisScores:
    """All sequences, and the mean over all their objects (not over the sequences).

    Attributes:
        J_and_F: the headline, the mean of J's and F's means.
    """

    form: Form
    sequences: tuple[SequenceScores, ...]
    J: Statistics
    F: Statistics
    J_and_F: float

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values."""
        return {
            "form": self.form.value,
            "J&F": self.J_and_F,
            "J": asdict(self.J),
            "F": asdict(self.F),
            "sequences": {sequence.name: _sequence_to_json(sequence) for sequence in self.sequences},
        }


def davis_scores(sequences: Iterable[LabelledSequence], form: Form) -> DavisScores:
    """Score sequences, one at a time so that they may come from a generator.

    Raises:
        DataError: there is none, or one is not sound (see :func:`sequence_scores`).
    """
    return gathered_scores([sequence_scores(sequence, form) for sequence in sequences], form)


def gathered_scores(scored: Sequence[SequenceScores], form: Form) -> DavisScores:
    """The scores of sequences that have been scored.

    Raises:
        DataError: there is none.
    """
    if not scored:
        raise DataError("no sequences to score")
    objects = [entry for sequence in scored for entry in sequence.objects]
    region, contour = _average([entry.J for entry in objects]), _average([entry.F for entry in objects])
    return DavisScores(form, tuple(scored), region, contour, (region.mean + contour.mean) / 2)


def sequence_scores(sequence: LabelledSequence, form: Form) -> SequenceScores:
    """Score one sequence.

    Raises:
        DataError: the shapes differ, too few frames, no object, or labels in the prediction that its form does not
            allow; the line names the sequence.
    """
    kept = scored_frames(form)
    try:
        _require_sound(sequence, kept)
        prediction, truth = sequence.prediction[kept], sequence.truth[kept]
        if form is Form.UNSUPERVISED:
            objects = _best_proposals(prediction, truth, _labels(sequence.truth[0]))
        elif form is Form.SEMI_SUPERVISED:
            objects = _numbered(prediction, truth, _labels(sequence.truth[0]))
        else:
            foreground = _united(truth)
            objects = _numbered(_united(prediction), foreground, _labels(foreground))
    except DataError as error:
        raise DataError(f"sequence {sequence.name}: {error}") from error
    return SequenceScores(
        sequence.name,
        len(truth),
        objects,
        _average([entry.J for entry in objects]),
        _average([entry.F for entry in objects]),
    )


def scored_frames(form: Form) -> slice:
    """The frames that count: not the first, which is given, nor the last; in the unsupervised form all."""
    return slice(None) if form is Form.UNSUPERVISED else slice(1, -1)


def region_similarity(prediction: Masks, truth: Masks, void: Masks | None = None) -> NDArray[np.float64]:
    """J: the Jaccard index of two masks without the void pixels, all bool [..., H, W]; float64 [...].

    1 where both are empty.
    """
    prediction, truth = _valid(prediction, truth, void)
    common = np.count_nonzero(prediction & truth, axis=(-2, -1))
    union = np.count_nonzero(prediction | truth, axis=(-2, -1))
    similarity: NDArray[np.float64] = np.where(union > 0, common / np.maximum(union, 1), 1.0)
    return similarity


def contour_accuracy(prediction: Masks, truth: Masks, void: Masks | None = None) -> NDArray[np.float64]:
    """F: how well two masks' boundaries cover each other, masks without the void pixels, all bool [..., H, W].

    The harmonic mean of the share of the prediction's boundary pixels that lie within :func:`boundary_radius` of the
    true boundary, and of the share of the true ones within it of the predicted; float64 [...]. 1 where neither mask has
    a boundary (it is empty, or fills the image), 0 where one has none.
    """
    prediction, truth = _valid(prediction, truth, void)
    height, width = truth.shape[-2:]
    radius = boundary_radius(height, width)
    span = np.arange(-radius, radius + 1)
    disk = (span[:, None] ** 2 + span**2 <= radius**2).astype(np.uint8)
    pairs = zip(prediction.reshape(-1, height, width), truth.reshape(-1, height, width), strict=True)
    accuracy = np.array([_boundary_f(*pair, disk) for pair in pairs], dtype=np.float64)
    return accuracy.reshape(truth.shape[:-2])


def boundary(masks: Masks) -> Masks:
    """The boundary of masks, bool [..., H, W]: the pixels that differ from that right, below, or right below.

    In the last column only the one below counts, in the last row only the one to the right; so the image's edge is no
    boundary.
    """
    edges = np.zeros_like(masks)
    edges[..., :, :-1] = masks[..., :, :-1] != masks[..., :, 1:]
    edges[..., :-1, :] |= masks[..., :-1, :] != masks[..., 1:, :]
    edges[..., :-1, :-1] |= masks[..., :-1, :-1] != masks[..., 1:, 1:]
    return edges


def boundary_radius(height: int, width: int) -> int:
    """How far, in pixels, boundaries may lie apart and still match: 0.008 of the diagonal, rounded up."""
    return math.ceil(TOLERANCE * float(np.linalg.norm((height, width))))


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Mean, recall and decay of a measure over F frames (at least one), float64 [F].

    A NaN is left out of the mean and of the decay; in the recall it counts as missed. The quarters' ends are the frames
    nearest to 1 + (F - 1) i / 4, halves up, and belong to both of the quarters that they part.
    """
    last = len(values) - 1
    first_end, last_start = (last + 2) // 4, (3 * last + 2) // 4
    return Statistics(
        mean=_mean(values),
        recall=float(np.mean(values > RECALLED)),
        decay=_mean(values[: first_end + 1]) - _mean(values[last_start:]),
    )


def assign(quality: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give each of M objects one of N proposals so that the sum of `quality` [N, M] is greatest.

    Returns the proposals' indices, int64 [M], `UNASSIGNED` for objects that go without (N < M).
    """
    assigned = np.full(quality.shape[1], UNASSIGNED, dtype=np.int64)
    proposals, objects = linear_sum_assignment(quality, maximize=True)
    assigned[objects] = proposals
    return assigned


def _valid(prediction: Masks, truth: Masks, void: Masks | None) -> tuple[Masks, Masks]:
    if prediction.shape != truth.shape or (void is not None and void.shape != truth.shape):
        shapes = [mask.shape for mask in (prediction, truth, void) if mask is not None]
        raise ValueError(f"masks of different shapes: {shapes}")
    return (prediction, truth) if void is None else (prediction & ~void, truth & ~void)


def _boundary_f(prediction: Masks, truth: Masks, disk: NDArray[np.uint8]) -> float:
    # Beyond the masks' box and one pixel around it nothing differs from its neighbours: no boundary lies there.
    left, top, width, height = cv2.boundingRect((prediction | truth).view(np.uint8))
    box = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
    predicted, true = boundary(prediction[box]), boundary(truth[box])
    if not (predicted.any() and true.any()):
        return float(predicted.any() == true.any())
    precision = np.count_nonzero(predicted & _dilated(true, disk)) / np.count_nonzero(predicted)
    recall = np.count_nonzero(true & _dilated(predicted, disk)) / np.count_nonzero(true)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _dilated(mask: Masks, disk: NDArray[np.uint8]) -> Masks:
    return cv2.dilate(mask.view(np.uint8), disk).view(np.bool_)


def _require_sound(sequence: LabelledSequence, kept: slice) -> None:
    prediction, truth = sequence.prediction, sequence.truth
    if prediction.shape != truth.shape or truth.ndim != 3:
        raise DataError(f"prediction {prediction.shape} and truth {truth.shape} must have one shape [F, H, W]")
    if not len(truth[kept]):
        raise DataError(f"{len(truth)} frames, too few: this form leaves out the first and the last")
    if (prediction[kept] == VOID).any():
        raise DataError("the prediction has the label 255, which is void; give objects the numbers from 1")


def _labels(labels: NDArray[np.uint8]) -> list[int]:
    """The objects of an annotation, in the order of their labels."""
    objects = [int(label) for label in np.unique(labels) if label not in (0, VOID)]
    if not objects:
        raise DataError("the annotation has no object to score (label 255 is void)")
    return objects


def _united(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All objects as one, with the label 1; void stays void."""
    return np.where(labels == VOID, labels, labels > 0).astype(np.uint8, copy=False)


def _numbered(
    prediction: NDArray[np.uint8], truth: NDArray[np.uint8], objects: Sequence[int]
) -> tuple[ObjectScores, ...]:
    unknown = sorted({int(label) for label in np.unique(prediction)} - {0, *objects})
    if unknown:
        raise DataError(f"the prediction has label {unknown[0]}, the first annotation only {_listed(objects)}")
    void = truth == VOID
    return tuple(_object(label, label, _measured(prediction == label, truth == label, void)) for label in objects)


def _best_proposals(
    prediction: NDArray[np.uint8], truth: NDArray[np.uint8], objects: Sequence[int]
) -> tuple[ObjectScores, ...]:
    proposals = range(1, int(prediction.max()) + 1)
    if len(proposals) > MOST_PROPOSALS:
        raise DataError(f"the prediction has label {len(proposals)}; proposals are numbered 1 to {MOST_PROPOSALS}")
    # Numbers without a pixel take part, as empty masks: the benchmark counts up to the highest, and to the objects.
    candidates = range(1, max(len(proposals), len(objects)) + 1)
    void = truth == VOID
    measured = np.array(
        [[_measured(prediction == label, truth == index, void) for index in objects] for label in candidates]
    )
    chosen = assign(measured.mean(axis=(2, 3)))
    return tuple(
        _object(label, candidates[best] if candidates[best] in proposals else None, measured[best, column])
        for column, (label, best) in enumerate(zip(objects, chosen, strict=True))
    )


def _measured(prediction: Masks, truth: Masks, void: Masks) -> NDArray[np.float64]:
    """J and F of one object's masks, float64 [2, F]."""
    return np.stack([region_similarity(prediction, truth, void), contour_accuracy(prediction, truth, void)])


def _object(label: int, prediction: int | None, measured: NDArray[np.float64]) -> ObjectScores:
    return ObjectScores(label, prediction, *(statistics(values) for values in measured))


def _average(entries: Sequence[Statistics]) -> Statistics:
    return Statistics(*(float(np.mean(values)) for values in zip(*map(_values, entries), strict=True)))


def _values(entry: Statistics) -> tuple[float, float, float]:
    return entry.mean, entry.recall, entry.decay


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def _sequence_to_json(sequence: SequenceScores) -> dict[str, Any]:
    return {
        "frames": sequence.frames,
        "J": asdict(sequence.J),
        "F": asdict(sequence.F),
        "objects": {
            str(entry.label): {"prediction": entry.prediction, "J": asdict(entry.J), "F": asdict(entry.F)}
            for entry in sequence.objects
        },
    }


def _listed(labels: Sequence[int]) -> str:
    return ", ".join(str(label) for label in labels)
