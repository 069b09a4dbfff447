"""HOTA, identity, CLEAR (MOTSA) and TrackMAP of results, computed by TrackEval 1.3 from tracks in memory.

Tracks are compared category by category and averaged as TrackEval averages them; the rules of who counts are those of
:mod:`evaluation.trackeval_data`. The metrics: HOTA, DetA, AssA and LocA (Luiten 2021, means over the 19 IoU thresholds
0.05 to 0.95), IDF1 (Ristani 2016), MOTSA, sMOTSA and MOTSP (Voigtlaender 2019: CLEAR by mask IoU), and AP by tracks.

MOTSA is defined for masks that do not overlap within a frame, as a MOTS submission must be. Video instance
segmentation allows overlap; as in TrackEval's YouTube-VIS data set it is neither refused nor resolved here, and the
masks are matched one to one by the Hungarian algorithm.

TrackMAP's AP, AP50, AP75, APs, APm, APl, AR (and ARs, ARm, ARl) are those of :func:`evaluation.youtube_vis.evaluate`
(AR its AR100) as long as no video has more than 100 predictions of one category (TrackMAP has no cap), no ground truth
is a crowd (TrackMAP lets a crowd be matched once, the official evaluator any number of times), and no IoU is exactly
0.85, 0.90 or 0.95 (TrackMAP's thresholds are some units in the last place higher, and it misses these). Of equal scores
both take the video with the lower id first; TrackEval's own reading of files takes the first folder name.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np
from trackeval.metrics import CLEAR, HOTA, Identity

from evaluation.trackeval_data import TrackMapOfIou, sequence_data
from vis_pipeline.data.fit import checked_annotations, require_fit
from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.structures.tracks import TrackResult

MetricName = Literal["hota", "identity", "clear", "track_map"]
METRIC_NAMES: tuple[MetricName, ...] = get_args(MetricName)

# The figures of each metric: TrackEval's field, and which of its thresholds are averaged.
_ALL = slice(None)
_FRACTIONS: Mapping[MetricName, Mapping[str, tuple[str, int | slice]]] = {
    "hota": {name: (name, _ALL) for name in ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")},
    "identity": {name: (name, _ALL) for name in ("IDF1", "IDP", "IDR")},
    "clear": {"MOTSA": ("MOTA", _ALL), "sMOTSA": ("sMOTA", _ALL), "MOTSP": ("MOTP", _ALL)},
    "track_map": {
        "AP": ("AP_all", _ALL),
        "AP50": ("AP_all", 0),
        "AP75": ("AP_all", 5),
        **{f"AP{size}": (f"AP_area_{size}", _ALL) for size in "sml"},
        "AR": ("AR_all", _ALL),
        **{f"AR{size}": (f"AR_area_{size}", _ALL) for size in "sml"},
    },
}
_COUNTS: Mapping[MetricName, Mapping[str, str]] = {
    "hota": {},
    "identity": {name: name for name in ("IDTP", "IDFP", "IDFN")},
    "clear": {
        **{name: f"CLR_{name}" for name in ("TP", "FP", "FN")},
        **{name: name for name in ("IDSW", "Frag", "MT", "PT", "ML")},
    },
    "track_map": {},
}
_Combined: TypeAlias = dict[MetricName, Any]


@dataclass(frozen=True)
class TrackFigures:
    """The figures of the chosen metrics under their names.

    Attributes:
        fractions: of 1; MOTSA and sMOTSA may be negative; AP and AR are -1 where no ground truth makes them possible.
        counts: of masks (IDTP, IDFP, IDFN, TP, FP, FN), of ground-truth tracks (MT, PT, ML: found in more than 80 %, at
            least 20 %, less of their frames), of identity switches (IDSW) and of gaps within a track (Frag).
    """

    fractions: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class CategoryTrackFigures:
    """One category: its figures, and how many ground-truth tracks and predictions it has."""

    id: int
    name: str
    truths: int
    predictions: int
    figures: TrackFigures


@dataclass(frozen=True)
class TrackMetrics:
    """Tracking metrics of results.

    Attributes:
        overall: TrackEval's class average, the headline. It is over all categories of the split, so one with neither
            ground truth nor predictions counts 0 (LocA 1) in all but AP and AR, which leave out categories without
            ground truth.
        present: the class average over the categories that have ground truth or counted predictions.
        pooled: TrackEval's detection average: every mask weighs the same, whatever its category (AP and AR as overall).
        categories: in the order of their ids.
        score_threshold: predictions below it were left out, None if all counted.
    """

    overall: TrackFigures
    present: TrackFigures
    pooled: TrackFigures
    categories: tuple[CategoryTrackFigures, ...]
    score_threshold: float | None

    def to_json(self) -> dict[str, Any]:
        """The metrics as plain JSON values."""
        return asdict(self)


def metric_names(names: Iterable[str]) -> tuple[MetricName, ...]:
    """Check names of metrics; a repeated one is taken once.

    Raises:
        ConfigError: a name is unknown; the nearest valid one is named.
    """
    chosen = dict.fromkeys(names)
    for name in chosen:
        if name not in METRIC_NAMES:
            hint = did_you_mean(name.lower(), METRIC_NAMES) or f"; valid: {', '.join(METRIC_NAMES)}"
            raise ConfigError(f"metrics: '{name}' is unknown{hint}")
    return cast(tuple[MetricName, ...], tuple(chosen))


def track_metrics(
    results: Sequence[TrackResult], split: Split, names: Sequence[str], score_threshold: float | None = None
) -> TrackMetrics:
    """Score predictions by the named metrics (`METRIC_NAMES`) against a split's annotations.

    All but TrackMAP compare frames, where a prediction of a low score is a false positive as any other. None counts
    them all, as TrackEval does; otherwise those below `score_threshold` are left out of these metrics. TrackMAP ranks
    by score and always takes all.

    Raises:
        ConfigError: a name is unknown, or the threshold is not a number.
        DataError: the split has no annotations, or an annotation (its id is named) or a result (its index is) does not
            fit it.
    """
    metrics = {name: _metric(name) for name in metric_names(names)}
    if score_threshold is not None and math.isnan(score_threshold):
        raise ConfigError("metrics: the score threshold is not a number; give one, or none to count all predictions")
    annotations = checked_annotations(split)
    require_fit(results, split)
    least_score = -math.inf if score_threshold is None else score_threshold
    videos = sorted(split.videos, key=lambda video: video.id)
    annotated, predicted = _by_category_and_video(annotations), _by_category_and_video(results)
    categories = sorted(split.categories, key=lambda category: category.id)
    outcomes = [
        _outcome(metrics, _sequences(annotated[category.id], predicted[category.id], videos, least_score))
        for category in categories
    ]
    nothing = [_outcome(metrics, _sequences({}, {}, videos, least_score)).combined]
    every = [outcome.combined for outcome in outcomes] or nothing
    present = [outcome.combined for outcome in outcomes if outcome.truths or outcome.masks] or nothing
    return TrackMetrics(
        overall=_figures(_class_averaged(metrics, every)),
        present=_figures(_class_averaged(metrics, present)),
        pooled=_figures(_detection_averaged(metrics, every)),
        categories=tuple(
            CategoryTrackFigures(category.id, category.name, found.truths, found.predictions, _figures(found.combined))
            for category, found in zip(categories, outcomes, strict=True)
        ),
        score_threshold=score_threshold,
    )


def _metric(name: MetricName) -> Any:
    """TrackEval's metric, set as in its script for YouTube-VIS and silent."""
    if name == "hota":
        return HOTA()
    if name == "identity":
        return Identity({"PRINT_CONFIG": False})
    if name == "clear":
        return CLEAR({"PRINT_CONFIG": False})
    return TrackMapOfIou(
        {
            "PRINT_CONFIG": False,
            "USE_TIME_RANGES": False,
            "AREA_RANGES": [[0, 128**2], [128**2, 256**2], [256**2, 1e10]],
        }
    )


