# ruff: noqa: SIM300 - AP is a field here, no constant
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from literal_oracle import oracle_scores
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.track_metrics import track_metrics
from evaluation.youtube_vis import evaluate
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.masks import decode, encode
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

CAT = (Category(1, "cat"),)
FIGURES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
NAMES = (*FIGURES, "per_category", "categories")


def rectangle(side, x1, y1, x2, y2):
    mask = np.zeros((1, side, side), dtype=bool)
    mask[0, y1:y2, x1:x2] = True
    return encode(mask)[0]


def square(width, height=10, side=20):
    return rectangle(side, 0, 0, width, height)


def video(identifier=1, length=1, side=20):
    return Video(identifier, side, side, length, tuple(f"v{identifier}/{i:05d}.jpg" for i in range(length)))


def truth(identifier, *masks, video_id=1, category_id=1, areas=None, iscrowd=False):
    return Annotation(identifier, video_id, category_id, masks, areas, iscrowd)


def found(score, *masks, video_id=1, category_id=1):
    return TrackResult(video_id, category_id, score, masks)


def split(*annotations, videos=None, categories=CAT):
    return Split(tuple(videos or (video(length=len(annotations[0].segmentations)),)), tuple(categories), annotations)


def assert_same(scores, expected):
    assert tuple(scores) == tuple(expected) == NAMES
    assert_same_figures(scores, expected)
    assert scores["per_category"] == {
        name: None if value is None else pytest.approx(value, abs=1e-9)
        for name, value in expected["per_category"].items()
    }
    assert list(scores["per_category"]) == list(expected["per_category"])
    for found, wanted in zip(scores["categories"], expected["categories"], strict=True):
        assert (found["id"], found["name"]) == (wanted["id"], wanted["name"])
        assert_same_figures(found, wanted)


def assert_same_figures(scores, expected):
    for name in FIGURES:
        assert scores[name] == pytest.approx(expected[name], abs=1e-9), name


# Rectangles on a coarse grid: equal IoUs, IoUs on a threshold and, with 64 pixels a cell, areas of exactly 128^2 and
# 256^2 come up all the time.
@st.composite
def tracks(draw, unit, length):
    def mask():
        if draw(st.integers(0, 5)) == 0:
            return None
        x, y, w, h = (
            draw(st.integers(0, 2)),
            draw(st.integers(0, 2)),
            draw(st.integers(0, 4)),
            draw(st.integers(1, 4)),
        )
        return rectangle(5 * unit, x * unit, y * unit, (x + w) * unit, (y + h) * unit)

    return tuple(mask() for _ in range(length))


@st.composite
def cases(draw):
    unit = draw(st.sampled_from([1, 64]))
    ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
    videos = [video(i, draw(st.integers(1, 3)), 5 * unit) for i in ids]
    categories = [Category(7, "late"), Category(3, "early"), Category(5, "middle")][: draw(st.integers(1, 3))]
    places = st.tuples(st.sampled_from(videos), st.sampled_from(categories))
    annotations = []
    for identifier in range(draw(st.integers(0, 5))):
        place, category = draw(places)
        area = st.sampled_from([None, 0, 3, 128**2, 128**2 + 0.5, 256**2, 256.0**2 + 1])
        areas = draw(st.none() | st.tuples(*[area] * place.length))
        masks, crowd = draw(tracks(unit, place.length)), draw(st.integers(0, 3)) == 0
        annotations.append(
            truth(identifier, *masks, video_id=place.id, category_id=category.id, areas=areas, iscrowd=crowd)
        )
    results = []
    for _ in range(draw(st.integers(0, 8))):
        place, category = draw(places)
        same = [a.segmentations for a in annotations if (a.video_id, a.category_id) == (place.id, category.id)]
        copies = [st.sampled_from(same)] if same else []
        masks = draw(st.one_of(tracks(unit, place.length), *copies))
        score = draw(st.sampled_from([0.0, 0.25, 0.5, 0.5000001, 1.0]))
        results.append(found(score, *masks, video_id=place.id, category_id=category.id))
    # Now and then more than the 100 that count, all with equals.
    times = 30 if unit == 1 and draw(st.integers(0, 15)) == 0 else 1
    return Split(tuple(videos), tuple(categories), tuple(annotations)), results * times


