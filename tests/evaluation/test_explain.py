# ruff: noqa: SIM300 - AP is a field here, no constant
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.explain.analysis import explain
from evaluation.explain.fixes import without_kind
from evaluation.explain.kinds import Kind, find_errors
from evaluation.explain.scored_video import measure_videos
from evaluation.youtube_vis import evaluate
from vis_pipeline.errors import DataError
from vis_pipeline.masks import decode, encode
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

CAT, DOG, COW = 1, 2, 3
NAMES = {CAT: "cat", DOG: "dog", COW: "cow"}
LENGTH = 8
HALF = LENGTH // 2


def box(x, width=10, height=10):
    mask = np.zeros((1, 12, 100), dtype=bool)
    mask[0, :height, x : x + width] = True
    return encode(mask)[0]


A, B, C, NOWHERE = box(0), box(20), box(40), box(80)


def truth(identifier, mask, category=CAT, video=1, crowd=False):
    masks = tuple(mask) if isinstance(mask, list) else (mask,) * LENGTH
    return Annotation(identifier, video, category, masks, None, crowd)


def found(score, mask, category=CAT, video=1):
    masks = tuple(mask) if isinstance(mask, list) else (mask,) * LENGTH
    return TrackResult(video, category, score, masks)


def split(*annotations, videos=(1,), categories=(CAT,)):
    return Split(
        tuple(Video(i, 100, 12, LENGTH, tuple(f"v{i}/{f}.jpg" for f in range(LENGTH))) for i in videos),
        tuple(Category(i, NAMES[i]) for i in categories),
        annotations,
    )


def then(*parts):
    """A list of masks: each mask for so many frames."""
    return [mask for mask, frames in parts for _ in range(frames)]


def errors_by_kind(explanation):
    return {error.kind: (error.count, error.dAP, error.dAP50) for error in explanation.errors}


def assert_only(explanation, **kinds):
    """Exactly these kinds occur, as count, AP and AP50; all others are neither counted nor cost anything."""
    expected = {kind.value: (0, 0, 0) for kind in Kind} | {name.replace("_", " "): v for name, v in kinds.items()}
    assert errors_by_kind(explanation) == {kind: pytest.approx(values, abs=1e-9) for kind, values in expected.items()}


def test_perfect_results_have_no_errors():
    explanation = explain([found(0.9, A), found(0.8, B)], split(truth(1, A), truth(2, B)))
    assert_only(explanation)
    assert explanation.worst_videos == ()
    assert explanation.scores.AP == pytest.approx(1)
    assert explanation.confusion.matrix == ((2, 0), (0, 0))


def test_missed():
    explanation = explain([found(0.9, A)], split(truth(1, A), truth(2, B)))
    assert explanation.scores.AP == pytest.approx(51 / 101)
    assert_only(explanation, missed=(1, 50 / 101, 50 / 101))
    example = explanation.errors[0].examples[0]
    assert (example.truths, example.category, example.result, example.iou) == ((2,), "cat", None, None)
    assert explanation.confusion.matrix == ((1, 1), (0, 0))


def test_duplicate():
    results = [found(0.9, A), found(0.8, A), found(0.7, A, video=2)]
    explanation = explain(results, split(truth(1, A), truth(2, A, video=2), videos=(1, 2)))
    lost = 50 / 101 / 3  # beyond recall 0.5 precision is 2/3
    assert explanation.scores.AP == pytest.approx(1 - lost)
    assert_only(explanation, duplicate=(1, lost, lost))
    assert [example.result for example in explanation.errors[1].examples] == [1]


def test_wrong_class():
    results = [found(0.9, A), found(0.8, B)]
    explanation = explain(results, split(truth(1, A, DOG), truth(2, B), categories=(CAT, DOG)))
    assert explanation.scores.AP == pytest.approx(0.25)  # cats: wrong, then right; dogs: none
    assert_only(explanation, wrong_class=(1, 0.75, 0.75))
    assert explanation.confusion.matrix == ((1, 0, 0), (1, 0, 0), (0, 0, 0))


