"""Files damaged in every way: never a traceback, never another score than the literal protocol has for the file."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import command_line
from literal_oracle import oracle_scores
from pycocotools import mask as coco_mask

HEIGHT, WIDTH, FRAMES = 6, 7, 2
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
# Whole numbers are small or beyond every picture, so that nobody is asked to paint gigabytes.
JUNK = [
    *(None, True, False, 0, 1, 2, 3, 5, -1, 10**13, 10**400, -(10**20), 0.5, 1.0, 2.0, -0.0, 1e-320, 1e308),
    *(float("nan"), float("inf"), -float("inf"), "", "1", "x", "\x00", "\ud800", "é\n", "[/red]", "P0", "0" * 40),
    *([], {}, [[]], [None], [1, 2, 3], [[0, 0, 4, 0, 4, 4]], [[0, 0, 1e9, 0, 4, 4]], [[None] * 6], [HEIGHT, WIDTH]),
    *({"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}, {"size": [HEIGHT, WIDTH], "counts": [0, 0, 20, 0, 22]}),
    *({"size": [0, 0], "counts": ""}, json.loads("[" * 60 + "]" * 60)),
]
TEXT_JUNK = [
    "",
    "\ufeff",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"',
    "\\",
    "\\ud800",
    "NaN",
    "null",
    "9" * 5000,
    '"id": 1, ',
    "[",
]


def dense(mask: int) -> np.ndarray:
    pixels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    pixels[1 : 2 + mask, mask : mask + 4] = 1
    return pixels


def compressed(mask: int) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(dense(mask)))
    return {"size": [HEIGHT, WIDTH], "counts": rle["counts"].decode()}


def uncompressed(mask: int) -> dict[str, Any]:
    pixels = dense(mask).T.ravel()
    edges = np.flatnonzero(np.diff(pixels)) + 1
    return {"size": [HEIGHT, WIDTH], "counts": np.diff([0, *edges, pixels.size]).tolist()}


def polygon(mask: int) -> list[list[float]]:
    return [[mask, 1, mask + 4, 1, mask + 4, 2 + mask, mask, 2.0 + mask]]


MASKS = [None, *(form(mask) for mask in range(3) for form in (compressed, uncompressed, polygon))]


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A sound split of two videos and two categories, and sound results."""

    def tracks(**fields: Any) -> dict[str, Any]:
        masks = [copy.deepcopy(draw(st.sampled_from(MASKS))) for _ in range(FRAMES)]
        return {
            "video_id": draw(st.integers(1, 2)),
            "category_id": draw(st.integers(0, 1)),
            "segmentations": masks,
        } | fields

    split = {
        "info": {"year": 2021},
        "videos": [
            {
                "id": i,
                "width": WIDTH,
                "height": HEIGHT,
                "length": FRAMES,
                "file_names": [f"{i}/{k}.jpg" for k in (0, 1)],
            }
            for i in (2, 1)
        ],
        "categories": [{"id": 1, "name": "[/cat]"}, {"id": 0, "name": "dog\n\u00e9"}],
        "annotations": [tracks(id=i, iscrowd=int(i == 3)) for i in range(draw(st.integers(1, 4)))],
    }
    if draw(st.booleans()):
        split["annotations"][0]["areas"] = draw(st.sampled_from([[4, None], [128.0**2, 0], [9.5, 3]]))
    if draw(st.booleans()):
        for annotation in split["annotations"]:
            annotation["occlusion"] = ["slight_occlusion", draw(st.sampled_from([None, "severe_occlusion"]))]
    scores = st.sampled_from([0.25, 0.5, 0.75, 1])
    return split, [tracks(score=draw(scores)) for _ in range(draw(st.integers(0, 5)))]


def places(content: Any) -> list[tuple[Any, Any]]:
    """Every list or object with each of its indices or keys, the outermost first."""
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else []
    return [(content, key) for key in keys] + [place for key in keys for place in places(content[key])]


def damage(draw: st.DrawFn, content: Any) -> None:
    """Change one value somewhere inside."""
    found = places(content)
    if not found:
        return
    holder, key = found[draw(st.integers(0, len(found) - 1))]
    kind = draw(st.sampled_from(["junk", "junk", "junk", "remove", "again", "swap", "flip"]))
    if kind == "junk":
        holder[key] = copy.deepcopy(JUNK[draw(st.integers(0, len(JUNK) - 1))])
    elif kind == "remove":
        del holder[key]
    elif isinstance(holder, list) and kind == "again":
        holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(holder[key]))
    elif isinstance(holder, list) and kind == "swap":
        holder[key], holder[0] = holder[0], holder[key]
    elif isinstance(holder[key], str) and holder[key]:
        at = draw(st.integers(0, len(holder[key]) - 1))
        holder[key] = holder[key][:at] + draw(st.characters(codec="utf-8")) + holder[key][at + 1 :]


