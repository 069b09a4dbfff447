"""Edits of one video, against the same edits done to dense masks."""

import numpy as np
import pytest
from dense_edits import CannotBeDoneError, Cell, DenseVideo
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline import masks
from vis_pipeline.corrections.apply import Corrected, apply
from vis_pipeline.corrections.edit_list import edits_from_json
from vis_pipeline.corrections.events import corrected_events
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.visualize.provenance import predicted_frames

SIZE = (2, 3)
VIDEO = 3


def numbered(*edits):
    return list(enumerate(edits_from_json({"run": "abc", "edits": [{"video": VIDEO, **edit} for edit in edits]}).edits))


def track(score, text, category=1):
    """A letter a frame: `d` detected, `p` predicted, `.` no mask; each frame's mask tells the track and the frame."""
    cells = []
    for frame, letter in enumerate(text):
        mask = np.zeros(SIZE, dtype=bool)
        mask.flat[frame % mask.size] = mask.flat[int(8 * score) % mask.size] = True
        cells.append(None if letter == "." else Cell(mask, score, letter == "p"))
    return category, score, cells


def as_result(dense):
    category, score, cells = dense
    rles = [None if cell is None else masks.encode(cell.mask[None])[0] for cell in cells]
    return TrackResult(VIDEO, category, float(score), tuple(rles))


def shown(result):
    return "".join("." if rle is None else "m" for rle in result.segmentations)


def done(tracks, *edits) -> Corrected:
    return apply(numbered(*edits), [as_result(dense) for dense in tracks])


scores = st.integers(0, 8).map(lambda eighths: eighths / 8)


@st.composite
def videos(draw):
    length = draw(st.integers(1, 6))
    text = st.text("dp.", min_size=length, max_size=length)
    return [track(draw(scores), draw(text), draw(st.integers(1, 3))) for _ in range(draw(st.integers(1, 4)))]


def edits(draw, dense):
    """An edit of what is there, and now and then of what is not."""
    there = st.sampled_from(sorted(dense.alive) or [(0, 0)])
    handles = st.one_of(there, there, there, there, st.tuples(st.integers(0, 3), st.integers(0, 2)))
    operation = draw(st.sampled_from(["join", "join", "split", "split", "delete", "rename"]))
    if operation == "join":
        several = draw(st.lists(handles, min_size=2, max_size=3, unique=True))
        return {"op": operation, "tracks": [track for track, _ in several], "parts": [part for _, part in several]}
    index, part = draw(handles)
    more = {"split": {"frame": draw(st.integers(0, 6))}, "rename": {"category": draw(st.integers(1, 9))}}
    return {"op": operation, "track": index, "part": part, **more.get(operation, {})}


def events_of(tracks):
    """What a tracker would have said of these tracks, numbered 10, 11, ... from the last one on."""
    numbers = [10 + len(tracks) - 1 - result for result in range(len(tracks))]
    events = []
    for result, (_, _, cells) in enumerate(tracks):
        for frame, cell in enumerate(cells):
            kinds = (
                ["predicted" if cell.predicted else "matched"]
                if cell
                else [["predicted", "cut"], ["hidden"]][frame % 2]
            )
            events += [{"frame": frame, "kind": kind, "track": numbers[result]} for kind in kinds]
        last = len(cells) - 1
        events.append({"frame": last, "kind": "reported", "track": numbers[result], "reason": f"result {result}"})
    return [*events, {"frame": 0, "kind": "refused", "detection": 7}, {"frame": 0, "kind": "dropped", "track": 4}]


@given(st.data())
def test_edits_do_what_they_do_to_dense_masks(data):
    tracks = data.draw(videos())
    dense, wanted = DenseVideo(tracks), []
    for index in range(data.draw(st.integers(0, 6))):
        edit = edits(data.draw, dense)
        wanted.append(edit)
        try:
            dense.do(edit)
        except CannotBeDoneError:
            with pytest.raises(DataError, match=rf"^edit {index} \({edit['op']}\): video {VIDEO}: "):
                done(tracks, *wanted)
            wanted.pop()
            break
    corrected = done(tracks, *wanted)
    assert len(corrected.tracks) == len(dense.left())
    events = corrected_events(events_of(tracks), numbered(*wanted), corrected)
    predicted = predicted_frames(events, len(corrected.tracks), "events")
    for result, known, (category, score, cells) in zip(corrected.tracks, predicted, dense.left(), strict=True):
        assert (result.video_id, result.category_id) == (VIDEO, category)
        assert result.score == pytest.approx(float(score), abs=1e-12)
        assert result.segmentations == as_result((category, 0, cells)).segmentations
        there = {frame for frame, cell in enumerate(cells) if cell is not None}
        assert known & there == {frame for frame in there if cells[frame].predicted}


