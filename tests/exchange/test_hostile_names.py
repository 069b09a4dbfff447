"""Names that are markup, paths, control characters or of any length, in every form: nothing leaves the folder."""

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from exchange_scenes import as_sets, block, notes, results, track, truth, video

from vis_pipeline.exchange.content import SplitTracks, VideoTracks
from vis_pipeline.exchange.forms import FORMS, conventions
from vis_pipeline.exchange.names import labels, xml_text
from vis_pipeline.structures.splits import Category, Video

NAMES = [
    "<script>alert('&amp;')</script>",
    "../../x",
    "/absolute",
    "..",
    "a" * 255,
    "é" * 127 + "x",
    "\u202e\u05e9\u05dc\u05d5\u05dd gpj.exe",
    "two\nlines\r\n\u2028more",
    "nul\x00byte\x1b[2J\x7f",
    "\ufffe\U0001f431",
    ".hidden",
    "CON",
    "Same",
    "same",
    "=1+1",
    "tracks.csv",
    "labels.txt",
    "]]>--\"'",
    " ",
]


def hostile() -> list[VideoTracks]:
    """A video and a category of each name, and in one video frames of such names."""
    found = []
    for identifier, name in enumerate(NAMES, start=1):
        place = video(identifier, 2, name=name)
        found.append(VideoTracks(place, [track(place, [block(1, 1, 5, 5), None], 0.5, identifier)]))
    frames = tuple(f"frames/{name.replace('/', '_')}.jpg" for name in NAMES)
    place = Video(99, 16, 12, len(frames), frames)
    found.append(VideoTracks(place, [track(place, [block(2, 2, 9, 9)] * len(frames), 0.25, 3)]))
    return found


CATEGORIES = [Category(identifier, name) for identifier, name in enumerate(NAMES, start=1)]


def content(tmp_path: Path) -> SplitTracks:
    plain = results(hostile(), CATEGORIES)
    return SplitTracks(plain.split, plain.videos, plain.tracks, tmp_path / "frames")


@pytest.mark.parametrize("form", list(FORMS))
def test_hostile_names(form: str, tmp_path: Path) -> None:
    out = tmp_path / "a/b/out"
    out.parent.mkdir(parents=True)
    given = content(tmp_path)
    FORMS[form].write(out, given, conventions(form, None), notes())
    outside = [path for path in tmp_path.rglob("*") if path != out and out not in path.parents]
    assert sorted(outside) == [tmp_path / "a", tmp_path / "a/b"]
    assert not [path for path in out.rglob("*") if path.is_symlink() or len(path.name.encode()) > 200]
    back = list(FORMS[form].read(out, given.split, conventions(form, None), notes()))
    expected = as_sets(given.tracks)
    if form == "mot-txt":
        # Blocks are their boxes.
        assert {video: {entry[3] for entry in entries} for video, entries in as_sets(back).items()} == {
            video: {entry[3] for entry in entries} for video, entries in expected.items()
        }
    assert as_sets(back) == expected


@pytest.mark.parametrize("form", ["mots-png", "mot-txt"])
def test_hostile_names_of_ground_truth(form: str, tmp_path: Path) -> None:
    given = truth(hostile(), CATEGORIES)
    FORMS[form].write(tmp_path / "out", given, conventions(form, None), notes())
    back = list(FORMS[form].read(tmp_path / "out", given.split, conventions(form, None), notes()))
    assert {video: {entry[0] for entry in entries} for video, entries in as_sets(back).items()} == {
        video: {entry[0] for entry in entries} for video, entries in as_sets(given.tracks).items()
    }


def test_json_keeps_names_as_they_are(tmp_path: Path) -> None:
    for form in ("coco", "cocovid"):
        FORMS[form].write(tmp_path / form, content(tmp_path), conventions(form, None), notes())
        written = json.loads((tmp_path / form).read_text())
        assert [entry["name"] for entry in written["categories"]] == NAMES
        assert FORMS[form].described_split(tmp_path / form).categories == tuple(CATEGORIES)


def test_xml_says_what_it_cannot_hold(tmp_path: Path) -> None:
    said = notes()
    FORMS["cvat"].write(tmp_path / "out", content(tmp_path), conventions("cvat", None), said)
    found = {path.stem: ElementTree.parse(path).getroot() for path in (tmp_path / "out").iterdir()}
    assert len(found) == len(NAMES) + 1
    root = next(iter(found.values()))
    called = [node.findtext("name") for node in root.iter("label")]
    assert called == [xml_text(name) if name.strip() else f"{name} ({len(NAMES)})" for name in NAMES]
    assert called[0] == NAMES[0]
    assert called[7] == NAMES[7]
    assert called[8] == "nul\\x00byte\\x1b[2J\x7f"
    assert any("3 categories have labels that are not their names" in line for line in said.lines())


def test_labels_are_unique() -> None:
    same = [Category(1, "a\x00"), Category(2, "a\\x00"), Category(3, "b"), Category(4, "")]
    assert labels(same) == {1: "a\\x00 (1)", 2: "a\\x00 (2)", 3: "b", 4: " (4)"}


def test_cells_are_no_formulas_and_one_line(tmp_path: Path) -> None:
    FORMS["csv"].write(tmp_path / "out.csv", content(tmp_path), conventions("csv", None), notes())
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["category"] for row in rows} >= {"'=1+1", "two\\x0alines\\x0d\\x0a\\x2028more"}
    assert len((tmp_path / "out.csv").read_text().splitlines()) == len(rows) + 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values() if cell)


def test_changed_names_are_said(tmp_path: Path) -> None:
    said = notes()
    FORMS["davis"].write(tmp_path / "out", content(tmp_path), conventions("davis", None), said)
    (line,) = [line for line in said.lines() if "names that no file can have" in line]
    assert line.isascii()
    assert "<script>" in line
    assert line.startswith("1")
