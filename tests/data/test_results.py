import gzip
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.fit import repeated_entries, require_fit
from vis_pipeline.data.results import read_results, tracks_from_json
from vis_pipeline.errors import DataError
from vis_pipeline.files import memory
from vis_pipeline.structures.splits import Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

HEIGHT, WIDTH = 6, 8
SPLIT = Split((Video(7, WIDTH, HEIGHT, 2, ("a/0.jpg", "a/1.jpg")),), (Category(3, "bear"),), None)
PIXELS = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
PIXELS[1:4, 2:7] = True
RLE = masks.encode(PIXELS[None])[0]


def entry(**changes: Any) -> dict[str, Any]:
    return {"video_id": 7, "category_id": 3, "score": 0.5, "segmentations": [RLE, None], **changes}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in entry().items() if name != key}


def written(folder: Path, content: Any, name: str = "results.json") -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refusal(path: Path, split: Split = SPLIT) -> str:
    with pytest.raises(DataError) as raised:
        read_results(path, split)
    text = str(raised.value)
    assert text.startswith(f"results {path}: ") and "\n" not in text and len(text) < 500
    return text.removeprefix(f"results {path}: ")


@pytest.mark.parametrize(
    "segmentation",
    [RLE, {"size": [HEIGHT, WIDTH], "counts": [13, 3, 3, 3, 3, 3, 3, 3, 3, 3, 8]}, [[2, 1, 7, 1, 7, 4, 2, 4]]],
    ids=["compressed", "uncompressed", "polygons"],
)
def test_every_form_of_mask_is_read_alike(tmp_path: Path, segmentation: Any) -> None:
    (result,) = read_results(written(tmp_path, [entry(segmentations=[None, segmentation])]), SPLIT)
    assert (result.video_id, result.category_id, result.score) == (7, 3, 0.5)
    first, second = result.segmentations
    assert first is None and second is not None
    np.testing.assert_array_equal(masks.decode(second), PIXELS)


def test_an_empty_list_is_legal(tmp_path: Path) -> None:
    assert read_results(written(tmp_path, []), SPLIT) == ()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (entry(video_id=8), "result 1 (video 8): the split has no such video"),
        (entry(category_id=4), "result 1 (video 7): the split has no category 4"),
        (entry(segmentations=[None] * 3), "result 1 (video 7): 3 segmentations, but the video has 2 frames"),
        (
            entry(segmentations=[None, {"size": [WIDTH, HEIGHT], "counts": [48]}]),
            "result 1 (video 7): frame 1: mask of size [8, 6], expected [6, 8]",
        ),
        (
            entry(segmentations=[None, {"size": [HEIGHT, WIDTH], "counts": [47]}]),
            "result 1 (video 7): frame 1: damaged RLE: the runs do not add up to the 48 pixels",
        ),
        (entry(segmentations=[None, [[1, 2, 3]]]), "result 1 (video 7): frame 1: polygon 0: 3 numbers"),
        (entry(score=float("nan")), "result 1 (video 7): score nan is not a finite number"),
        (entry(score=float("inf")), "result 1 (video 7): score inf is not a finite number"),
        (entry(score=None), "result 1 (video 7): score: Input should be a valid number, not null"),
        (entry(score="0.5"), 'result 1 (video 7): score: Input should be a valid number, not "0.5"'),
        (entry(score=10**400), "result 1 (video 7): score: Input should be a valid number"),
        (entry(category_id="3"), 'result 1 (video 7): category_id: Input should be a valid integer, not "3"'),
        (entry(category_id=3.0), "result 1 (video 7): category_id: Input should be a valid integer, not 3.0"),
        (entry(video_id=True), "result 1: video_id: Input should be a valid integer, not true"),
        (entry(segmentations={}), "result 1 (video 7): segmentations: Input should be a valid list, not an object"),
        (without("score"), "result 1 (video 7): `score` is missing"),
        (without("video_id"), "result 1: `video_id` is missing"),
        ([], "result 1: not an object but a list"),
        (None, "result 1: not an object but null"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_its_index_and_video(tmp_path: Path, wrong: Any, fault: str) -> None:
    assert refusal(written(tmp_path, [entry(), wrong])).startswith(fault)


def test_what_the_file_puts_into_a_message_is_cut(tmp_path: Path) -> None:
    size = {"size": list(range(100_000)), "counts": ""}
    assert refusal(written(tmp_path, [entry(segmentations=[size, None])])).startswith(
        "result 0 (video 7): frame 0: mask"
    )
    assert refusal(written(tmp_path, [entry(score="1\n" * 9999)])).startswith("result 0 (video 7): score: ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON, it is empty"),
        ("{}", "not a list of results, as YouTube-VIS asks, but an object"),
        ("null", "not JSON ('[' expected at character 0)"),
        (
            json.dumps([entry(), entry()])[:-20],
            "not JSON, or cut short (Unterminated string starting at character 211), after",
        ),
        (json.dumps([entry(), entry()])[:-1], "not JSON, or cut short (',' or ']' expected at character"),
        (json.dumps([entry(), entry()]) + "]", "not JSON (something follows its end, at character"),
        ('[{"video_id": 7, "video_id": 8}]', "an object has the key 'video_id' twice"),
        ("[" * 100_000, "nested too deeply"),
        (b"[\xff]", "not UTF-8 text"),
        (json.dumps([entry()]).encode("utf-16"), "not UTF-8 text"),
        (gzip.compress(b"[]", mtime=0), "compressed by gzip: unpack it first"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | bytes, fault: str) -> None:
    assert refusal(written(tmp_path, text)).startswith(fault)


def test_a_file_cut_short_is_said_to_be_so_after_its_last_whole_entry(tmp_path: Path) -> None:
    text = json.dumps([entry(), entry(), entry()])
    assert refusal(written(tmp_path, text[:-1])).endswith(", after result 2 (video 7)")
    assert refusal(written(tmp_path, text[:-30])).endswith(", after result 1 (video 7)")
    assert "after" not in refusal(written(tmp_path, text[:30]))


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere.json") == "cannot be read (No such file or directory)"
    assert refusal(tmp_path) == "holds no results.json; has the run finished?"
    written(tmp_path, [entry()])
    assert len(read_results(tmp_path, SPLIT)) == 1


def zipped(path: Path, member: str, text: str = "[]") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text)
    return path