def damaged_text(draw: st.DrawFn, text: bytes) -> bytes:
    """Cut the file short, or put a byte or a few characters in place of some."""
    first, last = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    kind = draw(st.sampled_from(["cut", "byte", "insert"]))
    if kind == "cut":
        return text[:last]
    if kind == "byte":
        return text[:first] + draw(st.binary(min_size=1, max_size=1)) + text[first + 1 :]
    return text[:first] + draw(st.sampled_from(TEXT_JUNK)).encode() + text[first:]


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[bytes, bytes]:
    contents = draw(files())
    for _ in range(draw(st.integers(0, 3))):
        damage(draw, contents[draw(st.integers(0, 1))])
    if draw(st.booleans()):
        contents[1].extend(copy.deepcopy(contents[1][:1]))
    # The annotations may come before what they are read by.
    order = draw(st.sampled_from([1, -1]))
    ordered = dict(list(contents[0].items())[::order])
    split, results = (json.dumps(content).encode() for content in (ordered, contents[1]))
    if draw(st.integers(0, 3)) == 0:
        split = damaged_text(draw, split)
    if draw(st.integers(0, 3)) == 0:
        results = damaged_text(draw, results)
    return split, results


def run(folder: Path, split: bytes, results: bytes) -> tuple[int, str, dict[str, Any] | None]:
    """Exit code, what the command says beside its tables, and the scores it wrote."""
    (folder / "gt.json").write_bytes(split)
    (folder / "results.json").write_bytes(results)
    scores = folder / "scores.json"
    scores.unlink(missing_ok=True)
    code, said = command_line("evaluate", folder / "results.json", "--gt", folder / "gt.json", "--json", scores)
    return code, said, json.loads(scores.read_text()) if scores.exists() else None


def in_one_form(segmentation: Any, height: int, width: int) -> Any:
    """The mask as compressed RLE, each form brought there by its definition."""
    if segmentation is None or segmentation == []:
        return None
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    counts = segmentation["counts"]
    if isinstance(counts, str):
        return segmentation
    pixels = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8)
    return coco_mask.encode(np.asfortranarray(pixels.reshape(width, height).T))


def literal_scores(split: bytes, results: bytes) -> dict[str, Any]:
    truth, found = (json.loads(file.decode("utf-8-sig")) for file in (split, results))
    sizes = {video["id"]: (video["height"], video["width"]) for video in truth["videos"]}
    for entry in (*truth["annotations"], *found):
        entry["segmentations"] = [in_one_form(mask, *sizes[entry["video_id"]]) for mask in entry["segmentations"]]
        if entry.get("areas", ()) is None:
            del entry["areas"]
    return oracle_scores(truth, found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=int(os.environ.get("FUZZ_CASES", 1000)), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_refused_in_one_line_or_scored_as_the_file_says(folder: Path, data: st.DataObject) -> None:
    split, results = data.draw(damaged_files())
    code, said, scores = run(folder, split, results)
    lines = [line for line in said.splitlines() if not line.startswith("warning: ")]
    if code:
        assert code == 2 and len(lines) == 1 and scores is None, said
        files_named = (f"error: split {folder}/gt.json: ", f"error: results {folder}/results.json: ")
        assert lines[0].startswith((*files_named, "error: annotation ")), said
        return
    assert not lines, said
    assert scores is not None
    expected = literal_scores(split, results)
    assert {name: scores[name] for name in NAMES} == {name: pytest.approx(expected[name], abs=1e-9) for name in NAMES}


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(files())
def test_sound_files_of_all_forms_are_never_refused(
    folder: Path, sound: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    split, results = (json.dumps(content).encode() for content in sound)
    code, said, scores = run(folder, split, results)
    assert code == 0, said
    assert scores is not None
    expected = literal_scores(split, results)
    assert scores["AP"] == pytest.approx(expected["AP"], abs=1e-9)
    assert scores["AR100"] == pytest.approx(expected["AR100"], abs=1e-9)
