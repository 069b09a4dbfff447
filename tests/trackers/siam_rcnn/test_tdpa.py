"""TDPA against the release's results, against the paper word by word, and rule by rule."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redetected import followed, step
from tdpa_oracle import Detection, Shown, literal_tdpa

from vis_pipeline.bench.tdpa import follow, read_scenes
from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings
from vis_pipeline.trackers.siam_rcnn.targets import Outcome, Redetections
from vis_pipeline.trackers.siam_rcnn.tdpa import TdpaTarget

CASES = Path(__file__).resolve().parents[3].parent / "shared/data/tdpa_cases.json"
WIDTH, HEIGHT = 64, 32
# Sums of these are exact, so that equal totals are equal in any order of adding.
EIGHTHS = TdpaSettings(
    max_distance=0.25, join_score=0.25, margin=0.25, first_frame_weight=0.25, location_weight=4, rank_weight=2.0**-10
)
HERE = (8, 8, 24, 24)
BESIDE = (10, 8, 26, 24)
FAR = (40, 8, 56, 24)


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_file(), reason="the release's results are not beside this checkout")
def test_what_the_release_gives() -> None:
    scenes = read_scenes(CASES)
    assert len(scenes) == 12
    for scene in scenes:
        assert scene.expected is not None
        for found, expected in zip(follow(scene, TdpaSettings()), scene.expected, strict=True):
            assert (found.box, found.present, found.tracklets) == (expected.box, expected.present, expected.tracklets)
            assert found.score == pytest.approx(expected.score, abs=1e-12)


@st.composite
def constants(draw: st.DrawFn) -> TdpaSettings:
    eighths = st.sampled_from([0, 0.125, 0.25, 0.5])
    return TdpaSettings(
        max_distance=draw(st.sampled_from([0.0625, 0.25, 2])),
        join_score=draw(eighths),
        margin=draw(eighths),
        first_frame_weight=draw(st.sampled_from([0, 0.25, 1])),
        location_weight=draw(st.sampled_from([0, 2, 8])),
        max_gap=draw(st.sampled_from([1, 2, 3, 1500])),
        rank_weight=2.0**-10,
    )


def random_video(seed: int, frames: int, most: int) -> tuple[list[list[Detection]], np.ndarray]:
    """Objects that stay, jump and go, and scores of all pairs, half of them by the objects' kinship."""
    rng = np.random.default_rng(seed)
    video = [[Detection(0, HERE)]]
    objects = [0]
    for _ in range(frames):
        found = []
        for thing in rng.permutation(most):
            if rng.random() < 0.6:
                x, y = 12 * thing + rng.integers(0, 3), 4 * rng.integers(0, 2)
                width, height = rng.choice([8, 16], 2)
                found.append(Detection(len(objects), (float(x), float(y), float(x + width), float(y + height))))
                objects.append(thing)
        video.append(found)
    alike = np.array(objects)[:, None] == np.array(objects)
    scores = np.where(rng.random(alike.shape) < 0.5, alike, rng.integers(0, 9, alike.shape) / 8)
    return video, scores


def shown(video: Sequence[Sequence[Detection]], scores: np.ndarray, chosen: TdpaSettings) -> list[Shown]:
    target = chosen.begin(video[0][0].box, 0, WIDTH, HEIGHT)
    frames = [[(detection.name, detection.box) for detection in frame] for frame in video[1:]]
    return [
        Shown(tuple(outcome.box.tolist()), outcome.present, outcome.score, state.tracklets)
        for state, outcome in followed(target, frames, lambda first, second: scores[first, second])
    ]


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), frames=st.integers(1, 6), most=st.integers(1, 3), chosen=constants())
def test_the_best_of_all_sequences(seed: int, frames: int, most: int, chosen: TdpaSettings) -> None:
    video, scores = random_video(seed, frames, most)
    assert shown(video, scores, chosen) == literal_tdpa(video, lambda a, b: scores[a, b], chosen, WIDTH, HEIGHT)


