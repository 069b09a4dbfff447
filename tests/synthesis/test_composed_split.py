"""A composed split on disk: its form, its determinism, its score against itself, and the command."""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from composed_inputs import write_backgrounds, write_coco, write_sprite

from vis_pipeline import masks
from vis_pipeline.cli import app as application
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed import CROWD, HARD, NORMAL, open_inputs, write_split
from vis_pipeline.synthesis.composed.scene import draw_cast

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data"
SMALL = replace(NORMAL, width=96, height=64, length=6, least_pixels=100)


def digests(folder, names="*"):
    files = sorted(path for path in folder.rglob(names) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A COCO file with its images, sprites, and backgrounds: photographs and a sequence."""
    folder = tmp_path_factory.mktemp("material")
    write_coco(folder, [(30, 20, 40), (50, 10, 30), (20, 30, 50)], category_ids=(7, 13))
    write_sprite(folder / "sprites/disc/1.png")
    write_backgrounds(folder / "grounds", 2)
    write_backgrounds(folder / "grounds/shot", 4, name="{:05d}.png")
    return folder


@pytest.fixture(scope="module")
def inputs(material):
    places = [material / "grounds", material / "images"]
    return open_inputs(SMALL, places, [material / "coco.json"], [material / "images"], material / "sprites")


def test_categories_and_annotations_have_the_form_of_the_year_s(tmp_path, inputs):
    figures = write_split(tmp_path, inputs.library, inputs.backgrounds, 3, 6, SMALL)
    split = json.loads((tmp_path / "instances.json").read_text())
    assert [category["id"] for category in split["categories"]] == [7, 13, 90, 91]
    assert split["categories"][-1]["name"] == "disc"
    assert figures.frames == 36
    assert figures.tracks == len(split["annotations"])
    hidden = 0
    for video in split["videos"]:
        assert video["file_names"] == [f"{video['id'] - 1:05d}/{frame:05d}.jpg" for frame in range(6)]
        assert cv2.imread(str(tmp_path / "JPEGImages" / video["file_names"][0])).shape == (64, 96, 3)
    for track in split["annotations"]:
        assert track["iscrowd"] == 0
        assert track["category_id"] in (7, 13, 91)
        assert any(track["segmentations"])
        hidden += track["segmentations"].count(None)
        for rle, box, area in zip(track["segmentations"], track["bboxes"], track["areas"], strict=True):
            if rle is None:
                assert box is None and area is None
                continue
            rows, columns = np.nonzero(masks.decode(rle))
            assert area == len(rows) >= 12
            assert box == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert figures.hidden_frames == pytest.approx(hidden / (6 * figures.tracks))


def test_masks_of_a_frame_are_disjoint(tmp_path, inputs):
    write_split(tmp_path, inputs.library, inputs.backgrounds, 4, 4, replace(HARD, width=96, height=64, length=4))
    split = read_split(tmp_path / "instances.json")
    for video in split.videos:
        for frame in range(video.length):
            shown = [entry.segmentations[frame] for entry in split.annotations if entry.video_id == video.id]
            stack = [masks.decode(rle).astype(int) for rle in shown if rle is not None]
            assert not stack or np.sum(stack, axis=0).max() == 1


def test_bytes_depend_on_the_seed_alone(tmp_path, inputs):
    for name, seed, videos, workers in (("one", 9, 3, 1), ("two", 9, 3, 2), ("more", 9, 4, 1), ("other", 10, 3, 1)):
        write_split(tmp_path / name, inputs.library, inputs.backgrounds, seed, videos, SMALL, workers)
    one = digests(tmp_path / "one")
    assert digests(tmp_path / "two") == one
    more = digests(tmp_path / "more", "*.jpg")
    assert {name: digest for name, digest in more.items() if not name.startswith("JPEGImages/00003")} == digests(
        tmp_path / "one", "*.jpg"
    )
    assert not set(digests(tmp_path / "other", "*.jpg").values()) & set(one.values())


def test_lookalikes_are_of_one_class(tmp_path, inputs):
    settings = replace(SMALL, lookalike=1.0, lookalikes=(2, 2), objects=(3, 3))
    figures = write_split(tmp_path, inputs.library, inputs.backgrounds[:1], 1, 5, settings)
    split = read_split(tmp_path / "instances.json")
    for video in split.videos:
        classes = [entry.category_id for entry in split.annotations if entry.video_id == video.id]
        assert len(classes) < 3 or len(set(classes)) == 1
    assert figures.with_lookalike >= 4


def test_a_crowd_has_five_to_eight_of_at_most_two_classes(tmp_path, inputs):
    # The classes 7 and 13 and the sprites' own: more than a crowd may have.
    assert len(inputs.library.groups) == 3
    casts = [draw_cast(np.random.default_rng(seed), CROWD, inputs.library, inputs.backgrounds, 0) for seed in range(60)]
    assert {len(cast.sources) for cast in casts} == {5, 6, 7, 8}
    classes = [frozenset(source.category_id for source in cast.sources) for cast in casts]
    assert {len(found) for found in classes} == {1, 2}
    assert len(frozenset().union(*classes)) == 3
    write_split(tmp_path, inputs.library, inputs.backgrounds, 2, 2, replace(CROWD, width=96, height=64, length=4))
    assert len(read_split(tmp_path / "instances.json").videos) == 2


def test_a_missing_background_is_one_line(tmp_path, inputs):
    lost = replace(inputs.backgrounds[0], paths=(tmp_path / "lost.png",))
    with pytest.raises(DataError, match=r"lost\.png"):
        write_split(tmp_path / "split", inputs.library, [lost], 1, 1, SMALL)


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["x", *map(str, arguments)])
    try:
        application.main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def compose_arguments(material, out, *more):
    given = ["--instances", material / "coco.json", "--images", material / "images", "--least-pixels", 100]
    return ["compose", *given, "--backgrounds", material / "grounds", "--out", out, "--size", "96x64", *more]


def as_results(split):
    """A split's own annotations as results of score 1."""
    return [
        {"video_id": entry.video_id, "category_id": entry.category_id, "score": 1.0,
         "segmentations": list(entry.segmentations)}
        for entry in split.annotations
    ]  # fmt: skip


def test_the_command_writes_what_scores_fully_against_itself(tmp_path, material, monkeypatch, capsys):
    out = tmp_path / "split"
    arguments = compose_arguments(
        material, out, "--sprites", material / "sprites", "--backgrounds", material / "images"
    )
    code, printed, _ = run(monkeypatch, capsys, *arguments, "--videos", 3, "--frames", 5, "--hard")
    assert code == 0
    for figure in ("videos", "frames", "tracks", "categories", "hides", "half hidden", "lookalike"):
        assert figure in printed
    (tmp_path / "results.json").write_text(json.dumps(as_results(read_split(out / "instances.json"))))
    scored = ["evaluate", tmp_path / "results.json", "--gt", out / "instances.json", "--json", tmp_path / "scores.json"]
    assert run(monkeypatch, capsys, *scored)[0] == 0
    assert json.loads((tmp_path / "scores.json").read_text())["AP"] == 1.0


def test_one_class_changes_the_classes_alone(tmp_path, material, monkeypatch, capsys):
    splits = []
    for name, more in (("many", ()), ("one", ("--one-class", "thing"))):
        out = tmp_path / name
        arguments = compose_arguments(material, out, "--sprites", material / "sprites", *more)
        assert run(monkeypatch, capsys, *arguments, "--videos", 2, "--frames", 4)[0] == 0
        splits.append(read_split(out / "instances.json"))
    many, one = splits
    assert one.categories == (Category(1, "thing"),)
    assert len({entry.category_id for entry in many.annotations}) > 1
    assert [replace(entry, category_id=1) for entry in many.annotations] == list(one.annotations)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--size", "320"], "--size 320: not WIDTHxHEIGHT"),
        (["--size", "8x8"], "--size 8x8: not WIDTHxHEIGHT"),
        (["--frames", 1], "--frames 1: must be at least 2"),
        (["--videos", 0], "--videos 0: must be at least 1"),
        (["--seed", -1], "--seed -1: must be from 0"),
        (["--hard", "--crowd"], "--hard and --crowd are two kinds of video"),
        (["--workers", 0], "--workers 0: must be at least 1"),
        (["--least-pixels", 100000], "3 smaller than 100000 pixels"),
        (["--sprites", "/nowhere"], "sprites /nowhere: not a folder"),
        (["--images", "/nowhere"], "--instances and --images go together"),
        (["--instances", "/nowhere.json", "--images", "/nowhere"], "COCO file /nowhere.json: cannot be read"),
        (["--backgrounds", "/nowhere"], "backgrounds /nowhere: no such folder or split"),
    ],
)
def test_the_command_turns_a_fault_into_one_line(tmp_path, material, monkeypatch, capsys, more, message):
    code, _, error = run(monkeypatch, capsys, *compose_arguments(material, tmp_path / "split", *more))
    assert code == 2
    assert len(error.splitlines()) == 1
    assert error.startswith("error: ") and message in error