@settings(max_examples=700, suppress_health_check=list(HealthCheck))
@given(cases())
def test_equals_the_literal_protocol(case):
    ground_truth, results = case
    scores = evaluate(results, ground_truth).to_json()
    assert_same(scores, oracle_scores(split_to_json(ground_truth), results_to_json(results)))


class TrackEvaluation(COCOeval):
    """COCO's own evaluator, which the official one was made from, with tracks for instances."""

    def __init__(self, truths, predictions, overlaps):
        super().__init__(truths, predictions, "segm")
        self.overlaps = overlaps
        self.params.areaRng = [[0, 1e10], [0, 128**2], [128**2, 256**2], [256**2, 1e10]]

    def computeIoU(self, video_id, category_id):  # noqa: N802 - COCO's name
        truths, predictions = self._gts[video_id, category_id], self._dts[video_id, category_id]
        order = np.argsort([-prediction["score"] for prediction in predictions], kind="stable")
        pairs = [[self.overlaps[predictions[i]["id"], t["id"]] for t in truths] for i in order]
        return np.array(pairs).reshape(len(predictions), len(truths))


def coco(categories, videos, annotations):
    database = COCO()
    database.dataset = {
        "images": [{"id": video.id} for video in videos],
        "categories": [{"id": category.id} for category in categories],
        "annotations": annotations,
    }
    database.createIndex()
    database.annToRLE = lambda annotation: None
    return database


def entry(identifier, track, areas, **fields):
    shown = [area for area in areas if area]
    area = np.mean(shown) if shown else 0
    return {"id": identifier, "image_id": track.video_id, "category_id": track.category_id, "area": area, **fields}


