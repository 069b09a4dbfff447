"""An object that comes back elsewhere is the same track, as long as nothing else could be it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from returning_objects import Place, SameColour, Seen, remembering, video
from safetensors.torch import load, save

from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.memory import MemorySettings

RED, GREEN, PINK = (20, 20, 220), (20, 200, 20), (30, 30, 212)
MEMORY = MemorySettings(score=0.9, margin=0.1, refresh_every=2)
LEFT, RIGHT, TOP = (6, 40), (74, 40), (40, 6)


def scene(absent: int, beside: str | None = None, after: int = 12) -> list[Mapping[str, Place]]:
    """A red square is there for 8 frames, and after an absence at another place; another one stays all the time."""
    company = {} if beside is None else {beside: TOP}
    there, back = {"red": LEFT}, {"red": RIGHT}
    return [{**company, **there}] * 8 + [company] * absent + [{**company, **back}] * after


def tracked(
    script: Sequence[Mapping[str, Place]],
    memory: MemorySettings | None = MEMORY,
    recogniser: SameColour | None = None,
    batch: int = 4,
) -> tuple[VideoOutcome, list[FrameTracks]]:
    colours = {"red": RED, "green": GREEN, "pink": PINK, "twin": RED}
    loop = FrameLoop(1, Seen(script), remembering(memory, recogniser))
    shown = list(loop.over(video(script, colours), batch))
    return loop.finish(), shown


def spans(outcome: VideoOutcome) -> list[list[int]]:
    """The frames of each reported track, the earliest track first."""
    frames = [[i for i, mask in enumerate(track.segmentations) if mask is not None] for track in outcome.tracks]
    return sorted(frames)


@pytest.mark.parametrize("absent", [16, 30, 90])
def test_without_a_memory_it_is_a_new_track_and_with_one_the_old(absent: int) -> None:
    first, second, always = list(range(8)), list(range(8 + absent, 20 + absent)), list(range(20 + absent))
    assert spans(tracked(scene(absent, "green"), None)[0]) == [first, always, second]
    assert spans(tracked(scene(absent, "green"))[0]) == [always, first + second]


def test_it_has_its_old_number_as_soon_as_it_is_back() -> None:
    outcome, shown = tracked(scene(40))
    assert [tracks.shown().ids.tolist() for tracks in shown] == [[0]] * 8 + [[]] * 40 + [[0]] * 12
    (recalled,) = [event for event in outcome.events if event["kind"] == "recalled"]
    assert recalled == {"frame": 48, "kind": "recalled", "track": 0, "affinity": 1.0, "reason": "track 1 goes on as it"}


def test_a_lookalike_that_was_there_all_the_time_is_not_asked_to_be_it() -> None:
    outcome, _ = tracked(scene(40, "twin"))
    assert spans(outcome) == [list(range(60)), [*range(8), *range(48, 60)]]


def test_two_that_look_alike_and_come_back_together_are_told_apart_by_nobody() -> None:
    script = [{"red": LEFT, "twin": TOP}] * 8 + [{}] * 40 + [{"red": RIGHT, "twin": (6, 6)}] * 12
    outcome, _ = tracked(script)
    assert len(outcome.tracks) == 4
    assert not [event for event in outcome.events if event["kind"] == "recalled"]


def test_one_that_is_ambiguous_at_first_is_known_once_it_is_alone() -> None:
    """The pink one passes for the red one by score, but not beside it."""
    both, red = {"red": RIGHT, "pink": TOP}, {"red": RIGHT}
    outcome, _ = tracked([{"red": LEFT}] * 8 + [{}] * 40 + [both] * 5 + [red] * 7)
    (recalled,) = [event for event in outcome.events if event["kind"] == "recalled"]
    assert recalled["frame"] == 53 and recalled["track"] == 0
    assert spans(outcome) == [[*range(8), *range(48, 60)], [48, 49, 50, 51, 52]]


def test_one_that_looks_otherwise_is_new() -> None:
    script = [{"red": LEFT}] * 8 + [{}] * 40 + [{"green": RIGHT}] * 12
    assert spans(tracked(script)[0]) == [list(range(8)), list(range(48, 60))]


def test_what_was_seen_once_or_long_ago_is_forgotten() -> None:
    assert len(tracked([{"red": LEFT}] * 2 + [{}] * 30 + [{"red": RIGHT}] * 12)[0].tracks) == 1
    brief = MemorySettings(score=0.9, margin=0.1, max_frames=40)
    assert len(tracked(scene(39), brief)[0].tracks) == 1
    assert len(tracked(scene(40), brief)[0].tracks) == 2


def test_nothing_is_asked_while_nobody_is_away_and_of_settled_tracks() -> None:
    recogniser = SameColour()
    tracked([{"red": LEFT, "green": TOP}] * 30, MEMORY, recogniser)
    assert recogniser.asked == 0
    # Once the green one is settled it is no question; the red one's return is one for each of its first frames.
    tracked(scene(40, "green"), MEMORY, recogniser)
    assert recogniser.asked <= 3 * 12


@pytest.mark.parametrize("cut", [4, 8, 24, 48, 52, 56])
def test_what_is_remembered_goes_on_in_another_process(cut: int) -> None:
    script = scene(40, "green")
    frames = video(script, {"red": RED, "green": GREEN})
    whole, _ = tracked(script)
    first, second = (FrameLoop(1, Seen(script), remembering(MEMORY)) for _ in range(2))
    records: list[Any] = []
    for begin in range(0, cut, 4):
        for _ in first.over(frames[begin : begin + 4], 4):
            pass
        taken = first.checkpoint()
        records += taken.records
    kept, facts = json.loads(json.dumps([records, taken.facts]))
    second.restore(Checkpoint(kept, facts, load(save({name: value.clone() for name, value in taken.tensors.items()}))))
    for _ in second.over(frames[cut:], 4):
        pass
    found = second.finish()
    assert (found.tracks, found.events) == (whole.tracks, whole.events)


def test_videos_that_advance_together_remember_their_own_tracks_alone() -> None:
    scripts = {1: scene(40, "green"), 2: scene(30), 3: [{"red": RIGHT}] * 50}
    tracker = remembering(MEMORY)
    colours = {"red": RED, "green": GREEN}
    lanes = [
        Lane(key, FrameLoop(1, Seen(script), tracker), video(script, colours), 4) for key, script in scripts.items()
    ]
    for key, outcome in in_lockstep(tracker, lanes, 3):
        alone, _ = tracked(scripts[key])
        assert isinstance(outcome, VideoOutcome)
        assert (outcome.tracks, outcome.events) == (alone.tracks, alone.events)
