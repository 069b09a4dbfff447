"""COCO files of still images."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vis_pipeline import masks
from vis_pipeline.data.coco import read_coco
from vis_pipeline.errors import DataError

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data/coco_sample"
HEIGHT, WIDTH = 6, 7


def content(segmentation: object, **annotation: object) -> dict[str, list[dict[str, object]]]:
    return {
        "images": [{"id": 3, "file_name": "a/3.jpg", "width": WIDTH, "height": HEIGHT, "license": 1}],
        "annotations": [{"id": 5, "image_id": 3, "category_id": 90, "segmentation": segmentation, **annotation}],
        "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
    }


def written(folder: Path, entries: object) -> Path:
    path = folder / "instances.json"
    path.write_text(json.dumps(entries))
    return path


@settings(max_examples=40)
@given(mask=arrays(np.bool_, (HEIGHT, WIDTH)), compressed=st.booleans())
def test_rle_of_both_forms_is_the_mask(
    tmp_path_factory: pytest.TempPathFactory, mask: np.ndarray, compressed: bool
) -> None:
    runs, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    rle = masks.encode(mask[None])[0] if compressed else {"size": [HEIGHT, WIDTH], "counts": runs}
    split = read_coco(written(tmp_path_factory.mktemp("coco"), content(rle)))
    assert split.annotations is not None
    found = split.annotations[0].segmentations[0]
    assert found is not None
    np.testing.assert_array_equal(masks.decode(found), mask)


def test_images_are_videos_of_one_frame(tmp_path: Path) -> None:
    split = read_coco(written(tmp_path, content([[1, 1, 4, 1, 4, 5, 1, 5]], iscrowd=1)))
    (video,) = split.videos
    assert (video.id, video.length, video.width, video.height, video.file_names) == (3, 1, WIDTH, HEIGHT, ("a/3.jpg",))
    assert [(category.id, category.name) for category in split.categories] == [(1, "person"), (90, "toothbrush")]
    assert split.annotations is not None
    (annotation,) = split.annotations
    assert (annotation.id, annotation.video_id, annotation.category_id, annotation.iscrowd) == (5, 3, 90, True)
    rle = annotation.segmentations[0]
    assert rle is not None
    wanted = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    wanted[1:5, 1:4] = True
    np.testing.assert_array_equal(masks.decode(rle), wanted)


@pytest.mark.parametrize("segmentation", [None, []])
def test_an_annotation_without_a_mask_has_none(tmp_path: Path, segmentation: object) -> None:
    split = read_coco(written(tmp_path, content(segmentation)))
    assert split.annotations is not None and split.annotations[0].segmentations == (None,)


@pytest.mark.parametrize("order", ["images annotations categories", "annotations categories images"])
def test_the_order_of_the_keys_does_not_matter(tmp_path: Path, order: str) -> None:
    entries = content([[1, 1, 4, 1, 4, 5]])
    path = written(tmp_path, {key: entries[key] for key in order.split()})
    assert read_coco(path) == read_coco(written(tmp_path, entries))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": []}, "lists no images"),
        ({"categories": None}, "not COCO's form: no list `categories`"),
        ({"annotations": None}, "no list `annotations`"),
        ({"images": [{"id": 3, "width": 7, "height": 6}]}, r"images\.0: `file_name` is missing"),
        ({"categories": [{"id": 1, "name": "person"}]}, "annotation 5: no category has the id 90"),
        ({"annotations": [{"id": 5, "image_id": 4, "category_id": 90}]}, "annotation 5: no image has the id 4"),
        ({"annotations": content([[1, 2]])["annotations"]}, "annotation 5: polygon 0: 2 numbers"),
        ({"images": content(None)["images"] * 2}, "image id 3 is there more than once"),
    ],
)
def test_faults_are_named_in_one_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = written(tmp_path, {**content(None), **change})
    with pytest.raises(DataError, match=f"COCO file .*: .*{message}") as caught:
        read_coco(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_coco_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not COCO's form: a list"):
        read_coco(written(tmp_path, []))
    with pytest.raises(DataError, match="no list `images`"):
        read_coco(written(tmp_path, {"videos": []}))
    with pytest.raises(DataError, match="cannot be read"):
        read_coco(tmp_path / "nowhere.json")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real photographs are not beside this checkout")
def test_real_photographs() -> None:
    split = read_coco(SHARED / "instances.json")
    assert split.annotations is not None
    assert (len(split.videos), len(split.annotations), len(split.categories)) == (100, 740, 80)
    assert all((SHARED / "images" / video.file_names[0]).is_file() for video in split.videos)