def test_a_zip_is_known_by_its_content(tmp_path: Path) -> None:
    text = json.dumps([entry()])
    for name in ("submission.zip", "results.json"):
        assert len(read_results(zipped(tmp_path / name, "results.json", text), SPLIT)) == 1
    assert refusal(zipped(tmp_path / "f.zip", "run/results.json")) == (
        "holds no results.json at its top level, only run/results.json; zip it with no folder"
    )
    found = refusal(zipped(tmp_path / "g.zip", "other.json"))
    assert found == "holds no results.json at its top level; it holds other.json"


def test_a_damaged_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "submission.zip", "results.json", json.dumps([entry()] * 50))
    sound = path.read_bytes()
    path.write_bytes(sound[:60] + bytes(40) + sound[100:])
    assert refusal(path).startswith("not a readable zip (")
    path.write_bytes(sound[:-30])
    assert refusal(path).startswith("not a readable zip (")
    # The flag of encryption, in the archive's list and before the file itself.
    listed = sound.index(b"PK\x01\x02")
    path.write_bytes(sound[:6] + b"\x01" + sound[7 : listed + 8] + b"\x01" + sound[listed + 9 :])
    assert "encrypted" in refusal(path)


def test_more_than_the_memory_holds_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    assert refusal(written(tmp_path, [entry()] * 20)).startswith("needs about 0.0 GB of memory, and 0.0 GB are free")


def test_without_a_split_masks_say_their_size() -> None:
    results = tracks_from_json([entry(), entry(segmentations=[None])], "here")
    assert [result.segmentations for result in results] == [(RLE, None), (None,)]
    for wrong in ([[[1, 2, 3, 4, 5, 6]]], [{"size": [6], "counts": ""}], [7]):
        with pytest.raises(DataError, match=r"here: result 0 \(video 7\): frame 0: neither RLE nor null"):
            tracks_from_json([entry(segmentations=wrong)], "here")
    with pytest.raises(DataError, match=r"here: result 0 \(video 7\): frame 1: mask of size \[1, 48\], expected"):
        tracks_from_json([entry(segmentations=[RLE, {"size": [1, 48], "counts": [48]}])], "here")
    with pytest.raises(DataError, match="here: not a list"):
        tracks_from_json({}, "here")


def test_results_in_memory_must_fit_as_well() -> None:
    result = TrackResult(7, 3, 0.5, (RLE, None))
    require_fit([result], SPLIT)
    with pytest.raises(DataError, match=r"^result 1 \(video 7\): 1 segmentations, but the video has 2 frames"):
        require_fit([result, replace(result, segmentations=(RLE,))], SPLIT)


def test_repeated_entries_are_counted_and_named() -> None:
    result = TrackResult(7, 3, 0.5, (RLE, None))
    others = [replace(result, score=0.6), replace(result, segmentations=(None, RLE)), replace(result, category_id=4)]
    assert repeated_entries([result, *others]) is None
    assert repeated_entries([]) is None
    line = repeated_entries([result, *others, result, others[0], result, result])
    assert line == (
        "4 of 8 results repeat an earlier one: result 4 (video 7) is result 0 again, "
        "result 6 (video 7) is result 0 again, result 7 (video 7) is result 0 again, ..."
    )
