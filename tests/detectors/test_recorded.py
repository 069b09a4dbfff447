import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detectors.detection_entries import FoundObject
from detectors.recorded import RecordedDetections, Recording, detections_to_json, open_recording, scan_detections
from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Category, Split, Video

HEIGHT, WIDTH = 6, 8
SPLIT = Split(
    videos=(Video(3, WIDTH, HEIGHT, 2, ("a/0.jpg", "a/1.jpg")),),
    categories=(Category(5, "five"), Category(2, "two")),
    annotations=None,
)


def _frame(index: int, video_id: int = 3) -> Frame:
    return Frame(video_id, index, str(index), np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))


def _entry(**changes: Any) -> dict[str, Any]:
    mask = np.zeros((1, HEIGHT, WIDTH), dtype=bool)
    mask[0, 1:4, 2:7] = True
    entry = {
        "video_id": 3,
        "frame_index": 1,
        "category_id": 2,
        "score": 0.5,
        "segmentation": masks.encode(mask)[0],
        "bbox": [1.5, 1.0, 5.25, 3.0],
    }
    return {**entry, **changes}


def _written(path: Path, *entries: Any) -> Path:
    path.write_text(json.dumps(list(entries)))
    return path


def test_looks_up_by_video_and_frame(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry(frame_index=0, category_id=5), _entry(score=1, bbox=None))
    first, second = RecordedDetections(open_recording(path, SPLIT)).detect([_frame(0), _frame(1)])
    assert first.labels.tolist() == [5]
    assert second.labels.tolist() == [2, 2]
    assert second.scores.tolist() == [0.5, 1.0]
    assert second.boxes.tolist() == [[1.5, 1.0, 6.75, 4.0], [2.0, 1.0, 7.0, 4.0]]
    assert second.masks.sum().item() == 30 and second.masks[0, 1:4, 2:7].all()
    (none,) = RecordedDetections(open_recording(path, SPLIT)).detect([_frame(0, video_id=99)])
    assert len(none) == 0 and none.masks.shape == (0, HEIGHT, WIDTH)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    written = Detections(
        boxes=torch.tensor([[0.0, 0.0, 8.0, 6.0], [1.25, 2.5, 3.0, 5.5]]),
        scores=torch.tensor([0.123456, 1.0]),
        labels=torch.tensor([2, 5]),
        masks=torch.rand((2, HEIGHT, WIDTH), generator=generator) > 0.5,
    )
    path = _written(tmp_path / "d.json", *detections_to_json(3, 1, written))
    (read,) = RecordedDetections(open_recording(path, SPLIT)).detect([_frame(1)])
    for name in ("boxes", "scores", "labels", "masks"):
        torch.testing.assert_close(getattr(read, name), getattr(written, name))
    assert detections_to_json(3, 1, Detections.none(HEIGHT, WIDTH)) == []


def test_class_maps(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(category_id=77), _entry(category_id=78))
    with pytest.raises(DataError, match="entry 0: category 77 is unknown; give a --class-map that knows it"):
        open_recording(path, SPLIT)
    (found,) = RecordedDetections(open_recording(path, SPLIT, "agnostic")).detect([_frame(1)])
    assert found.labels.tolist() == [5, 5]
    with pytest.raises(ConfigError, match="class map common: is about names, and the detections state no `categories`"):
        open_recording(path, SPLIT, "common")
    table = tmp_path / "map.json"
    table.write_text(json.dumps({"77": "two", "78": None}))
    (found,) = RecordedDetections(open_recording(path, SPLIT, str(table))).detect([_frame(1)])
    assert found.labels.tolist() == [2]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"video_id": 4}, "no video 4"),
        ({"frame_index": 2}, "frame 2, but video 3 has 2 frames"),
        ({"frame_index": -1}, "frame_index"),
        ({"score": float("nan")}, "score"),
        ({"score": 1.5}, "score"),
        ({"segmentation": {"size": [8, 6], "counts": "04"}}, r"size \[8, 6\], expected \[6, 8\]"),
        ({"segmentation": 3}, "segmentation"),
        ({"bbox": [1, 2, -3, 4]}, "bbox"),
        ({"bbox": [1, 2, 3]}, "bbox"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry(**changes))
    with pytest.raises(DataError, match=words) as caught:
        open_recording(path, SPLIT)
    assert "entry 1" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "3"])