def test_wrong_class_on_an_object_that_is_found_is_dropped():
    results = [found(0.9, A, DOG), found(0.7, A), found(0.6, B), found(0.5, C, DOG)]
    ground_truth = split(truth(1, A, DOG), truth(2, B), truth(3, C, DOG), categories=(CAT, DOG))
    explanation = explain(results, ground_truth)
    assert explanation.scores.AP == pytest.approx(0.75)
    assert_only(explanation, wrong_class=(1, 0.25, 0.25))


def test_poor_mask():
    explanation = explain([found(0.9, box(0, 4))], split(truth(1, A)))
    assert explanation.scores.AP == 0
    assert_only(explanation, poor_mask=(1, 1, 1))
    assert explanation.errors[3].examples[0].iou == pytest.approx(0.4)


def test_the_second_poor_mask_on_an_object_is_dropped():
    results = [found(0.9, box(0, 4)), found(0.8, box(0, 3)), found(0.7, B)]
    explanation = explain(results, split(truth(1, A), truth(2, B)))
    # Wrong, wrong, right; with both left, the second would still be wrong.
    assert explanation.scores.AP == pytest.approx(51 / 101 / 3)
    assert_only(explanation, poor_mask=(2, 1 - 51 / 101 / 3, 1 - 51 / 101 / 3))


def test_a_track_of_few_frames_on_the_object_is_no_background():
    explanation = explain([found(0.9, then((box(0, 6), 1), (None, LENGTH - 1)))], split(truth(1, A)))
    assert_only(explanation, poor_mask=(1, 1, 1))
    assert explanation.errors[3].examples[0].iou == pytest.approx(0.075)


def test_identity_switch():
    swapped = [found(0.9, then((A, HALF), (B, HALF))), found(0.8, then((B, HALF), (A, HALF)))]
    explanation = explain(swapped, split(truth(1, A), truth(2, B)))
    assert explanation.scores.AP == 0  # IoU 1/3 each
    assert_only(explanation, identity_switch=(2, 1, 1))
    assert set(explanation.errors[4].examples[0].truths) == {1, 2}


def test_identity_switch_between_classes():
    swapped = [found(0.9, then((A, HALF), (B, HALF))), found(0.8, then((B, HALF), (A, HALF)), DOG)]
    explanation = explain(swapped, split(truth(1, A), truth(2, B, DOG), categories=(CAT, DOG)))
    assert_only(explanation, identity_switch=(2, 1, 1))


def test_a_found_track_that_switches_is_cut_as_well():
    large = box(60, 20)
    switched = [found(0.9, then((large, 5), (A, 3))), found(0.8, then((A, 5), (large, 3)))]
    explanation = explain(switched, split(truth(1, large), truth(2, A)))
    # The first has IoU 10 / (16 + 13 - 10) = 0.53 with the large one, and finds it at threshold 0.5 alone.
    assert (explanation.scores.AP, explanation.scores.AP50) == (pytest.approx(5.1 / 101), pytest.approx(51 / 101))
    assert_only(explanation, identity_switch=(2, 1 - 5.1 / 101, 50 / 101))


def test_a_piece_on_an_object_that_another_track_has_found_is_dropped():
    results = [found(0.9, then((A, HALF), (B, HALF))), found(0.8, A)]
    explanation = explain(results, split(truth(1, A), truth(2, B)))
    # Wrong, then one of two: precision 1/2 to recall 1/2. The piece on B has half its frames: right at 0.5 alone.
    before = 51 / 101 / 2
    assert explanation.scores.AP == pytest.approx(before)
    assert_only(explanation, identity_switch=(1, 0.1 * (1 - before), 1 - before))


def test_a_track_on_several_objects_of_other_classes_is_no_identity_switch():
    ground_truth = split(truth(1, A, DOG), truth(2, B, DOG), truth(3, C), categories=(CAT, DOG))
    explanation = explain([found(0.9, then((A, HALF), (B, HALF))), found(0.8, C)], ground_truth)
    # The cats go from 1/2 to 1, the dogs from 0 to being left out of the mean.
    assert_only(explanation, false_positive=(1, 0.25, 0.25), missed=(2, 0.25, 0.25))


