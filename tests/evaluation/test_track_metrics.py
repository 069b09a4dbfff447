# ruff: noqa: SIM300 - AP is a field here, no constant
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rich.console import Console
from trackeval import Evaluator, datasets
from trackeval import metrics as trackeval_metrics

from evaluation.track_metrics import METRIC_NAMES, metric_names, track_metrics
from evaluation.track_metrics_tables import category_metrics_table, track_metrics_table
from evaluation.youtube_vis import evaluate
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.masks import decode, encode
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

# TrackEval divides by zero where it can.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

CAT, DOG = Category(1, "cat"), Category(2, "dog")
SIDE = 20


def rectangle(x1, y1, x2, y2, side=SIDE):
    mask = np.zeros((1, side, side), dtype=bool)
    mask[0, y1:y2, x1:x2] = True
    return encode(mask)[0]


LEFT, RIGHT, EMPTY = rectangle(0, 0, 9, 10), rectangle(10, 0, 19, 10), rectangle(0, 0, 0, 0)


def video(identifier=1, length=1, side=SIDE):
    return Video(identifier, side, side, length, tuple(f"v{identifier:03d}/{i:05d}.jpg" for i in range(length)))


def truth(identifier, *masks, video_id=1, category_id=1, areas=None, iscrowd=False):
    return Annotation(identifier, video_id, category_id, masks, areas, iscrowd)


def found(score, *masks, video_id=1, category_id=1):
    return TrackResult(video_id, category_id, score, masks)


def split(*annotations, videos=None, categories=(CAT,)):
    return Split(tuple(videos or (video(length=len(annotations[0].segmentations)),)), tuple(categories), annotations)


def fractions_of(results, ground_truth, names=METRIC_NAMES, **options):
    return track_metrics(results, ground_truth, names, **options).overall.fractions


@st.composite
def tracks(draw, unit, length):
    corner, extent = st.integers(0, 2), st.integers(0, 3)

    def mask():
        if draw(st.integers(0, 5)) == 0:
            return None
        x, y, w, h = draw(st.tuples(corner, corner, extent, extent))
        return rectangle(x * unit, y * unit, (x + w) * unit, (y + h) * unit, 5 * unit)

    return tuple(mask() for _ in range(length))


@st.composite
def cases(draw, crowds=True):
    unit = draw(st.sampled_from([1, 64]))
    ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
    videos = [video(i, draw(st.integers(1, 4)), 5 * unit) for i in ids]
    categories = [Category(7, "late"), Category(3, "early"), Category(5, "middle")][: draw(st.integers(1, 3))]
    places = st.tuples(st.sampled_from(videos), st.sampled_from(categories))
    annotations = []
    for identifier in range(draw(st.integers(0, 5))):
        place, category = draw(places)
        areas = draw(st.none() | st.tuples(*[st.sampled_from([None, 0, 3, 128**2, 256**2 + 1])] * place.length))
        masks, crowd = draw(tracks(unit, place.length)), crowds and draw(st.integers(0, 3)) == 0
        annotations.append(
            truth(identifier, *masks, video_id=place.id, category_id=category.id, areas=areas, iscrowd=crowd)
        )
    results = []
    for _ in range(draw(st.integers(0, 8))):
        place, category = draw(places)
        same = [a.segmentations for a in annotations if (a.video_id, a.category_id) == (place.id, category.id)]
        copies = [st.sampled_from(same)] if same else []
        masks = draw(st.one_of(tracks(unit, place.length), *copies))
        score = draw(st.sampled_from([-1.0, 0.25, 0.5, 1.0]))
        results.append(found(score, *masks, video_id=place.id, category_id=category.id))
    return Split(tuple(videos), tuple(categories), tuple(annotations)), results


def uncompressed(rle):
    """The only form of ground truth that TrackEval reads."""
    pixels = np.concatenate([[False], decode(rle).T.ravel()])
    begins = np.flatnonzero(np.diff(pixels))
    return {"size": rle["size"], "counts": np.diff([0, *begins, pixels.size - 1]).tolist()}