def test_a_file_that_is_not_a_list_of_detections(tmp_path: Path, content: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"detections .*d\.json: "):
        open_recording(path, SPLIT)
    with pytest.raises(DataError, match="cannot be read"):
        open_recording(tmp_path / "none.json", SPLIT)


TWO = replace(SPLIT, videos=(*SPLIT.videos, Video(8, WIDTH, HEIGHT, 4, tuple(f"b/{index}.jpg" for index in range(4)))))
NAMES = [{"id": 70, "name": "Two"}, {"id": 71, "name": "five"}]


def _labels(path: Path, class_map: str | None = None, split: Split = SPLIT) -> list[int]:
    (found,) = RecordedDetections(open_recording(path, split, class_map)).detect([_frame(1)])
    return found.labels.tolist()


@given(
    entries=st.lists(st.tuples(st.sampled_from([3, 8]), st.integers(0, 1), st.text("a\u00e4\u72d7", max_size=3))),
    layout=st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}]),
    within=st.booleans(),
)
def test_a_video_has_its_entries_in_the_order_of_the_file_however_the_videos_are_mixed(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[int, int, str]],
    layout: dict[str, Any],
    within: bool,
) -> None:
    content = [
        _entry(video_id=video, frame_index=frame, score=number / 100, note=note)
        for number, (video, frame, note) in enumerate(entries)
    ]
    whole = {"info": ["\u72d7"], "detections": content, "categories": [{"id": 2, "name": "two"}]} if within else content
    path = tmp_path_factory.mktemp("mixed") / "d.json"
    path.write_text(json.dumps(whole, **layout), encoding="utf-8")
    detector = RecordedDetections(open_recording(path, TWO))
    for video in (8, 3, 8):
        for frame in (1, 0):
            (found,) = detector.detect([_frame(frame, video)])
            expected = [number / 100 for number, entry in enumerate(entries) if entry[:2] == (video, frame)]
            assert found.scores.tolist() == pytest.approx(expected)


def test_a_video_is_read_once_where_several_go_on_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(
        tmp_path / "d.json", *(_entry(video_id=video, frame_index=frame) for video in (3, 8) for frame in (0, 1))
    )
    asked: list[int] = []
    of_video = Recording.of_video

    def noted(recording: Recording, video_id: int) -> list[FoundObject]:
        asked.append(video_id)
        return of_video(recording, video_id)

    monkeypatch.setattr(Recording, "of_video", noted)
    detector = RecordedDetections(open_recording(path, TWO), videos_in_memory=2)
    for frame in (0, 1):
        for video in (3, 8):
            assert len(detector.detect([_frame(frame, video)])[0]) == 1
    assert asked == [3, 8]


def test_a_recording_holds_no_detection(tmp_path: Path) -> None:
    """What travels to each worker does not grow with the number of detections in a video."""
    few = _written(tmp_path / "few.json", _entry())
    many = _written(tmp_path / "many.json", *[_entry()] * 3000)
    sizes = [len(pickle.dumps(open_recording(path, SPLIT))) for path in (few, many)]
    assert sizes[1] < sizes[0] + 50
    assert len(open_recording(many, SPLIT).of_video(3)) == 3000


def test_stated_categories_reach_those_of_the_split_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    entries = [_entry(category_id=70), _entry(category_id=71)]
    path.write_text(json.dumps({"categories": NAMES, "detections": entries}))
    assert _labels(path) == [2, 5]
    assert _labels(path, "agnostic") == [5, 5]
    (tmp_path / "map.json").write_text(json.dumps({"Two": None, "five": "two"}))
    assert _labels(path, str(tmp_path / "map.json")) == [2]
    other = replace(SPLIT, categories=(Category(1, "five"),))
    with pytest.raises(
        ConfigError, match="class map by-name: detector class 'Two' maps to 'Two', which the split lacks"
    ):
        open_recording(path, other)
    assert _labels(path, "common", other) == [1]
    path.write_text(json.dumps({"detections": [*entries, _entry(category_id=2)], "categories": NAMES}))
    with pytest.raises(DataError, match=r"d\.json: entry 2: category 2 is unknown; `categories` lacks it"):
        open_recording(path, SPLIT)