def test_what_comes_before_a_switched_track_lies_on_anything_goes_to_its_first_object():
    ground_truth = split(truth(1, then((A, 4), (None, 4))), truth(2, then((None, 4), (B, 4))))
    explanation = explain([found(0.9, then((box(0, 3), 1), (A, 3), (B, 4)))], ground_truth)
    # Before: 400/730 with B, right at 0.5. Cut: 0.825 with A, right to 0.80 and then ahead of the exact piece on B.
    before, after = 51 / 101 * 0.1, 0.7 + 0.3 * 51 / 101 / 2
    assert_only(explanation, identity_switch=(1, after - before, 50 / 101))


def test_broken_track():
    pieces = [found(0.9, then((A, 3), (None, 5))), found(0.8, then((None, 3), (A, 3), (None, 2)))]
    explanation = explain(pieces, split(truth(1, A)))
    # Six of eight frames: found at the six thresholds to 0.75.
    assert_only(explanation, broken_track=(2, 0.6, 1))


def test_a_broken_track_is_joined_of_the_better_masks():
    pieces = [found(0.9, then((A, 3), (None, 5))), found(0.8, then((None, 2), (box(0, 6), 1), (A, 3), (None, 2)))]
    assert_only(explain(pieces, split(truth(1, A))), broken_track=(2, 0.6, 1))


def test_pieces_lie_on_an_object_of_their_own_class_first():
    piece = box(0, 8)  # IoU 0.75 with the cat, 0.8 with the dog
    results = [found(0.9, then((piece, 3), (None, 5))), found(0.8, then((None, 3), (piece, 3), (None, 2)))]
    ground_truth = split(truth(1, box(0, 6)), truth(2, A, DOG), categories=(CAT, DOG))
    assert errors_by_kind(explain([*results, found(0.7, A, DOG)], ground_truth))["broken track"][0] == 2


def test_a_found_track_that_the_pieces_replace_altogether_is_not_broken():
    whole = truth(1, then((box(0, 20), 4), (box(0, 5), 4)))
    holder = found(0.9, then((box(0, 18), 4), (None, 4)))
    pieces = []
    for frame in range(4):
        masks = [None] * LENGTH
        masks[frame], masks[frame + 4] = box(0, 20), box(0, 5)
        pieces.append(found(0.5, masks))
    assert_only(explain([holder, *pieces], split(whole)), poor_mask=(4, 0, 0), loose_mask=(1, 0.5, 0))


def test_the_rest_of_a_found_track_is_a_broken_track():
    pieces = [found(0.9, then((None, 6), (A, 2))), found(0.8, then((A, 6), (None, 2)))]
    explanation = explain(pieces, split(truth(1, A)))
    assert (explanation.scores.AP, explanation.scores.AP50) == (pytest.approx(0.3), pytest.approx(0.5))
    assert_only(explanation, broken_track=(2, 0.7, 0.5))


def test_a_short_copy_of_a_found_track_is_no_broken_track():
    results = [found(0.9, then((A, 3), (None, 5))), found(0.8, A)]
    assert_only(explain(results, split(truth(1, A))), poor_mask=(1, 0.5, 0.5))


def test_false_positive():
    explanation = explain([found(0.9, NOWHERE), found(0.8, A)], split(truth(1, A)))
    assert explanation.scores.AP == pytest.approx(0.5)
    assert_only(explanation, false_positive=(1, 0.5, 0.5))
    assert explanation.confusion.matrix == ((1, 0), (1, 0))


def test_loose_mask():
    explanation = explain([found(0.9, box(0, 21))], split(truth(1, box(0, 25))))
    assert explanation.scores.AP == pytest.approx(0.7)  # IoU 0.84: 0.50 to 0.80
    assert_only(explanation, loose_mask=(1, 0.3, 0))


def test_a_duplicate_with_the_better_mask_costs_something_to_drop():
    explanation = explain([found(0.9, box(0, 6)), found(0.8, A)], split(truth(1, A)))
    # At the seven thresholds from 0.65 on the second is the right one, after a wrong one.
    assert errors_by_kind(explanation)["duplicate"] == (1, pytest.approx(-0.7 * 0.5), 0)