class Unbounded:
    """The same online with every tracklet kept as lists, all totals in one array, the window looked up anew."""

    def __init__(self, chosen: TdpaSettings, box: Sequence[float]) -> None:
        self.chosen = chosen
        self.boxes, self.names, self.starts = [[box]], [0], [0]
        self.scores, self.totals = [[(1.0, 1.0)]], [0.0]
        self.time = 0

    def ends(self) -> np.ndarray:
        return np.array(self.starts) + [len(boxes) for boxes in self.boxes]

    def distances(self, first: Sequence[float], second: Sequence[float]) -> np.ndarray:
        a, b = np.array(first), np.array(second)
        centres, sizes = abs(a[:2] + a[2:] - b[:2] - b[2:]) / 2, abs((a[2:] - a[:2]) - (b[2:] - b[:2]))
        return np.concatenate([centres / [WIDTH, HEIGHT], sizes / [WIDTH, HEIGHT]])

    def step(self, frame: Sequence[Detection], scores: np.ndarray) -> Shown:
        self.time += 1
        before = np.flatnonzero(self.ends() == self.time)
        latest, reference = [self.boxes[index][-1] for index in before], self.names[0]
        names = [self.names[index] for index in before]
        for detection in frame:
            rows = [
                [
                    scores[name, other.name]
                    if self.distances(box, other.box).max() < self.chosen.max_distance
                    else -np.inf
                    for other in frame
                ]
                for name, box in zip(names, latest, strict=True)
            ]
            table = np.array(rows).reshape(len(before), len(frame))
            column = table[:, frame.index(detection)]
            gain = (scores[0, detection.name], scores[reference, detection.name])
            if len(column) and column.max() > self.chosen.join_score:
                row, limit = int(column.argmax()), column.max() - self.chosen.margin
                if (column >= limit).sum() == 1 and (table[row] >= limit).sum() == 1:
                    index = int(before[row])
                    self.boxes[index].append(detection.box)
                    self.scores[index].append(gain)
                    self.names[index] = detection.name
                    continue
            self.boxes.append([detection.box])
            self.names.append(detection.name)
            self.starts.append(self.time)
            self.scores.append([gain])
            self.totals.append(-np.inf)
        ends = self.ends()
        closed = ends[ends <= self.time]
        earliest = (closed.max() if len(closed) else 0) + 1 - self.chosen.max_gap
        for index in np.flatnonzero(ends == self.time + 1):
            values = [
                self.totals[p]
                - self.chosen.location_weight * self.distances(self.boxes[p][-1], self.boxes[index][0]).mean()
                for p in np.flatnonzero((ends <= self.starts[index]) & (ends >= earliest))
            ]
            if values and max(values) > -np.inf:
                self.totals[index] = max(values) + sum(self.unary(gain) for gain in self.scores[index])
        best = int(np.argmax(self.totals))
        present = bool(ends[best] == self.time + 1)
        score = self.unary(np.max(self.scores[best], axis=0)) if present else self.chosen.absent_score
        score += self.chosen.rank_weight * self.scores[best][-1][0]
        return Shown(tuple(self.boxes[best][-1]), present, score, len(self.boxes))

    def unary(self, gain: Sequence[float]) -> float:
        weight = self.chosen.first_frame_weight
        return weight * gain[0] + (1 - weight) * gain[1]


@pytest.mark.parametrize("max_gap", [1, 5, 20])
def test_what_is_dropped_changes_nothing_in_a_long_video(max_gap: int) -> None:
    chosen = TdpaSettings(max_distance=0.2, max_gap=max_gap, location_weight=2)
    video, _ = random_video(max_gap, 150, 3)
    count = sum(map(len, video))
    # No two totals are equal.
    scores = np.random.default_rng(max_gap).random((count, count)) ** 3
    plain = Unbounded(chosen, video[0][0].box)
    expected = [plain.step(frame, scores) for frame in video[1:]]
    for found, other in zip(shown(video, scores, chosen), expected, strict=True):
        assert (found.box, found.present, found.tracklets) == (other.box, other.present, other.tracklets)
        assert found.score == pytest.approx(other.score, abs=1e-12)
    assert sum(one.present for one in expected) > 20
    assert len({one.box for one in expected}) > 10


def test_memory_does_not_grow_with_the_video() -> None:
    chosen = TdpaSettings(max_gap=30)
    video, scores = random_video(1, 40, 3)
    target, sizes = chosen.begin(HERE, 0, WIDTH, HEIGHT), []
    for time in range(600):
        frame = video[1 + time % 40]
        target, _ = step(target, [one.box for one in frame], [one.name for one in frame], lambda a, b: scores[a, b])
        sizes.append(len(pickle.dumps(target)))
    assert target.tracklets > 500
    assert max(sizes[100:]) < 1.2 * max(sizes[:100]) < 5000


# Rule by rule: the target begins in HERE under the name 0; similarities are those of a table, 0 unless it says more.