def test_without_edits_nothing_changes():
    tracks = [track(0.1, "dd."), track(0.7, "...")]
    corrected = done(tracks)
    assert corrected.tracks == tuple(as_result(dense) for dense in tracks)
    assert corrected_events(events_of(tracks)[:3], [], corrected) == events_of(tracks)[:3]


def test_a_joined_track_shows_the_better_scored_mask():
    tracks = [track(0.5, "dd..", 4), track(0.25, ".ddd", 5), track(0.75, "...d", 6)]
    corrected = done(tracks, {"op": "join", "tracks": [1, 0, 2]})
    (joined,) = corrected.tracks
    assert shown(joined) == "mmmm"
    origins = [as_result(tracks[origin]).segmentations[frame] for frame, origin in enumerate((0, 0, 1, 2))]
    assert list(joined.segmentations) == origins
    assert joined.category_id == 5
    assert joined.score == (0.5 + 0.5 + 0.25 + 0.75) / 4
    assert corrected.masks_left_out == {0: 2}


def test_two_identities_that_changed_places_change_back():
    tracks = [track(0.5, "dddd", 1), track(0.25, "dddd", 2)]
    splits = [{"op": "split", "track": index, "frame": 2} for index in (0, 1)]
    joins = [{"op": "join", "tracks": [0, 1], "parts": [0, 1]}, {"op": "join", "tracks": [1, 0], "parts": [0, 1]}]
    first, second = done(tracks, *splits, *joins).tracks
    own = [as_result(dense).segmentations for dense in tracks]
    assert first.segmentations == own[0][:2] + own[1][2:]
    assert second.segmentations == own[1][:2] + own[0][2:]
    assert first.score == second.score == 0.375
    assert (first.category_id, second.category_id) == (1, 2)


def test_a_split_that_undoes_a_join_gives_back_the_scores():
    tracks = [track(0.3, "ddd..."), track(0.7, "....dd")]
    corrected = done(tracks, {"op": "join", "tracks": [0, 1]}, {"op": "split", "track": 0, "frame": 4})
    assert [result.score for result in corrected.tracks] == [0.3, 0.7]
    assert [shown(result) for result in corrected.tracks] == ["mmm...", "....mm"]


def test_what_is_split_off_follows_its_track():
    tracks = [track(0.5, "dddd"), track(0.25, "dddd")]
    corrected = done(
        tracks,
        {"op": "split", "track": 0, "frame": 3},
        {"op": "split", "track": 0, "frame": 1},
        {"op": "rename", "track": 0, "part": 2, "category": 9},
        {"op": "delete", "track": 1},
    )
    assert [shown(result) for result in corrected.tracks] == ["m...", "...m", ".mm."]
    assert [str(handle) for handle in corrected.handles] == ["track 0", "track 0, part 1", "track 0, part 2"]
    assert [result.category_id for result in corrected.tracks] == [1, 1, 9]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"op": "delete", "track": 2}, "there is no track 2; it has 2, from 0"),
        ({"op": "rename", "track": 0, "part": 1, "category": 1}, "there is no track 0, part 1: no split before this"),
        ({"op": "split", "track": 0, "frame": 0}, "track 0 has nothing on one side of frame 0: .* frames 0 to 1"),
        ({"op": "split", "track": 0, "frame": 2}, "track 0 has nothing on one side of frame 2: .* frames 0 to 1"),
        ({"op": "split", "track": 0, "frame": 99}, "track 0 has nothing on one side of frame 99"),
        ({"op": "split", "track": 1, "frame": 1}, "track 1 has nothing on one side of frame 1: it has no masks"),
    ],
)
def test_what_cannot_be_done_is_named(edit, reason):
    with pytest.raises(DataError, match=rf"^edit 0 \({edit['op']}\): video 3: {reason}"):
        done([track(0.5, "dd."), track(0.5, "...")], edit)


