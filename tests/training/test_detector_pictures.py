"""Pictures of COCO files and splits: classes, what is unlabelled, what is held out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.class_table import ClassTable
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.training.detector.pictures import PictureSource, read_pictures

TABLE = ClassTable({"person": ["person"], "vehicle": ["bus", "car"], "object": ["..."]})


def write_coco(path: Path, images: int = 5) -> Path:
    """Image i (ids in falling order) shows a person, a bus and a kite at (2i, 1), and one crowd of people."""
    mask = np.zeros((1, 20, 40), dtype=bool)
    annotations: list[dict[str, Any]] = []
    for image in range(images):
        for category, crowd in ((1, 0), (6, 0), (38, 0), (1, 1)):
            mask[:] = False
            mask[0, 1:5, 2 * image : 2 * image + 3] = True
            mask[0, 4, 2 * image] = False
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": 10 * image + 10,
                    "category_id": category,
                    "iscrowd": crowd,
                    "segmentation": masks.encode(mask)[0],
                }
            )
    content = {
        "images": [
            {"id": 10 * image + 10, "width": 40, "height": 20, "file_name": f"{image}.png"}
            for image in reversed(range(images))
        ],
        "categories": [
            {"id": 1, "name": "person"}, {"id": 3, "name": "car"}, {"id": 6, "name": "bus"}, {"id": 38, "name": "kite"}
        ],
        "annotations": annotations,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def source(path: Path, **changes: Any) -> PictureSource:
    return PictureSource(str(path), str(path.parent / "images"), **changes)


def test_objects_have_their_class_box_and_mask(tmp_path: Path) -> None:
    pictures = read_pictures(source(write_coco(tmp_path / "coco.json")), TABLE)
    assert [picture.path.name for picture in pictures] == ["4.png", "3.png", "2.png", "1.png", "0.png"]
    shown = pictures[1]
    assert (shown.height, shown.width, shown.unlabelled) == (20, 40, ())
    assert [(entry.label, entry.crowd) for entry in shown.objects] == [(0, False), (1, False), (2, False), (0, True)]
    for entry in shown.objects:
        assert entry.box == (6, 1, 9, 5)
        assert entry.area == 11
        assert entry.mask.tolist() == [[True] * 3] * 3 + [[False, True, True]]


@pytest.mark.parametrize(
    ("labelled", "unlabelled"),
    [
        ("all", ()),
        ([], (0, 1, 2)),
        (["person"], (1, 2)),
        (["person", "bus"], (1, 2)),
        (["person", "bus", "car"], (2,)),
        (["person", "bus", "car", "kite"], (2,)),
    ],
)
def test_a_class_is_labelled_if_all_its_categories_are(tmp_path: Path, labelled: Any, unlabelled: Any) -> None:
    pictures = read_pictures(source(write_coco(tmp_path / "coco.json"), labelled=labelled), TABLE)
    assert {picture.unlabelled for picture in pictures} == {unlabelled}


def test_what_is_held_out_is_what_the_training_leaves_out(tmp_path: Path) -> None:
    path = write_coco(tmp_path / "coco.json", 8)
    kept = {picture.path.name for picture in read_pictures(source(path, without_every=3), TABLE)}
    held_out = {picture.path.name for picture in read_pictures(source(path, only_every=3), TABLE)}
    assert held_out == {"0.png", "3.png", "6.png"}
    assert kept == {"1.png", "2.png", "4.png", "5.png", "7.png"}


def test_folders_of_a_split_give_their_class(tmp_path: Path) -> None:
    mask = np.zeros((1, 20, 40), dtype=bool)
    mask[0, 2:6, 3:9] = True
    rle = masks.encode(mask)[0]
    names = [[f"{video}/{index}.jpg" for index in range(5)] for video in ("rex", "other", "anna")]
    split = {
        "videos": [
            {"id": place, "width": 40, "height": 20, "length": 5, "file_names": files}
            for place, files in enumerate(names, start=1)
        ],
        "categories": [{"id": 1, "name": "object"}],
        "annotations": [
            {"id": place, "video_id": place, "category_id": 1, "segmentations": [rle, None, rle, rle, rle]}
            for place in (1, 2, 3)
        ],
    }
    (tmp_path / "split.json").write_text(json.dumps(split))
    settings = source(
        tmp_path / "split.json", kind="split", every=2, folders={"rex": "car", "anna": "person"}, labelled=[]
    )
    pictures = read_pictures(settings, TABLE)
    found = [("/".join(picture.path.parts[-2:]), [entry.label for entry in picture.objects]) for picture in pictures]
    assert found == [
        ("rex/0.jpg", [1]), ("rex/2.jpg", [1]), ("rex/4.jpg", [1]),
        ("anna/0.jpg", [0]), ("anna/2.jpg", [0]), ("anna/4.jpg", [0]),
    ]  # fmt: skip


def test_what_contradicts_itself_is_named(tmp_path: Path) -> None:
    path = write_coco(tmp_path / "coco.json")
    with pytest.raises(ConfigError, match=r"'persn' is no category of the file; did you mean 'person'"):
        read_pictures(source(path, labelled=["persn"]), TABLE)
    with pytest.raises(ConfigError, match="kind 'voc' is none of coco, split"):
        read_pictures(source(path, kind="voc"), TABLE)
    with pytest.raises(ConfigError, match="'bus' stands in 'a' and once more"):
        ClassTable({"a": ["bus"], "b": ["car", "bus"]})
    with pytest.raises(DataError, match="no picture is left"):
        read_pictures(source(path, folders={"nowhere": "person"}), TABLE)