def test_the_folder_of_the_images_is_named_where_they_are_missing(tmp_path, material, monkeypatch, capsys):
    second = ["--instances", material / "coco.json", "--images", "/nowhere"]
    code, _, error = run(monkeypatch, capsys, *compose_arguments(material, tmp_path / "split", *second))
    assert code == 2
    assert error.startswith("error: images /nowhere: 3 of 3 images are missing")


@pytest.mark.shared
def test_photographs_of_coco_become_a_split(tmp_path, monkeypatch, capsys):
    if not SHARED.is_dir():
        pytest.skip("the development data is not beside the checkout")
    coco, frames = SHARED / "coco_sample", SHARED / "davis2016_train/frames"
    given = ["--instances", coco / "instances.json", "--images", coco / "images", "--seed", 8, "--videos", 3]
    places = ["--backgrounds", frames, "--backgrounds", coco / "images"]
    code, _, error = run(monkeypatch, capsys, "compose", *given, *places, "--out", tmp_path / "split")
    assert code == 0, error
    split = read_split(tmp_path / "split/instances.json")
    assert len(split.categories) == 80 and max(category.id for category in split.categories) == 90
    shares = [np.mean([rle is not None for rle in entry.segmentations]) for entry in split.annotations]
    assert len(shares) >= 6 and np.mean(shares) > 0.6
    (tmp_path / "results.json").write_text(json.dumps(as_results(split)))
    truth = tmp_path / "split/instances.json"
    scored = ["evaluate", tmp_path / "results.json", "--gt", truth, "--json", tmp_path / "scores.json"]
    assert run(monkeypatch, capsys, *scored)[0] == 0
    assert json.loads((tmp_path / "scores.json").read_text())["AP"] == 1.0
