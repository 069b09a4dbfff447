# ruff: noqa: SIM300 - AP is a field here, no constant
from dataclasses import fields, replace
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from literal_oracle import oracle_scores
from rich.console import Console
from small_splits import AWAY, CAT, DOG, HALF, WHOLE, found, rectangle, scenes, split, truth, video

from evaluation.scores import Figures
from evaluation.subsets import (
    carries_occlusion,
    evaluate_2022,
    evaluate_by_occlusion,
    occlusion_groups,
    occlusion_score,
)
from evaluation.subsets_tables import occlusion_table, short_and_long_table
from evaluation.youtube_vis import evaluate
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError

NO, SLIGHT, SEVERE = "no_occlusion", "slight_occlusion", "severe_occlusion"


def graded(identifier, *levels, **fields):
    return truth(identifier, *[WHOLE] * len(levels), occlusion=levels, **fields)


def text_of(table):
    console = Console(file=StringIO(), width=120)
    console.print(table)
    return console.file.getvalue()


# The short set's one object is found, at half its area (IoU 0.5); the long set has two, one of them found.
SHORT = split(truth(1, WHOLE), videos=[video(1)])
LONG = split(truth(1, WHOLE, video_id=2), truth(2, AWAY, video_id=2), videos=[video(2)])
FOUND = [found(0.9, WHOLE, video_id=2), found(0.8, HALF)]


def test_2022_is_the_mean_of_its_two_sets():
    scores = evaluate_2022(FOUND, SHORT, LONG)
    # Short: one of ten thresholds is met. Long: at every threshold recalls 0 to 0.5, 51 of 101.
    assert scores.short.AP == pytest.approx(0.1)
    assert scores.long.AP == pytest.approx(51 / 101)
    assert scores.mean.AP == pytest.approx((0.1 + 51 / 101) / 2)
    assert scores.mean.AR10 == pytest.approx((0.1 + 0.5) / 2)
    assert scores.mean.APl == -1
    assert scores.short == evaluate(FOUND[1:], SHORT)
    assert scores.to_json() == {**vars(scores.mean), "short": scores.short.to_json(), "long": scores.long.to_json()}


def test_a_figure_undefined_in_one_set_has_no_mean():
    large = split(truth(1, WHOLE, areas=(300.0**2,)), videos=[video(1)])
    scores = evaluate_2022(FOUND, large, LONG)
    assert (scores.short.APs, scores.long.APs >= 0, scores.mean.APs) == (-1, True, -1)


def test_sets_that_share_ids_need_results_of_their_own():
    long = split(truth(1, WHOLE), videos=[video(1)])
    with pytest.raises(DataError, match=r"share 1 video ids \(1 is one\): give the results of the"):
        evaluate_2022([found(0.9, WHOLE)], SHORT, long)
    scores = evaluate_2022([found(0.9, WHOLE)], SHORT, long, long_results=[])
    assert (scores.short.AP, scores.long.AP) == (pytest.approx(1.0), 0)


@pytest.mark.parametrize(
    ("results", "long", "long_results", "fault"),
    [
        (
            [found(0.5, WHOLE), found(0.5, WHOLE, video_id=3)],
            LONG,
            None,
            r"^result 1 \(video 3\): the split has no such video",
        ),
        (
            [found(0.5, WHOLE, video_id=2)],
            LONG,
            [],
            r"^short videos: result 0 \(video 2\): the split has no such video",
        ),
        ([], replace(LONG, annotations=None), None, r"^long videos: the split given is a test form"),
        ([], replace(LONG, categories=(CAT, DOG)), None, r'category 2 is missing in the short set, but "dog" in the l'),
    ],
)
def test_faults_of_2022_name_the_set(results, long, long_results, fault):
    with pytest.raises(DataError, match=fault) as caught:
        evaluate_2022(results, SHORT, long, long_results)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("levels", "score"),
    [
        ([NO], 0.0),
        ([SEVERE], 0.75),
        ([NO, SLIGHT], 0.25),
        ([NO, SLIGHT, None, SEVERE], 0.5),  # two of three
        ([SEVERE, NO, NO, SLIGHT, None, None], 0.5),  # two of four
        ([SLIGHT, SEVERE, NO, NO, NO], (0.75 + 0.25) / 3),  # three of five
    ],
)
def test_occlusion_score_is_the_mean_of_the_more_occluded_half(levels, score):
    assert occlusion_score(graded(1, *levels)) == score


