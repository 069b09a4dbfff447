# ruff: noqa: SIM300 - AP is a field here, no constant
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_splits import CAT, DOG, HALF, WHOLE, found, scenes, split, truth, video

from evaluation.dense import annotation, run_lengths, track_result
from evaluation.evaluator import YouTubeVISEvaluator
from evaluation.youtube_vis import evaluate
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category, Split


def part_of(ground_truth, results, ids):
    """The split and the results of some videos, in the order of the whole."""
    videos = tuple(v for v in ground_truth.videos if v.id in ids)
    annotations = tuple(a for a in ground_truth.annotations if a.video_id in ids)
    return [r for r in results if r.video_id in ids], Split(videos, ground_truth.categories, annotations)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(scenes(), st.data())
def test_any_division_and_order_of_the_videos_gives_the_scores_of_the_whole(scene, data):
    ground_truth, results = scene
    order = data.draw(st.permutations([v.id for v in ground_truth.videos]))
    batches = data.draw(st.lists(st.integers(0, 2), min_size=len(order), max_size=len(order)))
    processes = [YouTubeVISEvaluator(), YouTubeVISEvaluator()]
    for number in range(3):
        batch = [identifier for identifier, member in zip(order, batches, strict=True) if member == number]
        if batch:
            processes[number % 2].update(*part_of(ground_truth, results, batch))
    total = YouTubeVISEvaluator()
    for process in data.draw(st.permutations(processes)):
        total.merge(pickle.loads(pickle.dumps(process.state)))
    assert total.compute() == evaluate(results, ground_truth)


@pytest.mark.parametrize(("right", "expected"), [(2, 1.0), (9, 0.5)])
def test_of_equal_scores_the_lower_video_id_comes_first_whatever_came_first(right, expected):
    evaluator = YouTubeVISEvaluator()
    for identifier in (9, 2):
        truths = [truth(1, WHOLE, video_id=identifier)] if identifier == right else []
        evaluator.update([found(0.5, WHOLE, video_id=identifier)], split(*truths, videos=[video(identifier)]))
    assert evaluator.compute().AP == pytest.approx(expected)


def test_reset_forgets_and_the_same_videos_may_come_again():
    evaluator = YouTubeVISEvaluator()
    evaluator.update([], split(truth(1, WHOLE)))
    assert evaluator.compute().AP == 0
    evaluator.reset()
    evaluator.update([found(0.5, WHOLE)], split(truth(1, WHOLE)))
    assert evaluator.compute().AP == pytest.approx(1.0)


def test_nothing_to_score_is_an_error():
    with pytest.raises(DataError, match="no update"):
        YouTubeVISEvaluator().compute()


@pytest.mark.parametrize(
    ("results", "ground_truth", "fault"),
    [
        ([], split(truth(1, WHOLE), videos=[video(5), video(1)]), r"video 1 has been added before"),
        ([], split(videos=[video(7), video(7)]), r"the split given has video 7 more than once"),
        ([], split(videos=[video(7)], categories=(DOG,)), r'category 1 is "cat" in earlier updates, but missing in th'),
        ([], split(videos=[video(7)], categories=(Category(1, "dog"),)), r'1 is "cat" in earlier updates, but "dog" i'),
        ([], split(truth(4, WHOLE, video_id=3), videos=[video(7)]), r"annotation 4 \(video 3\): the split has no such"),
        (
            [],
            split(truth(4, WHOLE, video_id=7, category_id=3), videos=[video(7)]),
            r"annotation 4 \(video 7\): the split has no category 3",
        ),
        ([found(0.5, WHOLE)], split(videos=[video(7)]), r"result 0 \(video 1\): the split has no such video"),
        ([found(np.nan, WHOLE, video_id=7)], split(videos=[video(7)]), r"result 0 \(video 7\): score nan"),
        ([], replace(split(videos=[video(7)]), annotations=None), r"a test form without ground truth"),
    ],
)
def test_a_bad_update_is_named_in_one_line_and_adds_nothing(results, ground_truth, fault):
    evaluator = YouTubeVISEvaluator()
    evaluator.update([found(0.5, WHOLE)], split(truth(1, WHOLE)))
    before = evaluator.state
    with pytest.raises(DataError, match=fault) as caught:
        evaluator.update(results, ground_truth)
    assert "\n" not in str(caught.value)
    assert evaluator.state is before


@pytest.mark.parametrize("form", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_dense_masks_score_as_their_run_lengths(form):
    masks = np.zeros((3, 20, 20), dtype=bool)
    masks[0, :10, :10] = masks[2, :5, :10] = True
    assert run_lengths(form(masks)) == (WHOLE, None, HALF)
    evaluator = YouTubeVISEvaluator()
    truths = Split((video(7, 3),), (CAT,), (annotation(1, 7, 1, form(masks)),))
    evaluator.update([track_result(7, 1, 0.5, form(masks))], truths)
    assert evaluator.compute().AP == pytest.approx(1.0)


@pytest.mark.parametrize("masks", [np.zeros((20, 20), dtype=bool), np.zeros((1, 20, 20), dtype=np.float32)])
def test_masks_of_another_form_are_an_error(masks):
    with pytest.raises(DataError, match=r"give bool \[frames, height, width\]"):
        track_result(7, 1, 0.5, masks)