def trackeval_files(folder, ground_truth, results):
    content = split_to_json(ground_truth)
    for entry in content["annotations"]:
        shown = entry["segmentations"]
        entry.setdefault("areas", [None if rle is None else int(decode(rle).sum()) for rle in shown])
        entry["segmentations"] = [None if rle is None else uncompressed(rle) for rle in shown]
    for path, written in (
        (folder / "gt/youtube_vis_mine/gt.json", content),
        (folder / "trackers/youtube_vis_mine/ours/data/results.json", results_to_json(results)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(written))


def trackeval_outcome(folder, ground_truth, results, first_id=1):
    """What TrackEval's own pipeline returns, from files in its own layout, by category name."""
    trackeval_files(folder, ground_truth, results)
    folders = {"GT_FOLDER": f"{folder}/gt/", "TRACKERS_FOLDER": f"{folder}/trackers/", "SPLIT_TO_EVAL": "mine"}
    dataset = datasets.YouTubeVIS({**folders, "PRINT_CONFIG": False})
    dataset.global_tid_counter = first_id
    silent = ["PRINT_RESULTS", "PRINT_CONFIG", "TIME_PROGRESS", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES"]
    evaluator = Evaluator({**dict.fromkeys(silent, False), "LOG_ON_ERROR": None})
    quiet = {"PRINT_CONFIG": False}
    # The setting of TrackEval's script for YouTube-VIS.
    sizes = {"AREA_RANGES": [[0, 128**2], [128**2, 256**2], [256**2, 1e5**2]], "USE_TIME_RANGES": False}
    metrics = [
        trackeval_metrics.TrackMAP({**quiet, **sizes}),
        trackeval_metrics.HOTA(),
        trackeval_metrics.CLEAR(dict(quiet)),
        trackeval_metrics.Identity(dict(quiet)),
    ]
    output, _ = evaluator.evaluate([dataset], metrics)
    return output["YouTubeVIS"]["ours"]["COMBINED_SEQ"]


def trackeval_fractions(outcome):
    hota, clear, track_map = outcome["HOTA"], outcome["CLEAR"], outcome["TrackMAP"]
    names = ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")
    return {
        **{name: hota[name].mean() for name in names},
        **{name: outcome["Identity"][name] for name in ("IDF1", "IDP", "IDR")},
        "MOTSA": clear["MOTA"],
        "sMOTSA": clear["sMOTA"],
        "MOTSP": clear["MOTP"],
        "AP": track_map["AP_all"].mean(),
        "AP50": track_map["AP_all"][0],
        "AP75": track_map["AP_all"][5],
        "APs": track_map["AP_area_s"].mean(),
        "APm": track_map["AP_area_m"].mean(),
        "APl": track_map["AP_area_l"].mean(),
        "AR": track_map["AR_all"].mean(),
        "ARs": track_map["AR_area_s"].mean(),
        "ARm": track_map["AR_area_m"].mean(),
        "ARl": track_map["AR_area_l"].mean(),
    }


def trackeval_counts(outcome):
    clear = outcome["CLEAR"]
    return {
        **{name: outcome["Identity"][name] for name in ("IDTP", "IDFP", "IDFN")},
        **{name: clear[f"CLR_{name}"] for name in ("TP", "FP", "FN")},
        **{name: clear[name] for name in ("IDSW", "Frag", "MT", "PT", "ML")},
    }


def assert_equal_to_trackeval(figures, outcome):
    assert figures.fractions == pytest.approx(trackeval_fractions(outcome), abs=1e-12)
    assert figures.counts == trackeval_counts(outcome)


def assert_all_equal_to_trackeval(ground_truth, results, folder):
    expected = trackeval_outcome(folder, ground_truth, results)
    metrics = track_metrics(results, ground_truth, METRIC_NAMES)
    assert_equal_to_trackeval(metrics.overall, expected["cls_comb_cls_av"])
    assert_equal_to_trackeval(metrics.pooled, expected["cls_comb_det_av"])
    assert [category.id for category in metrics.categories] == sorted(c.id for c in ground_truth.categories)
    for category in metrics.categories:
        assert_equal_to_trackeval(category.figures, expected[category.name])
    annotated = {annotation.category_id for annotation in ground_truth.annotations}
    present = [expected[c.name] for c in metrics.categories if c.id in annotated or expected[c.name]["Count"]["Dets"]]
    for name in ("HOTA", "AssA", "LocA", "IDF1", "MOTSA", "sMOTSA") if present else ():
        mean = np.mean([trackeval_fractions(outcome)[name] for outcome in present])
        assert metrics.present.fractions[name] == pytest.approx(mean, abs=1e-12)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(cases())
def test_equals_trackevals_own_pipeline_on_its_own_files(tmp_path_factory, case):
    assert_all_equal_to_trackeval(*case, tmp_path_factory.mktemp("files"))


def moving(rng, length, side):
    """A rectangle that drifts, with gaps."""
    (x, y), (w, h), drift = rng.integers(0, 20, 2), rng.integers(8, 20, 2), rng.integers(-2, 3, 2)
    places = [np.clip((x, y) + drift * frame, 0, side - 20) for frame in range(length)]
    return [None if rng.random() < 0.15 else (px, py, px + w, py + h) for px, py in places]


def traced(rng, tracks, side):
    """What a tracker makes of moving rectangles: jitter, misses, and identities that change places."""
    names = list(range(len(tracks)))
    traces = [[None] * len(tracks[0]) for _ in tracks]
    for frame in range(len(tracks[0])):
        if rng.random() < 0.2:
            rng.shuffle(names)
        for name, track in zip(names, tracks, strict=True):
            if track[frame] is not None and rng.random() < 0.9:
                x1, y1, x2, y2 = np.clip(np.array(track[frame]) + rng.integers(-2, 3, 4), 0, side)
                traces[name][frame] = rectangle(x1, y1, x2, y2, side)
    return traces


@pytest.mark.parametrize("seed", range(4))
def test_equals_trackevals_own_pipeline_on_tracks_that_are_half_right(seed, tmp_path):
    rng, side, length = np.random.default_rng(seed), 60, 12
    videos, annotations, results = [video(i, length, side) for i in (3, 1, 2)], [], []
    for place in videos:
        for category in (1, 2):
            objects = [moving(rng, length, side) for _ in range(4)]
            where = {"video_id": place.id, "category_id": category}
            for boxes in objects:
                masks = [None if box is None else rectangle(*box, side) for box in boxes]
                annotations.append(truth(len(annotations), *masks, **where, iscrowd=bool(rng.random() < 0.1)))
            results += [found(float(rng.random()), *trace, **where) for trace in traced(rng, objects, side)]
    ground_truth = split(*annotations, videos=videos, categories=(DOG, CAT))
    metrics = track_metrics(results, ground_truth, METRIC_NAMES).overall
    assert metrics.counts["IDSW"] > 0
    assert metrics.counts["Frag"] > 0
    assert 0.1 < metrics.fractions["AssA"] < 0.9
    assert_all_equal_to_trackeval(ground_truth, results, tmp_path)


def exact_iou(first, second):
    common = joined = 0
    for pair in zip(first.segmentations, second.segmentations, strict=True):
        a, b = (np.zeros((1, 1), bool) if rle is None else decode(rle) for rle in pair)
        common, joined = common + int((a & b).sum()), joined + int((a | b).sum())
    return Fraction(common, joined or 1)


OURS = {"AP": "AP", "AP50": "AP50", "AP75": "AP75", "APs": "APs", "APm": "APm", "APl": "APl",
        "AR": "AR100", "ARs": "ARs", "ARm": "ARm", "ARl": "ARl"}  # fmt: skip


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(cases(crowds=False))
def test_track_map_equals_our_ap_where_the_protocols_agree(case):
    ground_truth, results = case
    between = {Fraction(17, 20), Fraction(18, 20), Fraction(19, 20)}
    assume(
        not any(
            exact_iou(result, annotation) in between
            for result in results
            for annotation in ground_truth.annotations
            if (result.video_id, result.category_id) == (annotation.video_id, annotation.category_id)
        )
    )
    track_map, scores = fractions_of(results, ground_truth, ["track_map"]), evaluate(results, ground_truth).to_json()
    assert track_map == pytest.approx({name: scores[ours] for name, ours in OURS.items()}, abs=1e-9)


@pytest.mark.parametrize("width", [17, 18, 19])
def test_track_map_misses_an_iou_of_exactly_its_upper_thresholds(width):
    ground_truth, results = split(truth(1, rectangle(0, 0, 20, 10))), [found(1, rectangle(0, 0, width, 10))]
    official = evaluate(results, ground_truth).AP
    assert official == pytest.approx((width - 9) / 10)
    assert fractions_of(results, ground_truth)["AP"] == pytest.approx(official - 0.1)


def test_track_map_lets_a_crowd_be_matched_once_only():
    ground_truth = split(truth(1, LEFT), truth(2, RIGHT, iscrowd=True))
    results = [found(0.9, RIGHT), found(0.8, RIGHT), found(0.7, LEFT)]
    assert evaluate(results, ground_truth).AP == pytest.approx(1)
    # The second match of the crowd becomes a false positive above the true one.
    assert fractions_of(results, ground_truth)["AP"] == pytest.approx(0.5)


def test_track_map_has_no_cap_on_predictions():
    results = [*[found(0.9, RIGHT)] * 100, found(0.5, LEFT)]
    assert evaluate(results, split(truth(1, LEFT))).AP == 0
    assert fractions_of(results, split(truth(1, LEFT)))["AP"] == pytest.approx(1 / 101)


def test_the_first_prediction_takes_its_ground_truth(tmp_path):
    # TrackEval's own data set gives the first prediction the id 0, which reads as "free": the second takes the same
    # ground truth, and both objects seem found.
    ground_truth = split(truth(1, LEFT), truth(2, RIGHT))
    results = [found(0.9, LEFT), found(0.8, LEFT)]
    misled = trackeval_outcome(tmp_path, ground_truth, results, first_id=0)["cls_comb_cls_av"]["TrackMAP"]
    assert misled["AP_all"].mean() == pytest.approx(1)
    assert fractions_of(results, ground_truth)["AP"] == pytest.approx(51 / 101)  # recalls 0.00 to 0.50
    assert evaluate(results, ground_truth).AP == pytest.approx(51 / 101)


def test_perfect_tracks():
    ground_truth = split(truth(1, LEFT, None, LEFT), truth(2, None, RIGHT, LEFT, category_id=2), categories=(CAT, DOG))
    results = [found(0.9, LEFT, None, LEFT), found(0.1, None, RIGHT, LEFT, category_id=2)]
    ones = {name: 1 for name in trackeval_names() if name not in ("APm", "APl", "ARm", "ARl")}
    metrics = track_metrics(results, ground_truth, METRIC_NAMES)
    for figures in (metrics.overall, metrics.present, metrics.pooled, *(c.figures for c in metrics.categories)):
        assert figures.fractions == pytest.approx({**ones, "APm": -1, "APl": -1, "ARm": -1, "ARl": -1})
    assert metrics.overall.counts == {
        "IDTP": 4, "IDFP": 0, "IDFN": 0, "TP": 4, "FP": 0, "FN": 0, "IDSW": 0, "Frag": 0, "MT": 2, "PT": 0, "ML": 0,
    }  # fmt: skip


def trackeval_names():
    return list(fractions_of([], split(truth(1, LEFT))))


def test_an_identity_switch_halfway():
    ground_truth = split(truth(1, LEFT, LEFT, LEFT, LEFT))
    results = [found(0.9, LEFT, LEFT, None, None), found(0.8, None, None, LEFT, LEFT)]
    metrics = track_metrics(results, ground_truth, METRIC_NAMES).overall
    # Every mask is found: TP 4. Of the 4 frames of the truth each prediction shares 2: each TP has 2 of 2 + 2 + 0.
    assert (metrics.fractions["DetA"], metrics.fractions["AssA"]) == pytest.approx((1, 0.5))
    assert metrics.fractions["HOTA"] == pytest.approx(math.sqrt(0.5))
    # Only one of the predictions may stand for the truth: IDTP 2, IDFP 2, IDFN 2.
    assert (metrics.counts["IDTP"], metrics.counts["IDFP"], metrics.counts["IDFN"]) == (2, 2, 2)
    assert metrics.fractions["IDF1"] == pytest.approx(2 * 2 / (2 * 2 + 2 + 2))
    # 4 found, one switch, of 4.
    assert (metrics.counts["TP"], metrics.counts["IDSW"]) == (4, 1)
    assert (metrics.fractions["MOTSA"], metrics.fractions["sMOTSA"]) == pytest.approx((0.75, 0.75))
    # IoU over the video 2/4: found at 0.50 alone.
    assert (metrics.fractions["AP50"], metrics.fractions["AP"]) == pytest.approx((1, 0.1))


def test_soft_ious():
    # IoU 6/9 and 7/9, then a frame with the prediction alone.
    ground_truth = split(truth(1, LEFT, LEFT, None))
    results = [found(0.9, rectangle(0, 0, 6, 10), rectangle(0, 0, 7, 10), RIGHT)]
    metrics = track_metrics(results, ground_truth, METRIC_NAMES).overall.fractions
    assert metrics["MOTSP"] == pytest.approx((6 / 9 + 7 / 9) / 2)
    assert metrics["MOTSA"] == pytest.approx((2 - 1) / 2)
    assert metrics["sMOTSA"] == pytest.approx((6 / 9 + 7 / 9 - 1) / 2)
    assert metrics["IDF1"] == pytest.approx(2 * 2 / (2 * 2 + 1))
    # 13 thresholds up to 0.65: TP 2, FP 1. Then 0.70 and 0.75: TP 1, FP 2, FN 1. Then 4 with none.
    assert metrics["DetA"] == pytest.approx((13 * 2 / 3 + 2 * 1 / 4) / 19)
    # Of the 2 frames of the truth and 3 of the prediction 2 are shared, then 1.
    assert metrics["AssA"] == pytest.approx((13 * 2 / 3 + 2 * 1 / 4) / 19)
    assert metrics["HOTA"] == pytest.approx((13 * 2 / 3 + 2 * 1 / 4) / 19)
    # Where nothing is found TrackEval counts a localisation of 1.
    assert metrics["LocA"] == pytest.approx((13 * (6 / 9 + 7 / 9) / 2 + 2 * 7 / 9 + 4) / 19)


def test_false_positives_may_make_motsa_negative():
    metrics = fractions_of([found(0.9, RIGHT), found(0.8, RIGHT), found(0.7, LEFT)], split(truth(1, LEFT)), ["clear"])
    assert metrics == pytest.approx({"MOTSA": -1, "sMOTSA": -1, "MOTSP": 1})


def test_only_the_metrics_asked_for_are_there():
    metrics = track_metrics([found(1, LEFT)], split(truth(1, LEFT)), ["identity", "track_map", "identity"])
    assert list(metrics.overall.fractions) == ["IDF1", "IDP", "IDR", *OURS]
    assert list(metrics.overall.counts) == ["IDTP", "IDFP", "IDFN"]


def test_categories_count_as_trackeval_counts_them():
    bird = Category(3, "bird")
    ground_truth = split(truth(1, LEFT), categories=(DOG, bird, CAT))
    results = [found(0.9, LEFT), found(0.8, RIGHT, category_id=2)]
    metrics = track_metrics(results, ground_truth, METRIC_NAMES)
    # Cat is perfect, dog only predicted, bird neither: 1 of 3, 1 of the 2 that are there; by masks TP 1, FP 1.
    assert [m.fractions["HOTA"] for m in (metrics.overall, metrics.present)] == pytest.approx([1 / 3, 1 / 2])
    assert [m.fractions["IDF1"] for m in (metrics.overall, metrics.present)] == pytest.approx([1 / 3, 1 / 2])
    assert metrics.pooled.fractions["DetA"] == pytest.approx(1 / 2)
    assert metrics.overall.fractions["LocA"] == pytest.approx(1)
    assert metrics.overall.fractions["AP"] == pytest.approx(1)  # dog and bird have no ground truth
    counts = [(category.name, category.truths, category.predictions) for category in metrics.categories]
    assert counts == [("cat", 1, 1), ("dog", 0, 1), ("bird", 0, 0)]
    assert [c.figures.fractions["AP"] for c in metrics.categories] == pytest.approx([1, -1, -1])


NOTHING = {
    "HOTA": 0, "DetA": 0, "AssA": 0, "LocA": 1, "IDF1": 0, "MOTSA": 0, "sMOTSA": 0, "MOTSP": 0, "AP": -1, "AR": -1,
}  # fmt: skip


@pytest.mark.parametrize(
    "ground_truth",
    [
        split(videos=[video(1, 3), video(2)]),
        Split((), (CAT,), ()),
        Split((video(),), (), ()),
        Split((), (), ()),
        split(truth(1, None, None)),
    ],
    ids=["no annotations", "no videos", "no categories", "nothing", "never visible"],
)
def test_a_split_without_ground_truth(ground_truth):
    metrics = track_metrics([], ground_truth, METRIC_NAMES)
    expected = {**NOTHING, "AP": 0, "AR": 0} if ground_truth.annotations else NOTHING
    for figures in (metrics.overall, metrics.present, metrics.pooled):
        assert {name: figures.fractions[name] for name in NOTHING} == expected
    json.dumps(metrics.to_json(), allow_nan=False)


def test_videos_without_predictions_without_ground_truth_and_without_either():
    ground_truth = split(truth(1, LEFT), truth(2, LEFT, video_id=2), videos=[video(1), video(2), video(3), video(4)])
    results = [found(0.9, LEFT), found(0.8, LEFT, video_id=3)]
    metrics = track_metrics(results, ground_truth, METRIC_NAMES).overall
    counts = {name: metrics.counts[name] for name in ("TP", "FP", "FN", "IDTP", "IDFP", "IDFN")}
    assert counts == {"TP": 1, "FP": 1, "FN": 1, "IDTP": 1, "IDFP": 1, "IDFN": 1}
    assert metrics.fractions["DetA"] == pytest.approx(1 / 3)
    assert metrics.fractions["IDF1"] == pytest.approx(1 / 2)


def test_no_results_are_legal():
    metrics = fractions_of([], split(truth(1, LEFT)))
    assert {name: metrics[name] for name in NOTHING} == {**NOTHING, "AP": 0, "AR": 0}


def test_a_mask_without_pixels_is_a_detection_and_null_is_none():
    assert fractions_of([found(0.9, LEFT, None)], split(truth(1, LEFT, None)))["DetA"] == pytest.approx(1)
    assert fractions_of([found(0.9, LEFT, EMPTY)], split(truth(1, LEFT, None)))["DetA"] == pytest.approx(1 / 2)
    assert fractions_of([found(0.9, LEFT, EMPTY)], split(truth(1, LEFT, EMPTY)))["DetA"] == pytest.approx(1 / 3)


def test_a_crowd_is_an_object_by_frame_and_ignored_by_track():
    ground_truth = split(truth(1, LEFT), truth(2, RIGHT, iscrowd=True))
    metrics = fractions_of([found(0.9, LEFT)], ground_truth)
    assert (metrics["DetA"], metrics["AP"]) == pytest.approx((1 / 2, 1))


def test_the_score_threshold_holds_for_frames_alone():
    ground_truth = split(truth(1, LEFT), categories=(CAT, DOG))
    results = [found(0.9, RIGHT), found(0.5, LEFT), found(-0.1, RIGHT), found(0.1, RIGHT, category_id=2)]
    every = track_metrics(results, ground_truth, METRIC_NAMES)
    best = track_metrics(results, ground_truth, METRIC_NAMES, score_threshold=0.5)
    assert (every.overall.counts["FP"], best.overall.counts["FP"]) == (3, 1)
    # Nothing of dog counts any more.
    assert best.present.fractions["DetA"] == pytest.approx(1 / 2)
    assert best.overall.fractions["AP"] == every.overall.fractions["AP"] == pytest.approx(1 / 2)


def test_nothing_is_printed(capsys):
    track_metrics([found(0.9, LEFT)], split(truth(1, LEFT)), METRIC_NAMES)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("given", "nearest"), [("hotta", "hota"), ("HOTA", "hota"), ("trackmap", "track_map")])
def test_an_unknown_metric_is_named_with_the_nearest(given, nearest):
    with pytest.raises(ConfigError, match=f"'{given}' is unknown; did you mean '{nearest}'"):
        metric_names(["clear", given])


def test_a_threshold_that_is_no_number_is_an_error():
    with pytest.raises(ConfigError, match="threshold is not a number"):
        track_metrics([], split(truth(1, LEFT)), ["hota"], score_threshold=math.nan)


def test_results_must_fit():
    damaged = found(1, {"size": [SIDE, SIDE], "counts": "f06"})
    with pytest.raises(DataError, match=r"result 1 \(video 1\): frame 0: damaged RLE"):
        track_metrics([found(1, LEFT), damaged], split(truth(1, LEFT)), ["hota"])
    with pytest.raises(DataError, match=r"result 1 \(video 3\)"):
        track_metrics([found(1, LEFT), found(1, LEFT, video_id=3)], split(truth(1, LEFT)), ["hota"])
    with pytest.raises(DataError, match="test form without ground truth"):
        track_metrics([], Split((video(),), (CAT,), None), ["hota"])


def printed(table):
    console = Console(width=120, record=True, quiet=True)
    console.print(table)
    with console.capture() as capture:
        console.quiet = False
        console.print(table)
    return capture.get()


def test_tables_show_every_figure():
    ground_truth = split(truth(1, LEFT, LEFT), categories=(CAT, DOG))
    metrics = track_metrics([found(0.9, LEFT, None)], ground_truth, METRIC_NAMES, score_threshold=0.25)
    lines = {
        line.split("│")[1].strip(): line for line in printed(track_metrics_table(metrics)).splitlines() if "│" in line
    }
    assert {*metrics.overall.fractions, *metrics.overall.counts} <= lines.keys()
    # The cat: 1 of 2 masks found; over both categories half of that.
    assert [part.strip() for part in lines["DetA"].split("│")[2:-1]] == ["0.250", "0.500", "0.500"]
    assert [part.strip() for part in lines["APl"].split("│")[2:-1]] == ["-", "-", "-"]
    assert [part.strip() for part in lines["FN"].split("│")[2:-1]] == ["1", "1", "1"]
    assert "score >= 0.25" in printed(track_metrics_table(metrics))
    by_category = [line.split() for line in printed(category_metrics_table(metrics)).splitlines()]
    assert ["dog", "0", "0", *["-"] * 7] in by_category
    assert any(line[:1] == ["cat"] and "0.500" in line for line in by_category)