def test_totals_drop_what_is_wrong_and_forget_what_is_missed():
    explanation = explain([found(0.9, NOWHERE), found(0.8, A)], split(truth(1, A), truth(2, B)))
    assert explanation.scores.AP == pytest.approx(51 / 101 / 2)
    assert explanation.false_positives.count == explanation.false_negatives.count == 1
    assert explanation.false_positives.dAP == pytest.approx(51 / 101 / 2)
    assert explanation.false_negatives.dAP50 == pytest.approx(0.5 - 51 / 101 / 2)


def test_without_results_all_is_missed():
    explanation = explain([], split(truth(1, A), truth(2, B)))
    assert_only(explanation, missed=(2, 1, 1))
    assert explanation.worst_videos[0].cost == 1
    assert explanation.confusion.matrix == ((0, 2), (0, 0))


def test_a_class_that_is_missed_altogether_counts_as_the_others_do():
    ground_truth = split(truth(1, A), truth(2, B), truth(3, C, DOG), categories=(CAT, DOG))
    explanation = explain([found(0.9, A)], ground_truth)
    # Cats are left at 51/101 or get 1; dogs are left out of the mean.
    assert explanation.scores.AP == pytest.approx(51 / 101 / 2)
    assert_only(explanation, missed=(2, 1 - 51 / 101 / 2, 1 - 51 / 101 / 2))


def test_crowds_and_what_lies_on_them_are_no_errors():
    ground_truth = split(truth(1, A), truth(2, B, crowd=True), truth(3, C, crowd=True))
    explanation = explain([found(0.9, B), found(0.8, B), found(0.7, A)], ground_truth)
    assert_only(explanation)
    assert explanation.confusion.matrix == ((1, 0), (0, 0))
    # Too little of the crowd to match it: as far as the protocol is concerned, background.
    assert_only(explain([found(0.9, box(20, 4)), found(0.7, A)], ground_truth), false_positive=(1, 0.5, 0.5))


def test_a_crowd_of_another_class_is_background():
    ground_truth = split(truth(1, A), truth(2, B, DOG, crowd=True), categories=(CAT, DOG))
    explanation = explain([found(0.9, B), found(0.7, A)], ground_truth)
    assert_only(explanation, false_positive=(1, 0.5, 0.5))
    assert explanation.confusion.matrix == ((1, 0, 0), (0, 0, 0), (1, 0, 0))


def test_a_duplicate_is_not_confused_with_another_class_that_it_fits_better():
    cat, dog, between = box(0, 6), box(0, 10), box(0, 8)
    ground_truth = split(truth(1, cat), truth(2, dog, DOG), categories=(CAT, DOG))
    explanation = explain([found(0.9, cat), found(0.8, dog, DOG), found(0.7, between)], ground_truth)
    assert_only(explanation, duplicate=(1, 0, 0))
    assert explanation.confusion.matrix == ((2, 0, 0), (0, 1, 0), (0, 0, 0))


def test_a_class_only_in_predictions_is_counted_and_costs_nothing():
    explanation = explain([found(0.9, A, DOG), found(0.8, A)], split(truth(1, A), categories=(CAT, DOG)))
    assert_only(explanation, wrong_class=(1, 0, 0))
    explanation = explain([found(0.9, B, DOG), found(0.8, A)], split(truth(1, A), categories=(CAT, DOG)))
    assert_only(explanation, false_positive=(1, 0, 0))
    assert explanation.worst_videos[0].cost == 0


def test_a_video_without_objects():
    results = [found(0.9, A), found(0.95, A, video=2)]
    explanation = explain(results, split(truth(1, A), videos=(1, 2)))
    assert_only(explanation, false_positive=(1, 0.5, 0.5))
    (worst,) = explanation.worst_videos
    assert (worst.video_id, worst.name, worst.truths, worst.AP) == (2, "v2", 0, None)
    assert worst.cost == pytest.approx(0.5)


