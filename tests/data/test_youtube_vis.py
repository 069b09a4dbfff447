import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline import masks
from vis_pipeline.data.results import results_to_json, tracks_from_json
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import TrackResult

HEIGHT, WIDTH = 4, 6


def square(top: int = 1, left: int = 2, side: int = 2) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    """COCO's uncompressed RLE by its definition: run lengths down the columns, beginning with zeros."""
    counts, last, run = [], False, 0
    for pixel in mask.T.ravel():
        if pixel != last:
            counts.append(run)
            last, run = pixel, 0
        run += 1
    return {"size": list(mask.shape), "counts": [*counts, run]}


def split_content() -> dict[str, Any]:
    rle = masks.encode(square()[None])[0]
    return {
        "info": {"year": 2021},
        "videos": [
            {
                "id": 7,
                "width": WIDTH,
                "height": HEIGHT,
                "length": 3,
                "file_names": [f"bear/{index:05}.jpg" for index in range(3)],
                "license": 1,
            }
        ],
        "categories": [{"id": 26, "name": "person", "supercategory": "object"}, {"id": 3, "name": "bear"}],
        "annotations": [
            {
                "id": 1,
                "video_id": 7,
                "category_id": 3,
                "iscrowd": 0,
                "segmentations": [rle, None, rle],
                "areas": [4, None, 5.5],
                "bboxes": [[2, 1, 2, 2], None, [2, 1, 2, 2]],
            }
        ],
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_reads_the_training_form(tmp_path: Path) -> None:
    split = read_split(written(tmp_path, split_content()))
    assert [video.name for video in split.videos] == ["bear"]
    assert split.videos_by_id()[7].length == 3
    assert [(category.id, category.name) for category in split.categories] == [(26, "person"), (3, "bear")]
    assert split.annotations is not None
    annotation = split.annotations[0]
    assert annotation.areas == (4, None, 5.5)
    assert annotation.iscrowd is False
    assert [rle is None for rle in annotation.segmentations] == [False, True, False]


@pytest.mark.parametrize("absent", [True, False])
def test_reads_the_valid_and_test_forms(tmp_path: Path, absent: bool) -> None:
    content = split_content() | {"annotations": None}
    if absent:
        del content["annotations"]
    assert read_split(written(tmp_path, content)).annotations is None


def test_length_and_areas_may_be_absent(tmp_path: Path) -> None:
    content = split_content()
    del content["videos"][0]["length"], content["annotations"][0]["areas"]
    split = read_split(written(tmp_path, content))
    assert split.videos[0].length == 3
    assert split.annotations is not None and split.annotations[0].areas is None


def test_the_order_of_the_keys_does_not_matter(tmp_path: Path) -> None:
    content = split_content()
    reversed_order = dict(reversed(content.items()))
    assert next(iter(reversed_order)) == "annotations"
    assert read_split(written(tmp_path, reversed_order)) == read_split(written(tmp_path, content))


def test_annotations_in_front_are_held_no_longer_than_those_at_the_end(tmp_path: Path) -> None:
    content = split_content()
    content["videos"][0] |= {"width": 1000, "height": 1000}
    runs = {"size": [1000, 1000], "counts": [500] * 2000}
    content["annotations"] = [
        content["annotations"][0] | {"id": index, "segmentations": [runs] * 3} for index in range(100)
    ]
    read_split(written(tmp_path, split_content()))  # compiles what reads the masks
    peaks = []
    for ordered in (content, dict(reversed(content.items()))):
        path = written(tmp_path, ordered)
        tracemalloc.start()
        read_split(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_levels_of_occlusion_are_read_where_the_file_has_them(tmp_path: Path) -> None:
    content = split_content()
    content["annotations"][0]["occlusion"] = ["no_occlusion", None, "severe_occlusion"]
    split = read_split(written(tmp_path, content))
    assert split.annotations is not None
    assert split.annotations[0].occlusion == ("no_occlusion", None, "severe_occlusion")
    assert read_split(written(tmp_path, split_to_json(split))) == split


def test_every_form_of_mask_is_read_alike(tmp_path: Path) -> None:
    content = split_content()
    polygon = [[2, 1, 4, 1, 4, 3, 2, 3]]
    content["annotations"][0]["segmentations"] = [uncompressed(square()), polygon, masks.encode(square()[None])[0]]
    split = read_split(written(tmp_path, content))
    assert split.annotations is not None
    for rle in split.annotations[0].segmentations:
        assert rle is not None
        np.testing.assert_array_equal(masks.decode(rle), square())


def test_an_empty_list_of_polygons_is_an_absent_object(tmp_path: Path) -> None:
    content = split_content()
    content["annotations"][0]["segmentations"][0] = []
    split = read_split(written(tmp_path, content))
    assert split.annotations is not None and split.annotations[0].segmentations[0] is None


def test_a_split_survives_writing_and_reading(tmp_path: Path) -> None:
    split = read_split(written(tmp_path, split_content()))
    content = split_to_json(split)
    assert content["annotations"][0]["bboxes"] == [[2, 1, 2, 2], None, [2, 1, 2, 2]]
    assert read_split(written(tmp_path, content)) == split


def test_times_of_frames_are_read_where_the_file_has_them(tmp_path: Path) -> None:
    split = read_split(written(tmp_path, split_content()))
    assert split.videos[0].times is None and "frame_times" not in split_to_json(split)["videos"][0]
    with_times = read_split(written(tmp_path, change(split_content(), "videos.0.frame_times", [0, None, 2.5])))
    assert with_times.videos[0].times == (0, None, 2.5)
    assert split_to_json(with_times)["videos"][0]["frame_times"] == [0, None, 2.5]
    assert read_split(written(tmp_path, split_to_json(with_times))) == with_times


def change(content: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    *path, last = where.split(".")
    target: Any = content
    for part in path:
        target = target[int(part) if part.isdigit() else part]
    target[int(last) if last.isdigit() else last] = value
    return content


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("videos", [], "empty"),
        ("videos", split_content()["videos"] * 2, "video id 7 is there more than once"),
        ("annotations", split_content()["annotations"] * 2, "annotation id 1 is there more than once"),
        ("categories", split_content()["categories"] * 2, "category id 26 is there more than once"),
        ("categories", [], "categories"),
        ("videos.0.length", 4, "video 7: length 4, but 3 file names"),
        ("videos.0.width", None, "videos.0.width"),
        ("videos.0.frame_times", [0.0, 0.1], "video 7: 2 frame_times, but 3 file names"),
        ("videos.0.frame_times", [0.0, "1", 0.2], "videos.0.frame_times.1: Input should be a valid number"),
        ("videos.0.frame_times", [0.0, 0.1, float("inf")], "videos.0.frame_times.2: Input should be a finite number"),
        ("videos.0.file_names", [], "videos.0.file_names"),
        ("annotations.0.video_id", 8, "annotation 1: no video has the id 8"),
        ("annotations.0.category_id", 9, "annotation 1: no category has the id 9"),
        ("annotations.0.segmentations", [None], "annotation 1: 1 segmentations, but video 7 has 3 frames"),
        ("annotations.0.areas", [1.0], "annotation 1: 1 areas, but video 7 has 3 frames"),
        ("videos.0.height", 5, "annotation 1: frame 0: mask of size"),
        (
            "annotations.0.segmentations",
            [{"size": [HEIGHT, WIDTH], "counts": "99"}, None, None],
            "annotation 1: frame 0: damaged RLE: the runs do not add up to the 24 pixels",
        ),
        (
            "annotations.0.segmentations",
            [{"size": [HEIGHT, WIDTH], "counts": [20, 3]}, None, None],
            "annotation 1: frame 0: damaged RLE: the runs do not add up to the 24 pixels",
        ),
        (
            "annotations.0.segmentations",
            [{"size": [HEIGHT, WIDTH], "counts": "oo"}, None, None],
            "annotation 1: frame 0: damaged RLE: `counts` is cut short",
        ),
        ("annotations.0.segmentations", ["x", None, None], "annotation 1: frame 0: segmentation of type str"),
        ("annotations.0.segmentations", [[[1, 2, 3]], None, None], "annotation 1: frame 0: polygon 0: 3 numbers"),
        ("annotations.0.areas", [4, None, float("nan")], "annotations.0: areas.2: Input should be a finite number"),
        ("annotations.0.areas", [4, None, -1], "annotations.0: areas.2: Input should be greater than or equal to 0"),
        ("annotations.0.iscrowd", 2, "annotations.0: iscrowd"),
        ("annotations.0.iscrowd", "0", "annotations.0: iscrowd"),
        ("annotations.0.id", None, "annotations.0: id: Input should be a valid integer, not null"),
        ("annotations.0.occlusion", ["slight_occlusion"], "annotation 1: 1 levels of occlusion, but video 7 has 3"),
        ("annotations.0", 3, "annotations.0: not an object but 3"),
        ("annotations", {}, "`annotations` is neither a list nor null"),
        ("videos.0.id", "7", 'videos.0.id: Input should be a valid integer, not "7"'),
        ("videos.0.width", 2**40, "video 7: 1099511627776x4 is more than 2147483647 pixels"),
        ("categories.0.name", "\ud800", "categories.0.name"),
    ],
)
def test_faults_are_one_line_that_names_the_culprit(tmp_path: Path, where: str, value: Any, message: str) -> None:
    path = written(tmp_path, change(split_content(), where, value))
    with pytest.raises(DataError) as raised:
        read_split(path)
    text = str(raised.value)
    assert message in text
    assert str(path) in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not YouTube-VIS"),
        ({"images": [], "annotations": []}, "COCO's form for images"),
        ({"videos": 3, "categories": []}, "not YouTube-VIS"),
        ('{"videos": [{"id": 1,', "cut short"),
        ("", "not JSON"),
        (json.dumps(split_content()) + "}", "something follows its end"),
        (json.dumps(split_content())[:-1] + ', "videos": []}', "the key 'videos' twice"),
        (json.dumps(split_content()).replace('"iscrowd": 0', '"iscrowd": 0, "iscrowd": 1'), "the key 'iscrowd' twice"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_split(written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.json: cannot be read"):
        read_split(tmp_path / "nowhere.json")


@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(0, 2**24 - 1)), min_size=1, max_size=4), min_size=0, max_size=3)
)
def test_results_survive_json(bit_masks: list[list[int | None]]) -> None:
    results = tuple(
        TrackResult(1, 2, 0.25 * index, tuple(None if bits is None else bits_to_rle(bits) for bits in track))
        for index, track in enumerate(bit_masks)
    )
    assert tracks_from_json(json.loads(json.dumps(results_to_json(results))), "here") == results


def bits_to_rle(bits: int) -> masks.Rle:
    pixels = np.array([bits >> place & 1 for place in range(24)], dtype=bool).reshape(1, HEIGHT, WIDTH)
    return masks.encode(pixels)[0]
