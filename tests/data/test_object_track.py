import json

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.object_track import read_object_track
from vis_pipeline.errors import DataError

SQUARE = [[1.0, 2.0], [4.0, 2.0], [4.0, 6.0], [1.0, 6.0]]


def _entry(name, mask=None, **changes):
    entry = {"frame": name, "box": [1, 2, 3, 4.5], "score": 0.5, "segmentation": mask, "rotated_box": SQUARE}
    return {**entry, **changes}


def _rle(height=8, width=10):
    mask = np.zeros((1, height, width), bool)
    mask[0, 2:6, 1:4] = True
    return masks.encode(mask)[0]


def _read(folder, content):
    path = folder / "track.json"
    path.write_text(json.dumps(content))
    return read_object_track(path)


def test_what_is_there_is_read(tmp_path):
    content = {"source": "/frames/clip", "height": 8, "width": 10, "preset": "vot", "stages": 2, "weights": "bundled:x"}
    track = _read(tmp_path, {**content, "frames": [_entry("a.jpg"), _entry("b.jpg", _rle())]})
    assert list(track.found) == ["a.jpg", "b.jpg"]
    assert (str(track.source), track.size) == ("/frames/clip", (8, 10))
    assert track.facts == ["preset vot", "two stages", "bundled:x"]
    first, second = track.found.values()
    np.testing.assert_array_equal(first.box, [1, 2, 3, 4.5])
    np.testing.assert_array_equal(first.rotated_box, SQUARE)
    assert (first.score, first.mask, second.mask) == (0.5, None, _rle())


def test_a_file_of_earlier_versions_holds_its_frames_alone(tmp_path):
    track = _read(tmp_path, {"frames": [_entry(0), _entry(1, _rle())]})
    assert list(track.found) == ["0", "1"]
    assert (track.source, track.size, track.facts) == (None, (8, 10), [])
    assert _read(tmp_path, {"frames": [_entry(0)]}).size is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "a list, not the track of one object"),
        ({}, "`frames` is missing"),
        ({"frames": []}, "frames: empty"),
        ({"frames": [_entry("a", box=[1, 2, 3])]}, "frames.0.box"),
        ({"frames": [_entry("a", box=[1, 2, 3, "4"])]}, "frames.0.box.3"),
        ({"frames": [_entry("a", score=None)]}, "frames.0.score"),
        ({"frames": [_entry("a", rotated_box=[[1, 2]] * 3)]}, "frames.0.rotated_box"),
        ({"frames": [_entry("a"), _entry("a")]}, "frame a is there more than once"),
        ({"frames": [_entry("a", _rle()), _entry("b", _rle(9, 9))]}, r"frame 1: mask of size \[9, 9\]"),
        ({"frames": [_entry("a", {"size": [8, 10], "counts": "zzzz"})]}, "frame 0: "),
        ({"frames": [_entry("a", "mask")]}, "frame 0: segmentation of type str"),
        ({"height": 10**9, "width": 10**9, "frames": [_entry("a", {"size": [10**9] * 2, "counts": "0"})]}, "more than"),
    ],
)
def test_faults_are_one_line(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        _read(tmp_path, content)
    assert str(caught.value).startswith(f"track {tmp_path / 'track.json'}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "null", '{"frames": [NaN]}', "[" * 5000])
def test_what_is_no_json_object_is_one_line(tmp_path, text):
    (tmp_path / "track.json").write_text(text)
    with pytest.raises(DataError, match=r"^track "):
        read_object_track(tmp_path / "track.json")


def test_infinite_numbers_are_refused(tmp_path):
    (tmp_path / "track.json").write_text(json.dumps({"frames": [_entry("a", box=[1, 2, 3, 1e400])]}))
    with pytest.raises(DataError, match="track "):
        read_object_track(tmp_path / "track.json")