def plain_iou(first, second):
    common = joined = 0
    for a, b in zip(first.segmentations, second.segmentations, strict=True):
        a, b = (0 if rle is None else decode(rle) for rle in (a, b))
        common, joined = common + np.sum(a & b), joined + np.sum(a | b)
    return common / joined if joined else 0.0


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(cases())
def test_equals_cocos_own_evaluator_given_the_ious(case):
    ground_truth, results = case

    def pixels(track):
        return [0 if rle is None else int(decode(rle).sum()) for rle in track.segmentations]

    truths = [
        entry(i, a, pixels(a) if a.areas is None else a.areas, iscrowd=int(a.iscrowd))
        for i, a in enumerate(ground_truth.annotations, start=1)
    ]
    predictions = [entry(i, r, pixels(r), score=r.score) for i, r in enumerate(results, start=1)]
    overlaps = {
        (i, j): plain_iou(result, annotation)
        for i, result in enumerate(results, start=1)
        for j, annotation in enumerate(ground_truth.annotations, start=1)
        if result.video_id == annotation.video_id
    }
    reference = TrackEvaluation(
        coco(ground_truth.categories, ground_truth.videos, truths),
        coco(ground_truth.categories, ground_truth.videos, predictions),
        overlaps,
    )
    reference.evaluate()
    reference.accumulate()
    reference.summarize()
    scores = evaluate(results, ground_truth).to_json()
    assert [scores[name] for name in FIGURES] == pytest.approx(reference.stats.tolist(), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_literal_protocol_with_more_than_100_predictions(seed):
    rng = np.random.default_rng(seed)
    grid = [square(w, h) for w in range(1, 9) for h in (8, 9, 10)]
    videos = (video(1, 2), video(2, 2))
    annotations = [
        truth(i, grid[rng.integers(24)], grid[rng.integers(24)], video_id=int(rng.integers(1, 3)), iscrowd=i % 5 == 0)
        for i in range(9)
    ]
    results = [
        found(
            float(rng.integers(6)) / 5, grid[rng.integers(24)], grid[rng.integers(24)], video_id=int(rng.integers(1, 3))
        )
        for _ in range(260)
    ]
    ground_truth = split(*annotations, videos=videos)
    expected = oracle_scores(split_to_json(ground_truth), results_to_json(results))
    assert_same(evaluate(results, ground_truth).to_json(), expected)


def test_perfect_prediction():
    mask = square(10)
    scores = evaluate([found(0.9, mask, None)], split(truth(1, mask, None)))
    assert scores.to_json() == {
        "AP": pytest.approx(1), "AP50": pytest.approx(1), "AP75": pytest.approx(1),
        "APs": pytest.approx(1), "APm": -1, "APl": -1,
        "AR1": 1, "AR10": 1, "AR100": 1, "ARs": 1, "ARm": -1, "ARl": -1,
        "per_category": {"cat": pytest.approx(1)},
        "categories": [{**{name: getattr(scores, name) for name in FIGURES}, "id": 1, "name": "cat"}],
    }  # fmt: skip
    json.dumps(scores.to_json())


def test_iou_is_of_the_whole_video_and_null_adds_the_other_area():
    # Frame 0: 50 of 100 pixels common. Frame 1: only the truth (20). Frame 2: only the prediction (10).
    # 50 / (100 + 20 + 10) = 0.385; with the union of frame 0 alone it would be 0.5.
    ground_truth = split(truth(1, square(10), square(2), None))
    assert evaluate([found(1, square(5), None, square(1))], ground_truth).AP50 == 0
    # 90 / (100 + 20) = 0.75, exactly on the sixth threshold.
    scores = evaluate([found(1, square(9), None, None)], split(truth(1, square(10), square(2), None)))
    assert (scores.AP50, scores.AP75, scores.AR1) == (pytest.approx(1), pytest.approx(1), pytest.approx(0.6))


def test_false_positive_above_halves_precision_and_below_costs_nothing():
    ground_truth = split(truth(1, square(10)))
    wrong, right = rectangle(20, 10, 10, 20, 20), square(10)
    assert evaluate([found(0.9, wrong), found(0.5, right)], ground_truth).AP == pytest.approx(0.5)
    assert evaluate([found(0.5, wrong), found(0.9, right)], ground_truth).AP == pytest.approx(1)
    # Of equal scores the earlier entry of the file comes first.
    assert evaluate([found(0.5, wrong), found(0.5, right)], ground_truth).AP == pytest.approx(0.5)


def test_half_of_the_objects_found():
    scores = evaluate([found(0.9, square(10))], split(truth(1, square(10)), truth(2, rectangle(20, 10, 10, 20, 20))))
    assert scores.AP == pytest.approx(51 / 101)  # recalls 0.00 to 0.50
    assert scores.AR100 == 0.5


def test_only_the_best_predictions_of_a_video_and_category_count():
    wrong = [found(0.9, rectangle(20, 10, 10, 20, 20))]
    right = [found(0.5, square(10))]
    ground_truth = split(truth(1, square(10)))
    assert evaluate(wrong * 9 + right, ground_truth).AR10 == 1
    assert evaluate(wrong * 10 + right, ground_truth).AR10 == 0
    assert evaluate(wrong * 99 + right, ground_truth).AP == pytest.approx(0.01)
    assert evaluate(wrong * 100 + right, ground_truth).AP == 0


def test_of_equal_ious_the_later_ground_truth_is_taken():
    # The first prediction fits both alike; the second only reaches 0.9 with truth 1, so all is well if 2 was taken.
    first, second = rectangle(20, 0, 0, 10, 10), rectangle(20, 10, 0, 20, 10)
    both, left = rectangle(20, 0, 0, 20, 10), rectangle(20, 0, 0, 10, 9)
    results = [found(0.9, both), found(0.8, left)]
    assert evaluate(results, split(truth(1, first), truth(2, second))).AR100 == pytest.approx((1 + 0.5 * 8) / 10)
    assert evaluate(results, split(truth(1, second), truth(2, first))).AR100 == pytest.approx((0.5 + 0.5 * 8) / 10)


def test_a_crowd_is_matched_many_times_by_ordinary_iou_and_costs_nothing():
    right, crowd = found(0.1, rectangle(20, 10, 10, 20, 20)), rectangle(20, 0, 0, 10, 10)
    ground_truth = split(truth(1, right.segmentations[0]), truth(2, crowd, iscrowd=True))
    assert evaluate([found(0.9, crowd), found(0.8, crowd), right], ground_truth).AP == pytest.approx(1)
    # A quarter of the crowd: COCO's crowd IoU would be 1, the ordinary one is 0.25, a false positive.
    assert evaluate([found(0.9, rectangle(20, 0, 0, 5, 5)), right], ground_truth).AP == pytest.approx(0.5)


def test_a_regular_match_is_not_given_up_for_a_better_ignored_one():
    ground_truth = split(truth(1, square(10, 9)), truth(2, square(10), iscrowd=True))
    assert evaluate([found(0.9, square(10))], ground_truth).AP50 == pytest.approx(1)


def test_an_object_of_exactly_128_squared_is_small_and_medium():
    exact, larger = rectangle(200, 0, 0, 128, 128), rectangle(200, 0, 0, 128, 129)
    ground_truth = split(truth(1, exact), videos=[video(side=200)])
    scores = evaluate([found(1, exact)], ground_truth)
    assert (scores.APs, scores.APm, scores.APl) == (pytest.approx(1), pytest.approx(1), -1)
    scores = evaluate([found(1, larger)], split(truth(1, larger), videos=[video(side=200)]))
    assert (scores.APs, scores.APm, scores.APl) == (-1, pytest.approx(1), -1)


def test_area_is_the_mean_of_the_files_own_over_frames_with_pixels():
    mask = square(10)
    masks, areas = (mask, mask, None, mask), (128.0**2, 3 * 128.0**2, None, 0.0)
    scores = evaluate([found(1, *masks)], split(truth(1, *masks, areas=areas)))
    assert (scores.APs, scores.APm, scores.APl) == (-1, pytest.approx(1), -1)


def test_an_unmatched_prediction_outside_the_range_is_no_false_positive_there():
    small, large = rectangle(200, 0, 0, 10, 10), rectangle(200, 0, 0, 150, 150)
    scores = evaluate([found(0.9, large), found(0.8, small)], split(truth(1, small), videos=[video(side=200)]))
    assert (scores.AP, scores.APs) == (pytest.approx(0.5), pytest.approx(1))


def test_categories_without_ground_truth_are_left_out_and_without_predictions_count_zero():
    categories = (Category(2, "none"), Category(3, "missed"), Category(1, "cat"))
    ground_truth = split(truth(1, square(10)), truth(2, square(10), category_id=3), categories=categories)
    scores = evaluate([found(1, square(10)), found(1, square(10), category_id=2)], ground_truth)
    assert scores.AP == pytest.approx(0.5)
    assert scores.per_category == {"cat": pytest.approx(1), "none": None, "missed": 0}
    assert list(scores.per_category) == ["cat", "none", "missed"]


def test_no_results_score_zero():
    scores = evaluate([], split(truth(1, square(10))))
    assert (scores.AP, scores.AR100, scores.APs, scores.APm) == (0, 0, 0, -1)


def test_ground_truth_without_objects_has_no_score():
    assert evaluate([found(1, square(10))], Split((video(),), CAT, ())).AP == -1


def test_empty_and_null_tracks_are_legal():
    empty = square(0)
    ground_truth = split(truth(1, square(10), square(10)), truth(2, empty, None))
    scores = evaluate(
        [found(0.9, empty, empty), found(0.8, None, None), found(0.7, square(10), square(10))], ground_truth
    )
    assert scores.AR100 == 0.5


def test_long_videos_of_many_predictions():
    mask = square(10)
    scores = evaluate([found(1, *[mask] * 60)] * 20, split(truth(1, *[mask] * 60)))
    assert scores.AP == pytest.approx(1)


def test_unlike_the_official_code_ground_truth_0_can_be_found():
    assert evaluate([found(1, square(10))], split(truth(0, square(10)))).AP == pytest.approx(1)


def test_unlike_the_official_code_a_prediction_shorter_than_its_video_is_an_error():
    ground_truth = split(truth(1, square(10), square(10), square(10)))
    with pytest.raises(DataError, match=r"result 1 \(video 1\): 1 segmentations, but the video has 3 frames"):
        evaluate([found(1, None, None, None), found(1, square(10))], ground_truth)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (found(1, square(10), video_id=4), r"result 1 \(video 4\): the split has no such video"),
        (found(1, square(10), category_id=4), r"result 1 \(video 1\): the split has no category 4"),
        (found(float("nan"), square(10)), r"result 1 \(video 1\): score nan is not a finite number"),
        (found(float("inf"), square(10)), r"result 1 \(video 1\): score inf is not a finite number"),
        (found(1, square(10), None), r"result 1 \(video 1\): 2 segmentations, but the video has 1 frames"),
        (found(1, square(10, side=21)), r"result 1 \(video 1\): frame 0: mask of size \[21, 21\]"),
    ],
)
def test_a_result_that_does_not_fit_is_named(result, fault):
    with pytest.raises(DataError, match=fault):
        evaluate([found(1, square(10)), result], split(truth(1, square(10))))


