"""Births and rebirths, by hand and against a count frame by frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from small_splits import AWAY, HALF, WHOLE, found, rectangle, scenes, split, truth, video

from evaluation.births import Births, births
from vis_pipeline.errors import DataError
from vis_pipeline.masks import decode

LEFT, RIGHT = rectangle(0, 0, 8, 8), rectangle(10, 0, 18, 8)


def literal(results, ground_truth):
    """Frame by frame: who shows whom, and who had been shown before."""
    born = reborn = 0
    for place in ground_truth.videos:
        tracks = [result for result in results if result.video_id == place.id]
        objects = [a for a in ground_truth.annotations if a.video_id == place.id and not a.iscrowd]
        born += sum(any(mask is not None for mask in track.segmentations) for track in tracks)
        had_a_track, begun = set(), set()
        for frame in range(place.length):
            showing = []
            for number, track in enumerate(tracks):
                best, shown = 0.0, None
                for which, annotation in enumerate(objects):
                    one, other = track.segmentations[frame], annotation.segmentations[frame]
                    if one is None or other is None:
                        continue
                    a, b = decode(one), decode(other)
                    iou = (a & b).sum() / (a | b).sum()
                    if iou > best:
                        best, shown = iou, which
                if best >= 0.5:
                    showing.append((number, shown))
            reborn += sum(number not in begun and which in had_a_track for number, which in showing)
            begun |= {number for number, _ in showing}
            had_a_track |= {which for _, which in showing}
    return Births(born, reborn)


@settings(max_examples=30)
@given(scenes())
def test_equals_a_count_frame_by_frame(case):
    ground_truth, results = case
    assert births(results, ground_truth) == literal(results, ground_truth)


def test_equals_a_count_frame_by_frame_in_longer_videos():
    rng = np.random.default_rng(0)
    masks = (LEFT, RIGHT, rectangle(0, 0, 8, 6), rectangle(0, 0, 12, 8), None, None)
    again = 0
    for _ in range(12):
        drawn = [[masks[number] for number in rng.integers(len(masks), size=8)] for _ in range(8)]
        ground_truth = split(*(truth(number, *track) for number, track in enumerate(drawn[:3])), videos=[video(1, 8)])
        results = [found(0.5, *track) for track in drawn[3:]]
        expected = literal(results, ground_truth)
        assert births(results, ground_truth) == expected
        again += expected.rebirths
    assert 12 < again < 60


def test_an_object_that_comes_back_as_another_track():
    ground_truth = split(truth(1, LEFT, None, LEFT, LEFT), truth(2, RIGHT, RIGHT, RIGHT, RIGHT), videos=[video(1, 4)])
    first, other = found(0.9, LEFT, None, None, None), found(0.8, RIGHT, RIGHT, None, None)
    again, late = found(0.7, None, None, LEFT, LEFT), found(0.6, None, None, None, RIGHT)
    of_nothing, empty = found(0.5, AWAY, AWAY, AWAY, AWAY), found(0.4, None, None, None, None)
    assert births([first, other], ground_truth) == Births(2, 0)
    assert births([first, other, again], ground_truth) == Births(3, 1)
    assert births([late, again, other, first], ground_truth) == Births(4, 2)
    assert births([first, of_nothing, empty], ground_truth) == Births(2, 0)


def test_what_a_track_does_after_its_birth_is_no_birth():
    # The first goes over to the second object: that has had a track when its own is born.
    ground_truth = split(truth(1, LEFT, LEFT, LEFT), truth(2, RIGHT, RIGHT, RIGHT), videos=[video(1, 3)])
    strays_over, back = found(0.9, LEFT, RIGHT, LEFT), found(0.8, None, None, RIGHT)
    assert births([strays_over], ground_truth) == Births(1, 0)
    assert births([strays_over, back], ground_truth) == Births(2, 1)


def test_two_tracks_born_at_once_on_one_object_are_both_new():
    ground_truth = split(truth(1, WHOLE, WHOLE), videos=[video(1, 2)])
    assert births([found(0.9, WHOLE, WHOLE), found(0.8, HALF, WHOLE)], ground_truth) == Births(2, 0)


def test_another_class_is_the_same_object_a_crowd_is_none_and_another_video_is_another():
    ground_truth = split(
        truth(1, LEFT, LEFT), truth(2, RIGHT, RIGHT, iscrowd=True), truth(3, LEFT, LEFT, video_id=2),
        videos=[video(1, 2), video(2, 2)],
    )  # fmt: skip
    first, second = found(0.9, LEFT, None), found(0.9, None, LEFT)
    assert births([first, second], ground_truth) == Births(2, 1)
    in_the_crowd = [found(0.9, RIGHT, None), found(0.9, None, RIGHT)]
    assert births(in_the_crowd, ground_truth) == Births(2, 0)
    assert births([first, found(0.9, None, LEFT, video_id=2)], ground_truth) == Births(2, 0)


def test_nothing_has_no_births_and_what_does_not_fit_is_named():
    ground_truth = split(truth(1, LEFT))
    assert births([], ground_truth) == births([], split()) == Births(0, 0)
    assert births([found(0.9, LEFT)], split()) == Births(1, 0)
    with pytest.raises(DataError, match="result 0"):
        births([found(0.9, LEFT, LEFT)], ground_truth)
    with pytest.raises(DataError, match="test form"):
        births([], type(ground_truth)(ground_truth.videos, ground_truth.categories, None))