def test_groups_share_their_borders_and_leave_crowds_out():
    annotations = [graded(0, NO), graded(1, SLIGHT), graded(2, SEVERE, SLIGHT, NO), graded(3, SEVERE)]
    annotations.append(graded(4, NO, iscrowd=True))
    groups = occlusion_groups(annotations)
    assert groups == {"slight": {0, 1}, "moderate": {1, 2}, "heavy": {2, 3}}


def test_objects_of_other_groups_are_ignored_but_a_prediction_without_a_match_is_false_in_all():
    ground_truth = split(graded(0, NO), truth(1, AWAY, occlusion=(SEVERE,)))
    # A false one, the severely occluded object, then the clear one.
    results = [found(0.9, rectangle(0, 12, 5, 20)), found(0.8, AWAY), found(0.7, WHOLE)]
    scores = evaluate_by_occlusion(results, ground_truth)
    assert list(scores) == ["slight", "moderate", "heavy"]
    assert scores["slight"].AP == pytest.approx(0.5)
    assert scores["heavy"].AP == pytest.approx(0.5)
    assert (scores["moderate"].AP, scores["moderate"].AR100) == (-1, -1)
    assert evaluate(results, ground_truth).AP == pytest.approx((2 / 3 * 101) / 101)


def test_an_object_of_another_group_excuses_one_prediction_only():
    ground_truth = split(graded(0, NO), truth(1, AWAY, occlusion=(SEVERE,)))
    results = [found(0.9, AWAY), found(0.8, AWAY), found(0.7, WHOLE)]
    assert evaluate_by_occlusion(results, ground_truth)["slight"].AP == pytest.approx(0.5)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(scenes(occlusion=st.sampled_from([NO, SLIGHT, SEVERE])))
def test_equals_the_literal_protocol_with_the_other_groups_outside_every_area_range(scene):
    ground_truth, results = scene
    if not ground_truth.annotations:
        return
    scores = evaluate_by_occlusion(results, ground_truth)
    for name, members in occlusion_groups(ground_truth.annotations).items():
        content = split_to_json(ground_truth)
        for annotation in content["annotations"]:
            if annotation["id"] not in members:
                annotation["areas"] = [1e12] * len(annotation["segmentations"])
        expected = oracle_scores(content, results_to_json(results))
        actual = scores[name].to_json()
        names = [figure.name for figure in fields(Figures)]
        assert [actual[n] for n in names] == pytest.approx([expected[n] for n in names], abs=1e-9), name


@pytest.mark.parametrize(
    ("annotations", "fault"),
    [
        ([truth(1, WHOLE)], "no annotation grades occlusion"),
        ([graded(1, NO), truth(2, WHOLE)], r"annotation 2 \(video 1\): no frame grades its occlusion"),
        ([graded(1, NO), graded(2, None)], r"annotation 2 \(video 1\): no frame grades its occlusion"),
        ([graded(3, "heavy")], r"annotation 3 \(video 1\): occlusion 'heavy' is none of no_occlusion, slight_occ"),
    ],
)
def test_missing_or_strange_levels_are_named(annotations, fault):
    with pytest.raises(DataError, match=fault):
        evaluate_by_occlusion([], split(*annotations))


def test_a_split_says_whether_it_carries_occlusion():
    assert carries_occlusion(split(truth(1, WHOLE), graded(2, NO)))
    assert not carries_occlusion(split(truth(1, WHOLE)))
    assert not carries_occlusion(replace(split(), annotations=None))


def test_tables_show_the_figures():
    text = text_of(short_and_long_table(evaluate_2022(FOUND, SHORT, LONG)))
    line = next(line for line in text.splitlines() if " AP " in line)
    assert [word for word in line.split() if word[0].isdigit()] == ["0.100", "0.505", "0.302"]
    ground_truth = split(graded(0, NO), truth(1, AWAY, occlusion=(SEVERE,)))
    text = text_of(occlusion_table(evaluate_by_occlusion([found(0.5, WHOLE)], ground_truth)))
    lines = {name: next(line for line in text.splitlines() if name in line) for name in ("slight", "moderate", "heavy")}
    assert "1.000" in lines["slight"]
    assert "-" in lines["moderate"]
    assert "0.000" in lines["heavy"]