_Entry = TypeVar("_Entry", TrackResult, Annotation)
# Entries by video id, in the order of the file, each with its index there.
_Tracks: TypeAlias = dict[int, list[tuple[int, _Entry]]]


def _by_category_and_video(entries: Sequence[_Entry]) -> dict[int, _Tracks[_Entry]]:
    groups: dict[int, _Tracks[_Entry]] = defaultdict(lambda: defaultdict(list))
    for index, entry in enumerate(entries):
        groups[entry.category_id][entry.video_id].append((index, entry))
    return groups


@dataclass(frozen=True)
class _Outcome:
    """One category over its videos: its tracks, its masks that count, and what TrackEval makes of them."""

    truths: int
    predictions: int
    masks: int
    combined: _Combined


def _sequences(
    annotated: _Tracks[Annotation], predicted: _Tracks[TrackResult], videos: Sequence[Video], least_score: float
) -> Iterator[dict[str, Any]]:
    """One category's videos in the order given."""
    # TrackEval cannot combine no videos at all; one without a track changes nothing.
    yield sequence_data([], [], Video(0, 1, 1, 1, ()), least_score)
    for video in videos:
        if video.id in annotated or video.id in predicted:
            yield sequence_data(annotated.get(video.id, []), predicted.get(video.id, []), video, least_score)


def _outcome(metrics: Mapping[MetricName, Any], sequences: Iterable[dict[str, Any]]) -> _Outcome:
    found: dict[MetricName, dict[int, Any]] = {name: {} for name in metrics}
    truths = predictions = masks = 0
    for index, data in enumerate(sequences):
        truths += len(data["gt_track_ids"])
        predictions += len(data["dt_track_ids"])
        masks += data["num_gt_dets"] + data["num_tracker_dets"]
        for name, metric in metrics.items():
            found[name][index] = metric.eval_sequence(data)
    combined = {name: metric.combine_sequences(found[name]) for name, metric in metrics.items()}
    return _Outcome(truths, predictions, masks, combined)


def _class_averaged(metrics: Mapping[MetricName, Any], categories: Sequence[_Combined]) -> _Combined:
    return {
        name: metric.combine_classes_class_averaged({index: found[name] for index, found in enumerate(categories)})
        for name, metric in metrics.items()
    }


def _detection_averaged(metrics: Mapping[MetricName, Any], categories: Sequence[_Combined]) -> _Combined:
    return {
        name: metric.combine_classes_det_averaged({index: found[name] for index, found in enumerate(categories)})
        for name, metric in metrics.items()
    }


def _figures(combined: _Combined) -> TrackFigures:
    return TrackFigures(
        fractions={
            figure: float(np.mean(np.atleast_1d(values[field])[thresholds]))
            for name, values in combined.items()
            for figure, (field, thresholds) in _FRACTIONS[name].items()
        },
        counts={
            figure: int(values[field]) for name, values in combined.items() for figure, field in _COUNTS[name].items()
        },
    )
