"""Argmax and short-term choice, and how settings name the ways to choose."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass
from redetected import followed, step

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import STRICT, parse
from vis_pipeline.trackers.siam_rcnn.settings import (
    ArgmaxSettings,
    SelectionSettings,
    ShortTermSettings,
    TdpaSettings,
)
from vis_pipeline.trackers.siam_rcnn.targets import Target

WIDTH, HEIGHT = 64, 32
FIRST = (8.0, 8.0, 24.0, 24.0)
# Sums of these are exact, so that equal scores are equal in any order of adding.
eighths = st.integers(0, 8).map(lambda value: value / 8)
detections = st.tuples(st.integers(0, 48), st.integers(0, 16), st.sampled_from([4, 8, 16]), st.sampled_from([8, 16]))
videos = st.lists(st.lists(detections, max_size=4), max_size=5)


def named(video: list[list[tuple[int, int, int, int]]]) -> list[list[tuple[int, tuple[int, int, int, int]]]]:
    """Each detection with a number of its own, from 1 on, and its corners."""
    numbers = iter(range(1, 1000))
    return [[(next(numbers), (x, y, x + w, y + h)) for x, y, w, h in frame] for frame in video]


def random_scores(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 9, (40, 40)) / 8


@given(videos, eighths, st.integers(0, 1000))
def test_argmax_is_the_best_first_frame_score_of_each_frame(video: list, least: float, seed: int) -> None:
    scores, frames = random_scores(seed), named(video)
    target = ArgmaxSettings(present_score=least).begin(FIRST, 0, WIDTH, HEIGHT)
    box = FIRST
    found = followed(target, frames, lambda a, b: scores[a, b])
    for frame, (state, outcome) in zip(frames, found, strict=True):
        expected = None
        for place, (name, _) in enumerate(frame):
            if scores[0, name] >= least and (expected is None or scores[0, name] > scores[0, frame[expected][0]]):
                expected = place
        box = box if expected is None else frame[expected][1]
        assert outcome.detection == expected
        assert outcome.score == (0 if expected is None else scores[0, frame[expected][0]])
        assert tuple(outcome.box) == tuple(state.box) == box
        assert len(state.needs(np.zeros((3, 4)))) == 0


@given(videos, eighths, st.sampled_from([0, 1, 8]), st.integers(0, 1000))
def test_short_term_is_the_mean_of_two_scores_less_the_way(
    video: list, least: float, location_weight: float, seed: int
) -> None:
    scores, frames = random_scores(seed), named(video)
    chosen = ShortTermSettings(location_weight=location_weight, present_score=least)
    last_name, last = 0, FIRST
    found = followed(chosen.begin(FIRST, 0, WIDTH, HEIGHT), frames, lambda a, b: scores[a, b])
    for frame, (state, outcome) in zip(frames, found, strict=True):
        best, best_value, mean = None, 0.0, 0.0
        for place, (name, box) in enumerate(frame):
            both = (scores[0, name] + scores[last_name, name]) / 2
            across = abs((box[0] + box[2]) - (last[0] + last[2])) / 2 / WIDTH
            down = abs((box[1] + box[3]) - (last[1] + last[3])) / 2 / HEIGHT
            wider = abs((box[2] - box[0]) - (last[2] - last[0])) / WIDTH
            higher = abs((box[3] - box[1]) - (last[3] - last[1])) / HEIGHT
            value = both - location_weight * (across + down + wider + higher) / 4
            if best is None or value > best_value:
                best, best_value, mean = place, value, both
        if best is not None and mean >= least:
            last_name, last = frame[best]
            assert (outcome.detection, outcome.score) == (best, mean)
        else:
            assert (outcome.detection, outcome.score) == (None, 0)
        assert tuple(outcome.box) == tuple(state.box) == last
        assert state.reference == last_name


def test_short_term_stays_where_argmax_jumps_to_a_lookalike() -> None:
    near, far = (10, 8, 26, 24), (44, 8, 60, 24)
    frames = [[(1, near), (2, far)], [(3, near), (4, far)], [(6, far)]]
    scores = {1: 0.75, 2: 0.875, 3: 0.75, 4: 0.875, 6: 0.875}

    def similarity(first: int, second: int) -> float:
        return scores[second] if first == 0 else float(first % 2 == second % 2)

    places = {}
    for chosen in (ArgmaxSettings(), ShortTermSettings()):
        target: Target[int] = chosen.begin(FIRST, 0, WIDTH, HEIGHT)
        places[chosen.type] = [outcome.detection for _, outcome in followed(target, frames, similarity)]
    assert places == {"argmax": [1, 1, 0], "short_term": [0, 0, 0]}


@dataclass(frozen=True, config=STRICT)
class Holder:
    selection: SelectionSettings


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ({}, TdpaSettings()),
        ("argmax", ArgmaxSettings()),
        ("short_term", ShortTermSettings()),
        ({"type": "tdpa", "max_gap": 3}, TdpaSettings(max_gap=3)),
        ({"type": "short_term", "location_weight": 1}, ShortTermSettings(location_weight=1)),
    ],
)
def test_settings_name_the_way_to_choose(given_value: Any, expected: Any) -> None:
    selection = parse(Holder, {"selection": given_value}, "config x").selection
    assert selection == expected
    target, _ = step(selection.begin(FIRST, 0, WIDTH, HEIGHT), [FIRST], [1], lambda a, b: 1.0)
    assert pickle.loads(pickle.dumps(target)).settings == expected


@pytest.mark.parametrize(
    ("given_value", "named_key"),
    [
        ("argmin", "type is tdpa, argmax or short_term"),
        ({"max_gapp": 3}, "unknown key 'selection.max_gapp'.*'max_gap'"),
        ({"max_gap": 0}, "selection.max_gap = 0"),
        ({"type": "argmax", "max_gap": 3}, "unknown key 'selection.max_gap'"),
        ({"first_frame_weight": 1.5}, "selection.first_frame_weight = 1.5"),
    ],
)
def test_settings_that_cannot_be(given_value: Any, named_key: str) -> None:
    with pytest.raises(ConfigError, match=named_key):
        parse(Holder, {"selection": given_value}, "config x")


def test_the_papers_constants() -> None:
    """Section 3.3 with the release's values."""
    assert TdpaSettings() == TdpaSettings(
        max_distance=0.06,
        join_score=0.3,
        margin=0.3,
        first_frame_weight=0.1,
        location_weight=7,
        max_gap=1500,
        rank_weight=1e-5,
        absent_score=-1,
    )