def run(
    frames: Sequence[Sequence[tuple[int, Sequence[float]]]],
    scores: dict[tuple[int, int], float],
    chosen: TdpaSettings = EIGHTHS,
) -> tuple[TdpaTarget[Any], Outcome]:
    target = chosen.begin(HERE, 0, WIDTH, HEIGHT)
    *_, last = followed(target, frames, lambda first, second: scores.get((first, second), 0.0))
    return last


@pytest.mark.parametrize(("score", "joins"), [(0.25, False), (0.375, True)])
def test_a_tracklet_goes_on_above_alpha_only(score: float, joins: bool) -> None:
    target, _ = run([[(1, BESIDE)]], {(0, 1): score})
    assert target.tracklets == (1 if joins else 2)


@pytest.mark.parametrize(
    ("box", "near"),
    [
        ((23, 8, 39, 24), True),
        ((24, 8, 40, 24), False),
        ((8, 15, 24, 31), True),
        ((8, 16, 24, 32), False),
        ((1, 8, 31, 24), True),
        ((0, 8, 32, 24), False),
        ((8, 4.5, 24, 27.5), True),
        ((8, 4, 24, 28), False),
    ],
)
def test_only_what_is_nearer_than_gamma_is_compared(box: Sequence[float], near: bool) -> None:
    """In centre x, centre y, width, height, each in parts of the image's; the limit is a quarter."""
    target, _ = run([[(1, FAR)]], {})
    far = [(box[0] + 32, box[1], box[2] + 32, box[3])]
    needs = target.needs(np.array(far, dtype=np.float64))
    # Row 0 is the last frame's detection, row 1 the first frame's box, with which all are compared.
    assert needs.rows.tolist() == ([0, 1] if near else [1])
    target, _ = run([[(1, box)]], {(0, 1): 1.0})
    assert target.tracklets == (1 if near else 2)


@pytest.mark.parametrize(("rival", "joins"), [(0.625, False), (0.75, False), (0.875, False), (1.0, False), (0.5, True)])
def test_another_detection_as_similar_to_the_tracklet_ends_it(rival: float, joins: bool) -> None:
    """0.875 joins unless another has at least 0.625; the more similar one does not either."""
    target, _ = run([[(1, HERE), (2, BESIDE)]], {(0, 1): 0.875, (0, 2): rival})
    assert target.tracklets == (2 if joins else 3)


@pytest.mark.parametrize(("rival", "joins"), [(0.625, False), (0.75, False), (0.5, True)])
def test_another_tracklet_as_similar_to_the_detection_ends_both(rival: float, joins: bool) -> None:
    first = [(1, HERE), (2, BESIDE)]
    scores = {(0, 1): 1.0, (1, 3): 0.875, (2, 3): rival}
    target, _ = run([first, [(3, HERE)]], scores)
    assert target.tracklets == (2 if joins else 3)


def test_a_rival_that_is_too_far_away_is_none() -> None:
    target, outcome = run([[(1, HERE), (2, FAR)]], {(0, 1): 0.5, (0, 2): 1.0})
    assert target.tracklets == 2
    assert outcome.detection == 0


def test_only_tracklets_that_reached_the_frame_before_go_on() -> None:
    target, outcome = run([[], [(1, HERE)]], {(0, 1): 1.0})
    assert target.tracklets == 2
    assert outcome.detection == 0


def test_the_first_frames_tracklet_is_compared_by_its_latest_detection_before_the_frame() -> None:
    """Its score is of the detection that the tracklet had when the frame came, not of the frame's own."""
    scores = {(0, 1): 1.0, (1, 2): 0.75, (0, 2): 0.5, (0, 3): 0.125, (2, 3): 0.125, (1, 3): 1.0}
    target, _ = run([[(1, HERE)], [(2, HERE)], [(3, FAR)]], scores)
    assert target.first_reference == 2
    (total,) = target.active.totals
    assert total == 0.125 - 4 * (32 / 64) / 4
    assert target.active.sums.tolist() == [[0.125], [0.125]]
    # It has ended, and stays what all are compared with.
    assert target.needs(np.array([HERE], dtype=np.float64)).references == (3, 2)
    assert target.needs(np.array([HERE], dtype=np.float64)).rows.tolist() == [1]