@pytest.mark.parametrize("measure", [evaluate, lambda results, split: track_metrics(results, split, ["hota"])])
@pytest.mark.parametrize(
    ("ground_truth", "fault"),
    [
        (split(truth(4, square(10, side=10)), videos=[video()]), r"annotation 4 \(video 1\): frame 0: mask of size"),
        # Four masks for two annotations of two frames: laid end to end they would seem to fit.
        (
            split(truth(4, square(10)), truth(5, *[square(10)] * 3), videos=[video(length=2)]),
            r"annotation 4 \(video 1\): 1 segmentations, but the video has 2 frames",
        ),
        (split(truth(4, square(10), areas=(1.0, 2.0))), r"annotation 4 \(video 1\): 2 areas, but the video has 1"),
        (split(truth(4, square(10), areas=(float("nan"),))), r"annotation 4 \(video 1\): an area is negative or not"),
        (split(truth(4, square(10), video_id=7)), r"annotation 4 \(video 7\): the split has no such video"),
        (split(truth(4, square(10), category_id=7)), r"annotation 4 \(video 1\): the split has no category 7"),
        (split(truth(4, square(10)), videos=[video(), video()]), "the split given has video 1 more than once"),
        (split(truth(4, square(10)), categories=CAT * 2), "the split given has category 1 more than once"),
        (
            split(truth(4, {"size": [20, 20], "counts": square(10)["counts"].encode()})),
            r"annotation 4 \(video 1\): frame 0: `counts` of type bytes",
        ),
        (split(truth(4, {"size": [20, 20], "counts": "1"})), r"annotation 4 \(video 1\): frame 0: damaged RLE"),
    ],
)
def test_ground_truth_made_in_memory_that_contradicts_itself_is_named(measure, ground_truth, fault):
    with pytest.raises(DataError, match=fault):
        measure([], ground_truth)


def test_a_test_form_cannot_be_scored():
    with pytest.raises(DataError, match="test form without ground truth"):
        evaluate([], replace(split(truth(1, square(10))), annotations=None))
