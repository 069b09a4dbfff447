"""`bench tdpa` as a user runs it: scenes in, results and a table out, one line for a file that is wrong."""

import json
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).resolve().parents[2].parent / "shared/data/tdpa_cases.json"


def detection(x: float, value: float) -> dict[str, Any]:
    return {"box": [x, 10, x + 20, 30], "vector": [value, 0]}


def scenes() -> dict[str, Any]:
    """The target moves on beside another, is gone for a frame, and is back where it was."""
    frames = [
        [detection(10, 0), detection(60, 3)],
        [detection(60, 3), detection(11, 0.1)],
        [detection(60, 3)],
        [detection(12, 0)],
    ]
    near = exp(-0.01)
    expected = [
        {"box": [11, 10, 31, 30], "present": True, "score": 1 + 1e-5 * near, "tracklets": 2},
        {"box": [11, 10, 31, 30], "present": False, "score": 0.5, "tracklets": 2},
        {"box": [12, 10, 32, 30], "present": True, "score": 0.1 + 0.9 * near + 1e-5, "tracklets": 3},
    ]
    return {
        "similarity": "exp(-squared distance of vectors)",
        "cases": [
            {"width": 100, "height": 50, "frames": frames, "expected": expected},
            {"width": 99.5, "height": 50, "frames": frames[:1]},
        ],
    }


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        path = tmp_path / "cases.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_scenes_are_followed(command, written, tmp_path: Path) -> None:
    code, out, err = command("bench", "tdpa", written(scenes()), "--json", tmp_path / "found.json")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    # One score of three is expected to be another.
    assert rows == [["0", "4", "6", "2", "3", "2", "of", "3"], ["1", "1", "2", "0", "1"]]
    found = json.loads((tmp_path / "found.json").read_text())
    first, second = found["cases"]
    assert second == {"frames": []}
    assert [list(frame) for frame in first["frames"]] == [["box", "present", "score", "tracklets"]] * 3
    assert [frame["box"][0] for frame in first["frames"]] == [11, 11, 12]
    assert [frame["present"] for frame in first["frames"]] == [True, False, True]
    assert [frame["tracklets"] for frame in first["frames"]] == [2, 2, 3]


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_file(), reason="the release's results are not beside this checkout")
def test_the_releases_results(command, tmp_path: Path) -> None:
    code, out, _ = command("bench", "tdpa", CASES, "--json", tmp_path / "found.json")
    assert code == 0
    assert "56 of 56" in out
    found = json.loads((tmp_path / "found.json").read_text())["cases"]
    for case, expected in zip(found, json.loads(CASES.read_text())["cases"], strict=True):
        assert len(case["frames"]) == len(expected["expected"])
        for frame, wanted in zip(case["frames"], expected["expected"], strict=True):
            assert frame == {**wanted, "score": pytest.approx(wanted["score"], abs=1e-12)}


def changed(*place: Any, value: Any) -> dict[str, Any]:
    """The scenes with one value in place of another; `...` takes the key away."""
    content: Any = scenes()
    inner = content
    for part in place[:-1]:
        inner = inner[part]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return content


FRAME = ("cases", 0, "frames", 2)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", ["not JSON"]),
        ('{"cases": [', ["not JSON"]),
        ("[" * 100_000, ["nested too deeply"]),
        ('{"cases": [' + "9" * 5000 + "]}", ["too many digits"]),
        ([], ["not an object"]),
        (changed("cases", value=...), ["`cases` is missing"]),
        (changed("cases", value=[]), ["cases: empty"]),
        (changed("cases", value=[3]), ["case 0: not an object but 3"]),
        (changed("similarity", value="cosine"), ["similarity", "'cosine'"]),
        (changed("cases", 1, "width", value=...), ["case 1: `width` is missing"]),
        (changed("cases", 0, "height", value=0), ["case 0: height", "not 0"]),
        (changed("cases", 0, "height", value="50"), ["case 0: height", 'not "50"']),
        (changed("cases", 0, "frames", value=...), ["case 0: `frames` is missing"]),
        (changed("cases", 0, "frames", value=[]), ["case 0: frames: empty"]),
        (changed("cases", 0, "frames", 0, value=[]), ["case 0, frame 0: lists no detection"]),
        (changed(*FRAME, value={"box": 1}), ["case 0, frame 2: not a list"]),
        (changed(*FRAME, 0, value=[[]]), ["case 0, frame 2, detection 0: not an object but a list"]),
        (changed(*FRAME, 0, "box", value=...), ["case 0, frame 2, detection 0: `box` is missing"]),
        (changed(*FRAME, 0, "box", value=[1, 2, 3]), ["case 0, frame 2, detection 0: box"]),
        (changed(*FRAME, 0, "box", value=[1, 2, 3, 4, 5]), ["case 0, frame 2, detection 0: box"]),
        (changed(*FRAME, 0, "box", 1, value=float("nan")), ["case 0, frame 2, detection 0: box.1", "NaN"]),
        (changed(*FRAME, 0, "box", 1, value=10**400), ["case 0, frame 2, detection 0: box.1"]),
        (changed(*FRAME, 0, "box", value=[9, 0, 8, 1]), ["case 0, frame 2, detection 0: box: x2"]),
        (changed(*FRAME, 0, "vector", value=...), ["case 0, frame 2, detection 0: `vector` is missing"]),
        (changed(*FRAME, 0, "vector", value=[]), ["case 0, frame 2, detection 0: vector: empty"]),
        (changed(*FRAME, 0, "vector", value=[1]), ["case 0, frame 2, detection 0: vector: its length is 1, in", " 2"]),
        (changed(*FRAME, 0, "vector", 0, value=float("inf")), ["detection 0: vector.0", "Infinity"]),
        (changed(*FRAME, 0, "vector", 0, value=[[1]]), ["detection 0: vector.0", "a list"]),
        (changed(*FRAME, 0, "vector", 0, value=True), ["detection 0: vector.0", "true"]),
        (changed("cases", 0, "expected", 2, value=...), ["case 0: expected: has 2 entries", "3 frames"]),
        (changed("cases", 0, "expected", 1, "score", value=...), ["case 0, frame 2: expected: `score` is missing"]),
        (changed("cases", 0, "expected", 1, "present", value=1), ["case 0, frame 2: expected: present"]),
    ],
)
def test_a_file_that_is_wrong_is_one_line(command, written, tmp_path: Path, content: Any, named: list[str]) -> None:
    code, out, err = command("bench", "tdpa", written(content), "--json", tmp_path / "found.json")
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("error: cases ")
    for words in ["cases.json: ", *named]:
        assert words in err
    assert not (tmp_path / "found.json").exists()


def test_a_file_that_is_not_there(command, tmp_path: Path) -> None:
    code, _, err = command("bench", "tdpa", tmp_path / "none.json")
    assert code == 2
    assert "none.json: cannot be read" in err


def test_results_that_cannot_be_written(command, written, tmp_path: Path) -> None:
    code, _, err = command("bench", "tdpa", written(scenes()), "--json", tmp_path / "none/found.json")
    assert code == 2
    assert "none/found.json: cannot be written" in err