@pytest.mark.parametrize(
    ("first", "fate"),
    [
        ({"op": "delete", "track": 1}, "track 1 was deleted before"),
        ({"op": "join", "tracks": [0, 1]}, "track 1 was joined to track 0 before"),
    ],
)
def test_what_is_gone_is_not_edited(first, fate):
    with pytest.raises(DataError, match=rf"^edit 1 \(rename\): video 3: {fate}$"):
        done([track(0.5, "d"), track(0.5, "d")], first, {"op": "rename", "track": 1, "category": 2})


def test_a_video_without_tracks_has_nothing_to_edit():
    assert done([]).tracks == ()
    with pytest.raises(DataError, match=r"^edit 0 \(delete\): video 3 has no tracks$"):
        done([], {"op": "delete", "track": 0})


def test_events_tell_what_was_done_by_hand():
    tracks = [track(0.5, "dp.."), track(0.25, ".ddd"), track(0.75, "dddd")]
    wanted = [
        {"op": "join", "tracks": [0, 1]},
        {"op": "split", "track": 0, "frame": 3},
        {"op": "rename", "track": 0, "part": 1, "category": 2},
        {"op": "delete", "track": 2},
    ]
    events = corrected_events(events_of(tracks), numbered(*wanted), done(tracks, *wanted))
    # Numbers 12, 11, 10 are results 0, 1, 2; 4 never was one, and 13 is the next.
    kept = [(event["frame"], event["kind"], event.get("track")) for event in events]
    assert kept[:6] == [
        (0, "matched", 12),
        (1, "predicted", 12),
        (2, "matched", 12),
        (3, "matched", 13),
        (0, "refused", None),
        (0, "dropped", 4),
    ]
    assert [(event["frame"], event["kind"], event["track"], event["reason"]) for event in events[6:]] == [
        (3, "corrected", 12, "track 11 joined to it by hand"),
        (3, "corrected", 13, "split from track 12 by hand"),
        (3, "corrected", 13, "renamed to class 2 by hand"),
        (3, "reported", 12, "result 0"),
        (3, "reported", 13, "result 1"),
        (3, "dropped", 11, "joined to track 12 by hand"),
        (3, "dropped", 10, "deleted by hand"),
    ]


def test_a_track_that_was_known_again_goes_with_its_frames():
    """Number 11 was born in frame 2 and known as number 10 in frame 3; 10 is result 0."""
    events = [
        {"frame": 0, "kind": "born", "track": 10},
        {"frame": 2, "kind": "born", "track": 11},
        {"frame": 3, "kind": "recalled", "track": 10, "reason": "track 11 goes on as it"},
        {"frame": 3, "kind": "dropped", "track": 11, "reason": "too few detections"},
        {"frame": 3, "kind": "reported", "track": 10, "reason": "result 0"},
    ]
    tracks = [track(0.5, "d.dd")]

    def told(*edits):
        carried = corrected_events(events, numbered(*edits), done(tracks, *edits))
        return [(event["frame"], event["kind"], event["track"]) for event in carried if event["kind"] != "corrected"]

    recalled, dropped = (3, "recalled", 10), (3, "dropped", 11)
    rename, split = {"op": "rename", "track": 0, "category": 2}, {"op": "split", "track": 0, "frame": 2}
    assert told(rename) == [(0, "born", 10), (2, "born", 11), recalled, dropped, (3, "reported", 10)]
    split_off = [(2, "born", 12), (3, "recalled", 12), dropped]
    assert told(split) == [(0, "born", 10), *split_off, (3, "reported", 10), (3, "reported", 12)]
    assert told({"op": "delete", "track": 0}) == [dropped, (3, "dropped", 10)]


@pytest.mark.parametrize("event", [7, {"frame": 0}, {"frame": 4, "kind": "born", "track": 0}])
def test_what_is_no_event_is_named(event):
    with pytest.raises(DataError, match=r"^event 0: "):
        corrected_events([event], [], done([track(0.5, "dd..")]))