def test_without_a_split_categories_are_the_stated_ones_or_numbered(tmp_path: Path) -> None:
    entries = [_entry(category_id=71), _entry(category_id=70)]
    plain = scan_detections(_written(tmp_path / "plain.json", *entries), SPLIT.videos)
    categories, recording = plain.as_they_are()
    assert categories == (Category(70, "70"), Category(71, "71"))
    assert [entry.category_id for entry in recording.of_video(3)] == [71, 70]
    path = tmp_path / "named.json"
    path.write_text(json.dumps({"detections": entries, "categories": NAMES}))
    categories, recording = scan_detections(path, SPLIT.videos).as_they_are()
    assert categories == (Category(70, "Two"), Category(71, "five"))
    assert [entry.category_id for entry in recording.of_video(3)] == [71, 70]
    none, _ = scan_detections(_written(tmp_path / "none.json"), SPLIT.videos).as_they_are()
    assert none == (Category(1, "1"),)


def test_one_video_need_not_be_named_and_frames_may_have_cocos_key(tmp_path: Path) -> None:
    bare = {"image_id": 1, "category_id": 2, "score": 0.5, "segmentation": [[2, 1, 7, 1, 7, 4, 2, 4]]}
    path = _written(tmp_path / "d.json", bare)
    (found,) = RecordedDetections(open_recording(path, SPLIT)).detect([_frame(1)])
    assert found.boxes.tolist() == [[2.0, 1.0, 7.0, 4.0]]
    with pytest.raises(DataError, match="entry 0: `video_id` is missing, and there are 2 videos"):
        open_recording(path, TWO)
    with pytest.raises(DataError, match="no video 4; the only one is 3, and `video_id` may be left out"):
        open_recording(_written(path, _entry(video_id=4)), SPLIT)
    with pytest.raises(DataError, match="the split has no video 4"):
        open_recording(_written(path, _entry(video_id=4)), TWO)


@pytest.mark.parametrize(
    "content, words",
    [
        ({"videos": []}, "neither a list of detections nor an object with `detections`; is it a split"),
        ({"detections": [], "categories": []}, "categories: empty"),
        ({"detections": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}, "category id 1"),
        ({"detections": {}}, r"'\[' expected"),
        ([3], "entry 0: not an object but 3"),
        ([_entry(), {"frame_index": 0}], "entry 1: `category_id` is missing"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=words) as caught:
        open_recording(path, SPLIT)
    assert str(caught.value).startswith(f"detections {path}: ")


def test_a_file_cut_short_is_named_with_its_last_whole_entry(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry())
    path.write_text(path.read_text()[:-30])
    with pytest.raises(DataError, match=r"d\.json: not JSON, or cut short .*, after entry 0"):
        open_recording(path, SPLIT)


def test_a_folder_has_a_file_a_video(tmp_path: Path) -> None:
    folder = tmp_path / "run/detections"
    folder.mkdir(parents=True)
    _written(folder / "3.json", _entry(category_id=70), _entry(category_id=71, video_id=None))
    for path in (folder, folder.parent):
        with pytest.raises(DataError, match=r"no 8\.json there for video 8 \(b\); a run writes them with --save-det"):
            open_recording(path, TWO)
    _written(folder / "8.json")
    _written(folder / "12.json", "of another split, and never read")
    for path in (folder, folder.parent):
        with pytest.raises(DataError, match=r"3\.json: entry 0: category 70 is unknown"):
            open_recording(path, TWO)
    _written(folder / "categories.json", *NAMES)
    for path in (folder, folder.parent):
        assert _labels(path, None, TWO) == [2, 5]
    _written(folder / "8.json", _entry())
    with pytest.raises(DataError, match=r"8\.json: entry 0: there is no video 3; the only one is 8"):
        open_recording(folder, TWO)


def test_a_file_that_changes_after_it_was_gone_through_is_an_error(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry())
    recording = open_recording(path, SPLIT)
    text = path.read_text()
    for changed in (text + " ", text.replace('"video_id"', "'video_id'"), text.replace('": 2,', '": 5,')):
        path.write_text(changed)
        with pytest.raises(DataError, match=r"d\.json: has changed since the run began"):
            recording.of_video(3)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        recording.of_video(3)