def test_a_split_without_objects_has_nothing_to_gain():
    explanation = explain([found(0.9, A)], split())
    assert explanation.scores.AP == -1
    assert_only(explanation, false_positive=(1, 0, 0))


def test_predictions_that_do_not_count_have_no_kind():
    results = [found(0.5, NOWHERE)] * 99 + [found(0.9, A)] + [found(0.1, B)] * 5
    explanation = explain(results, split(truth(1, A), truth(2, B)))
    kinds = errors_by_kind(explanation)
    assert (kinds["false positive"][0], kinds["missed"][0]) == (99, 1)
    # Those beyond the first hundred stay out when others are dropped.
    assert kinds["false positive"][1] == 0


def test_the_worst_video_comes_first():
    truths = [truth(1, A), truth(2, B), truth(3, C), truth(4, A, video=2), truth(5, A, video=3)]
    results = [found(0.9, A, video=2), found(0.8, A), found(0.95, NOWHERE, video=3), found(0.7, A, video=3)]
    explanation = explain(results, split(*truths, videos=(1, 2, 3)))
    assert [video.video_id for video in explanation.worst_videos] == [1, 3]
    first, second = explanation.worst_videos
    assert {kind: count for kind, count in first.counts.items() if count} == {"missed": 2}
    assert (first.AP, second.AP) == (pytest.approx(34 / 101), pytest.approx(0.5))
    # Precisions 0, 1/2, 2/3, 3/4 at recalls to 3/5; of three truths they are 3/4 throughout.
    base = 61 / 101 * 0.75
    assert first.cost == pytest.approx(0.75 - base)
    assert second.cost == pytest.approx(61 / 101 - base)


def test_a_test_form_is_refused():
    with pytest.raises(DataError, match="test form without ground truth"):
        explain([], replace(split(), annotations=None))


def dense(masks):
    return np.stack([np.zeros((12, 100), dtype=bool) if rle is None else decode(rle) for rle in masks])


def literal_iou(first, second):
    first, second = dense(first), dense(second)
    union = np.sum(first | second)
    return np.sum(first & second) / union if union else 0.0


PLACES = st.sampled_from([None, A, B, C, NOWHERE, box(0, 6), box(3), box(22, 4), box(15, 20), box(0, 0)])


@st.composite
def masks_of(draw):
    first, second = draw(PLACES), draw(PLACES)
    cut = draw(st.integers(0, LENGTH))
    return then((first, cut), (second, LENGTH - cut))


@st.composite
def cases(draw):
    place = st.tuples(st.sampled_from([CAT, DOG]), st.sampled_from([4, 2]))
    truths = [
        truth(identifier, draw(masks_of()), *draw(place), crowd=draw(st.integers(0, 4)) == 0)
        for identifier in range(draw(st.integers(0, 5)))
    ]
    scores = st.sampled_from([0.1, 0.5, 0.9])
    category = st.sampled_from([CAT, DOG, COW])
    results = [
        found(draw(scores), draw(masks_of()), draw(category), draw(st.sampled_from([4, 2])))
        for _ in range(draw(st.integers(0, 8)))
    ]
    return results, split(*truths, videos=(4, 2), categories=(COW, CAT, DOG))


def literal_matches(results, ground_truth):
    """By index of the result, the truth that it has at IoU 0.5, word for word as the protocol says."""
    matches, taken = {}, set()
    for index, result in sorted(enumerate(results), key=lambda entry: -entry[1].score):
        best = None
        for crowd in (False, True):
            for truth_ in ground_truth.annotations:
                if (truth_.video_id, truth_.category_id) != (result.video_id, result.category_id):
                    continue
                iou = literal_iou(result.segmentations, truth_.segmentations)
                if truth_.iscrowd == crowd and truth_.id not in taken and iou >= (best[0] if best else 0.5):
                    best = (iou, truth_)
            if best:
                break
        if best:
            matches[index] = best[1]
            taken |= set() if best[1].iscrowd else {best[1].id}
    return matches


