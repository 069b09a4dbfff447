"""`davis-to-vis`, `vos-to-vis` and `coco-to-vis`: the split that they write, and faults in one line."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vis_pipeline import masks
from vis_pipeline.data.splits import read_split


@pytest.fixture
def vos(tmp_path: Path) -> Path:
    """One video with two frames: a fox in both, a hen in the second."""
    for kind in ("Annotations", "JPEGImages"):
        (tmp_path / kind / "v").mkdir(parents=True)
    for index in range(2):
        labels = Image.new("P", (16, 12))
        labels.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0])
        labels.paste(2, (1, 2, 5, 7))
        if index:
            labels.paste(1, (8, 3, 14, 9))
        labels.save(tmp_path / f"Annotations/v/{5 * index:05}.png")
        cv2.imwrite(str(tmp_path / f"JPEGImages/v/{5 * index:05}.jpg"), np.zeros((12, 16, 3), np.uint8))
    objects = {"1": {"category": "hen", "frames": ["00005"]}, "2": {"category": "fox", "frames": ["00000", "00005"]}}
    (tmp_path / "meta.json").write_text(json.dumps({"videos": {"v": {"objects": objects}}}))
    return tmp_path


def vos_to_vis(folder: Path) -> list[object]:
    inputs = ["--meta", folder / "meta.json", "--annotations", folder / "Annotations"]
    return ["vos-to-vis", *inputs, "--frames", folder / "JPEGImages", "--out", folder / "split.json"]


def test_youtube_vos_becomes_a_split(command, vos: Path) -> None:
    code, out, _ = command(*vos_to_vis(vos))
    assert code == 0
    assert out.strip().endswith("split.json: 1 videos, 2 frames, 2 objects")
    split = read_split(vos / "split.json")
    assert [(category.id, category.name) for category in split.categories] == [(1, "fox"), (2, "hen")]
    assert split.annotations is not None
    hen, fox = split.annotations
    assert (hen.category_id, fox.category_id, hen.segmentations[0]) == (2, 1, None)
    boxes = masks.bounding_boxes([rle for rle in (hen.segmentations[1], *fox.segmentations) if rle is not None])
    assert boxes.tolist() == [[8, 3, 6, 6], [1, 2, 4, 5], [1, 2, 4, 5]]


def test_a_damaged_mask_of_youtube_vos_is_one_line(command, vos: Path) -> None:
    mask = vos / "Annotations/v/00005.png"
    mask.write_bytes(mask.read_bytes()[:40])
    code, _, err = command(*vos_to_vis(vos))
    assert code == 2
    assert err.startswith("error: ") and len(err.splitlines()) == 1
    assert f"video v: mask {mask}: not a PNG, or one that is cut short" in err
    assert not (vos / "split.json").exists()


def test_davis_folders_become_a_split(command, vos: Path) -> None:
    folders = ["--frames", vos / "JPEGImages", "--masks", vos / "Annotations"]
    code, out, _ = command("davis-to-vis", *folders, "--out", vos / "davis.json")
    assert code == 0
    assert out.strip().endswith("davis.json: 1 videos, 2 frames, 2 objects")
    split = read_split(vos / "davis.json")
    assert [category.name for category in split.categories] == ["object"]
    code, out, _ = command("davis-to-vis", "--frames", vos / "JPEGImages", "--out", vos / "test.json")
    assert code == 0
    assert out.strip().endswith("test.json: 1 videos, 2 frames, no annotations")
    assert read_split(vos / "test.json").annotations is None


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Pictures 50, 40, ..., 10: in each a cat, a bus and a cup."""
    mask = np.zeros((1, 12, 16), dtype=bool)
    mask[0, 2:6, 3:9] = True
    annotations = [
        {"id": place + 1, "image_id": 50 - 10 * (place // 3), "category_id": (17, 6, 47)[place % 3], "iscrowd": 0,
         "segmentation": masks.encode(mask)[0]}
        for place in range(15)
    ]  # fmt: skip
    content = {
        "images": [{"id": i, "width": 16, "height": 12, "file_name": f"{i}.jpg"} for i in range(50, 0, -10)],
        "annotations": annotations,
        "categories": [{"id": 17, "name": "cat"}, {"id": 6, "name": "bus"}, {"id": 47, "name": "cup"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    return tmp_path


def test_still_pictures_become_a_split_of_other_classes(command, coco: Path) -> None:
    (coco / "classes.json").write_text(json.dumps({"vehicle": ["bus", "car"], "rest": ["..."]}))
    options = ["--instances", coco / "coco.json", "--out", coco / "split.json"]
    code, out, _ = command("coco-to-vis", *options, "--classes", coco / "classes.json", "--every", 2)
    assert code == 0
    assert out.strip().endswith("split.json: 3 videos, 3 frames, 9 objects")
    split = read_split(coco / "split.json")
    assert {video.file_names for video in split.videos} == {("10.jpg",), ("30.jpg",), ("50.jpg",)}
    assert [(category.id, category.name) for category in split.categories] == [(1, "vehicle"), (2, "rest")]
    assert [entry.category_id for entry in split.annotations or ()] == [2, 1, 2] * 3
    (coco / "classes.json").write_text(json.dumps({"vehicle": ["bus"]}))
    command("coco-to-vis", *options, "--classes", coco / "classes.json")
    assert len(read_split(coco / "split.json").annotations or ()) == 5
    code, _, _ = command("coco-to-vis", *options)
    assert [category.id for category in read_split(coco / "split.json").categories] == [17, 6, 47]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{", "cannot be read as JSON"),
        ('{"a": "bus"}', "not of the form"),
        ('{"a": ["dog"]}', "no category of the split belongs to one of a"),
        ('{"a": ["bus"], "b": ["bus"]}', "'bus' stands in 'a' and once more"),
    ],
)
def test_a_class_table_that_cannot_be_used_is_one_line(command, coco: Path, table: str, words: str) -> None:
    (coco / "classes.json").write_text(table)
    options = ["--instances", coco / "coco.json", "--out", coco / "split.json", "--classes", coco / "classes.json"]
    code, _, err = command("coco-to-vis", *options)
    assert (code, len(err.splitlines())) == (2, 1)
    assert words in err


def test_davis_sequences_that_are_named_cut_away_to_each_other(command, tmp_path: Path) -> None:
    for name in ("ape", "bee", "cow"):
        for kind, suffix in (("frames", "jpg"), ("masks", "png")):
            (tmp_path / kind / name).mkdir(parents=True)
            for index in range(2):
                cv2.imwrite(str(tmp_path / kind / name / f"{index:05}.{suffix}"), np.full((12, 16), 255, np.uint8))
    (tmp_path / "some.txt").write_text("cow\nape\n")
    folders = ["--frames", tmp_path / "frames", "--masks", tmp_path / "masks", "--sequences", tmp_path / "some.txt"]
    code, out, _ = command("davis-to-vis", *folders, "--cut-away", 1, "--out", tmp_path / "split.json")
    assert (code, out.strip().endswith("split.json: 2 videos, 6 frames, 4 objects")) == (0, True)
    names = [video.file_names for video in read_split(tmp_path / "split.json").videos]
    assert names[0] == ("cow/00000.jpg", "ape/00000.jpg", "cow/00001.jpg")
    (tmp_path / "some.txt").write_text("cow\nyak\n")
    code, _, err = command("davis-to-vis", *folders, "--out", tmp_path / "other.json")
    assert (code, err) == (2, f"error: frames {tmp_path}/frames: no sequence yak\n")