def test_what_starts_while_the_first_frames_tracklet_goes_on_is_never_the_target() -> None:
    """No sequence has both; so it holds for all that follows it alone."""
    scores = {(0, 1): 0.5, (1, 3): 0.5, (0, 2): 1.0, (0, 4): 1.0, (2, 4): 1.0}
    target, outcome = run([[(1, HERE), (2, FAR)], [(3, HERE), (4, FAR)]], scores)
    assert outcome.detection == 0
    assert target.active.totals.tolist() == [0.0, -np.inf]


def test_a_predecessor_may_end_in_the_frame_before() -> None:
    """End and start may meet; the same detection cannot be in both."""
    target, outcome = run([[(1, FAR)]], {(0, 1): 0.75})
    assert outcome.detection == 0
    assert target.active.totals.tolist() == [0.25 * 0.75 + 0.75 * 0.75 - 4 * (32 / 64) / 4]


def test_the_way_between_two_tracklets_is_the_mean_of_its_four_differences() -> None:
    box = (10, 9, 30, 27)
    target, _ = run([[], [(1, box)]], {})
    moved = (4 / 64 + 2 / 32 + 4 / 64 + 2 / 32) / 4
    assert target.active.totals.tolist() == [-4 * moved]


def test_not_present_where_the_best_tracklet_has_ended() -> None:
    """What is there is too far away; so the box is the last one, and the score says nothing of this frame."""
    scores = {(0, 1): 0.5, (1, 2): 0.25, (0, 2): 0.25}
    _, outcome = run([[(1, BESIDE)], [(2, FAR)]], scores)
    assert not outcome.present
    assert tuple(outcome.box) == BESIDE
    assert outcome.score == -1 + 2.0**-10 * 0.5


def test_a_frame_without_detections() -> None:
    target, outcome = run([[(1, BESIDE)], [], []], {(0, 1): 1.0})
    assert (outcome.present, tuple(outcome.box), outcome.score) == (False, BESIDE, -1 + 2.0**-10)
    assert target.references == ()
    assert len(target.needs(np.zeros((0, 4)))) == 0


def test_the_score_is_of_the_tracklets_best_detections_and_a_little_of_its_last() -> None:
    scores = {(0, 1): 0.75, (0, 2): 0.5, (1, 2): 1.0, (0, 3): 0.25, (2, 3): 0.5}
    _, outcome = run([[], [(1, HERE)], [(2, HERE)], [(3, HERE)]], scores)
    # The first frame's tracklet ended at once: both scores are of the box in the first frame.
    assert outcome.score == 0.25 * 0.75 + 0.75 * 0.75 + 2.0**-10 * 0.25
    _, outcome = run([[(1, HERE)], [(2, HERE)]], scores)
    assert outcome.score == 0.25 + 0.75 + 2.0**-10 * 0.5


def test_of_equal_totals_the_tracklet_that_began_first() -> None:
    # Two alike in the same frame: neither goes on the first frame's tracklet, and both are worth the same.
    alike = {(0, 1): 0.5, (0, 2): 0.5}
    _, outcome = run([[(1, HERE), (2, HERE)]], alike)
    assert outcome.detection == 0
    # One that adds nothing, in the very place, is as good as the first frame's, which is the earlier.
    _, outcome = run([[(1, HERE)]], {})
    assert not outcome.present
    # The first of two goes on, in the second place of the frame.
    _, outcome = run(
        [[(1, HERE), (2, FAR)], [(4, FAR), (3, HERE)]], {**alike, (1, 3): 1.0, (0, 3): 0.5, (2, 4): 1.0, (0, 4): 1.0}
    )
    assert outcome.detection == 1


@pytest.mark.parametrize("max_gap", [3, 1500])
@pytest.mark.parametrize("allowed", [True, False])
def test_the_greatest_gap(max_gap: int, allowed: bool) -> None:
    """The first frame's tracklet ended at 1. Another that began there ends after `last`, and then the target is back.

    The gap is counted from the latest end, `last` + 1: that 1 is in it takes last + 2 - max_gap <= 1.
    """
    last = max_gap - 1 if allowed else max_gap
    chosen = TdpaSettings(max_gap=max_gap, first_frame_weight=0.25, location_weight=8, max_distance=0.25)
    target = chosen.begin(HERE, 0, WIDTH, HEIGHT)
    frames = [[(1, FAR)]] * last + [[(2, HERE)]]
    alike = {(1, 1), (0, 2), (2, 2)}
    *_, (target, _) = followed(target, frames, lambda a, b: float((a, b) in alike))
    assert target.tracklets == 3
    (total,) = target.active.totals
    # From the first frame it costs nothing; from the other twice the way, 8 * (32 / 64) / 4 each.
    assert total == (1 if allowed else 1 - 2)


