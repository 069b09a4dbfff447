"""A split on disk: what the issue asks of it, recounted from `instances.json`, and its faults."""

import hashlib
import json
import sys

import cv2
import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.cli import app as application
from vis_pipeline.errors import DataError
from vis_pipeline.synthesis.procedural import CATEGORY_NAMES, HARD, NORMAL, write_split


def gaps(segmentations):
    """Whether a null lies between two masks."""
    text = "".join("x" if segmentation else "." for segmentation in segmentations).strip(".")
    return "." in text


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = b"".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in files)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("seed", "videos", "settings"), [(777, 12, NORMAL), (20000, 6, NORMAL), (20001, 6, HARD)])
def test_split_is_worth_solving(tmp_path, seed, videos, settings):
    figures = write_split(tmp_path / "split", seed, videos, settings)
    split = json.loads((tmp_path / "split" / "instances.json").read_text())

    assert [category["name"] for category in split["categories"]] == list(CATEGORY_NAMES)
    assert len(split["videos"]) == figures.videos == videos
    by_video = {video["id"]: [] for video in split["videos"]}
    for annotation in split["annotations"]:
        by_video[annotation["video_id"]].append(annotation)
    tracks = split["annotations"]
    assert figures.tracks == len(tracks)
    assert figures.categories == len({track["category_id"] for track in tracks}) == 8
    assert 2 <= figures.fewest_objects == min(map(len, by_video.values()))
    assert 6 >= figures.most_objects == max(map(len, by_video.values()))
    assert all(video["length"] == len(video["file_names"]) == 24 for video in split["videos"])

    half_hidden = [any(0 < part <= 0.5 for part in track["visible_fractions"]) for track in tracks]
    assert figures.half_hidden == sum(half_hidden)
    assert np.mean(half_hidden) >= 0.3
    assert figures.returning <= sum(gaps(track["segmentations"]) for track in tracks)
    assert figures.returning / len(tracks) >= 0.15
    twins = [len({track["category_id"] for track in group}) < len(group) for group in by_video.values()]
    assert sum(twins) >= figures.with_lookalike >= videos / 2


def test_annotations_agree_with_their_masks_and_frames(tmp_path):
    write_split(tmp_path, 5, 1)
    split = json.loads((tmp_path / "instances.json").read_text())
    for name in split["videos"][0]["file_names"]:
        assert cv2.imread(str(tmp_path / "JPEGImages" / name)).shape == (192, 320, 3)
    for track in split["annotations"]:
        assert any(track["segmentations"])
        columns = track["segmentations"], track["bboxes"], track["areas"]
        for segmentation, box, area in zip(*columns, strict=True):
            if segmentation is None:
                assert box is None and area is None
                continue
            rows, cols = np.nonzero(masks.decode(segmentation))
            assert area == len(rows) >= 12
            assert box == [cols.min(), rows.min(), np.ptp(cols) + 1, np.ptp(rows) + 1]


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    write_split(tmp_path / "one", 9, 2)
    write_split(tmp_path / "two", 9, 2, workers=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_progress_is_told_from_nought(tmp_path):
    told = []
    write_split(tmp_path, 3, 2, on_progress=told.append)
    assert told == [0, 1, 2]


@pytest.mark.parametrize(("seed", "videos", "workers"), [(-1, 1, 1), (2**32, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_numbers_out_of_range_are_refused(tmp_path, seed, videos, workers):
    with pytest.raises(DataError, match="must be"):
        write_split(tmp_path / "new", seed, videos, workers=workers)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "precious").write_text("kept")
    with pytest.raises(DataError, match="not empty"):
        write_split(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="cannot be written"):
            write_split(out, 1, 1)


def test_command_prints_the_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "synth", "--seed", "4", "--videos", "1", "--out", str(tmp_path / "s")])
    with pytest.raises(SystemExit) as ended:
        application.main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for figure in ("videos", "frames", "tracks", "categories", "half hidden", "leave, return", "lookalike"):
        assert figure in printed


def test_command_turns_a_fault_into_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "synth", "--seed", "-4", "--videos", "1", "--out", str(tmp_path / "s")])
    with pytest.raises(SystemExit) as ended:
        application.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == ["error: --seed -4: must be from 0 to 4294967295"]