FEW = settings(max_examples=60, suppress_health_check=list(HealthCheck))
OF_FOUND = {Kind.IDENTITY_SWITCH, Kind.BROKEN_TRACK, Kind.LOOSE_MASK}


@FEW
@given(cases())
def test_every_unmatched_prediction_has_exactly_one_kind(case):
    results, ground_truth = case
    matches = literal_matches(results, ground_truth)
    named = {index: [] for index in range(len(results))}
    missed = set()
    for scored in list(measure_videos(results, ground_truth)):
        errors = find_errors(scored)
        for kind, members in errors.members.items():
            for index in scored.results[members]:
                named[index].append(kind)
        missed |= {ground_truth.annotations[index].id for index in scored.annotations[errors.missed]}
    for index, kinds in named.items():
        if index not in matches:
            assert len(kinds) == 1
            assert kinds[0] is not Kind.LOOSE_MASK
        elif matches[index].iscrowd:
            assert kinds == []
        else:
            assert len(kinds) <= 1
            assert set(kinds) <= OF_FOUND
    assert missed <= {t.id for t in ground_truth.annotations if not t.iscrowd} - {t.id for t in matches.values()}


@FEW
@given(cases())
def test_a_fix_touches_its_own_kind_only_and_makes_right_tracks(case):
    results, ground_truth = case
    scored_videos = list(measure_videos(results, ground_truth))
    errors = [find_errors(scored) for scored in scored_videos]
    for kind in set(Kind) - {Kind.MISSED}:
        members = {
            int(i) for scored, e in zip(scored_videos, errors, strict=True) for i in scored.results[e.members[kind]]
        }
        others = [result for index, result in enumerate(results) if index not in members]
        repairs = [
            (scored, repair) for scored, e in zip(scored_videos, errors, strict=True) for repair in e.repairs[kind]
        ]
        fixed, same = without_kind(results, ground_truth, scored_videos, errors, kind)
        assert same is ground_truth
        assert len(fixed) == len(others) + len(repairs)
        new = list(fixed)
        for result in others:
            new.remove(result)
        truths = [ground_truth.annotations[scored.annotations[repair.truth]] for scored, repair in repairs]
        assert len({t.id for t in truths}) == len(truths)
        for target in truths:
            assert any(
                literal_iou(track.segmentations, target.segmentations) >= 0.5
                for track in new
                if (track.video_id, track.category_id) == (target.video_id, target.category_id)
            )


@FEW
@given(cases())
def test_figures_are_finite_plain_and_repeatable(case):
    results, ground_truth = case
    explanation = explain(results, ground_truth)
    figures = [*explanation.errors, explanation.false_positives, explanation.false_negatives]
    assert all(-1 <= figure.dAP <= 1 and -1 <= figure.dAP50 <= 1 for figure in figures)
    assert all(figure.count or figure.dAP == figure.dAP50 == 0 for figure in figures)
    assert explanation.false_positives.dAP50 > -1e-12
    assert explanation.false_negatives.dAP50 > -1e-12
    assert json.loads(json.dumps(explanation.to_json())) == explanation.to_json()
    assert explain(results, ground_truth) == explanation
    assert sum(map(sum, explanation.confusion.matrix)) >= explanation.false_positives.count


@FEW
@given(cases())
def test_figures_of_a_video_are_those_of_the_protocol(case):
    results, ground_truth = case
    for video in explain(results, ground_truth).worst_videos:
        alone = replace(
            ground_truth,
            videos=tuple(v for v in ground_truth.videos if v.id == video.video_id),
            annotations=tuple(t for t in ground_truth.annotations if t.video_id == video.video_id),
        )
        own = [result for result in results if result.video_id == video.video_id]
        score = evaluate(own, alone).AP
        assert video.AP == (None if score == -1 else pytest.approx(score, abs=1e-12))
        assert -1e-12 < video.cost <= 1
        assert math.isfinite(video.cost)
        # Where there is no other video, nothing is wrong once its errors are gone.
        (single,) = explain(own, alone).worst_videos
        assert single.cost == (0 if score == -1 else pytest.approx(1 - score, abs=1e-12))