def test_the_end_of_a_tracklet_that_cannot_be_the_targets_counts_for_the_gap_too() -> None:
    """It began beside the first frame's, which ended at 2, and ends at 4."""
    alike = {(0, 1), (3, 3), (0, 4)}
    frames = [[(1, HERE), (3, FAR)], [(3, FAR)], [(3, FAR)], [(4, HERE)]]
    totals = []
    for max_gap in (2, 3):
        target = TdpaSettings(max_gap=max_gap, first_frame_weight=1).begin(HERE, 0, WIDTH, HEIGHT)
        *_, (target, _) = followed(target, frames, lambda a, b: float((a, b) in alike))
        totals.append(target.active.totals.tolist())
    assert totals == [[-np.inf], [1.0]]


def test_frames_without_any_detection_make_no_gap_wider() -> None:
    target, outcome = run([[]] * 50 + [[(1, HERE)]], {(0, 1): 0.5}, TdpaSettings(max_gap=1))
    assert outcome.detection == 0
    assert target.active.totals.tolist() == [0.5]


def test_a_total_stays_when_all_its_predecessors_lie_too_far_back() -> None:
    """Tracklet 1 follows the first frame's; others come and go beside it until that is out of the window."""
    chosen = TdpaSettings(max_gap=3, first_frame_weight=0.25, location_weight=0, max_distance=0.25)
    frames = [[(1, HERE)], *[[(1, HERE), (2 + time, FAR)] for time in range(6)]]

    def similarity(first: int, second: int) -> float:
        return float(first == second == 1) if first else (0.25 if second == 1 else 0.0)

    target = chosen.begin(HERE, 0, WIDTH, HEIGHT)
    totals = [state.active.totals[0] for state, _ in followed(target, frames, similarity)]
    # The others end at 3, 4, ...; 1 is within 3 frames of 3, not of 4.
    assert totals == [0.25, 0.5, 0.75, 0.75, 0.75, 0.75, 0.75]


def test_a_state_is_a_value() -> None:
    """What comes of it is the same again, also of its copy from a file, and goes on from there."""
    video, scores = random_video(5, 20, 3)
    frames = [([one.box for one in frame], [one.name for one in frame]) for frame in video[1:]]
    target: Any = TdpaSettings().begin(HERE, 0, WIDTH, HEIGHT)
    for boxes, names in frames[:10]:
        target, _ = step(target, boxes, names, lambda a, b: scores[a, b])
    copied = pickle.loads(pickle.dumps(target))
    branches = []
    for begun in (target, target, copied):
        branch, outcomes = begun, []
        for boxes, names in frames[10:]:
            branch, outcome = step(branch, boxes, names, lambda a, b: scores[a, b])
            outcomes.append((outcome.box.tolist(), outcome.score, outcome.detection))
        branches.append(outcomes)
    assert branches[0] == branches[1] == branches[2]


def test_answers_that_do_not_fit() -> None:
    target = EIGHTHS.begin(HERE, 0, WIDTH, HEIGHT)
    found = Redetections(np.array([HERE], dtype=np.float64), np.ones(1), (1,))
    needs = target.needs(found.boxes)
    with pytest.raises(ValueError, match=r"pair scores are \(2,\), expected \(1,\)"):
        target.advance(found, needs, np.ones(2))
    with pytest.raises(ValueError, match="a pair's score is not finite"):
        target.advance(found, needs, np.array([np.nan]))


@pytest.mark.parametrize(
    ("boxes", "scores", "features", "named"),
    [
        (np.zeros((1, 4), dtype=np.float32), np.ones(1), (1,), "Redetections.boxes is float32"),
        (np.zeros((2, 4)), np.ones(1), (1,), r"Redetections.boxes is float64 \(2, 4\)"),
        (np.full((1, 4), np.nan), np.ones(1), (1,), "Redetections.boxes has a number that is not finite"),
        (np.zeros((1, 4)), np.array([np.inf]), (1,), "Redetections.scores has a number"),
        (np.zeros((1, 4)), np.ones(1), (1, 2), "Redetections.features has 2 entries, expected 1"),
    ],
)
def test_redetections_that_contradict_themselves(boxes: Any, scores: Any, features: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Redetections(boxes, scores, features)
