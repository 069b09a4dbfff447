"""`davis-to-vis` and `vos-to-vis`: the split that they write, and faults in one line."""

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
