"""YouTube-VOS in its own form: what is read, and what is wrong with it in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from vos_folders import palette_png, write_masks, write_meta

from vis_pipeline import masks
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.data.youtube_vos import youtube_vos_split
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Split

HEIGHT, WIDTH = 6, 9
FRAMES = ("00000", "00005", "00010")


def label_map(*objects: int) -> np.ndarray:
    """A column of the picture for each object, from the left."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for column, number in enumerate(objects):
        labels[1:5, 3 * column : 3 * column + 2] = number
    return labels


def convert(folder: Path) -> Split:
    return youtube_vos_split(folder / "meta.json", folder / "Annotations", folder / "JPEGImages")


def annotations(split: Split) -> tuple[Annotation, ...]:
    assert split.annotations is not None
    return split.annotations


def write_two_videos(folder: Path) -> None:
    """A video of two classes whose second object comes late, and one that the JSON lists first."""
    write_masks(
        folder, "0a", dict(zip(FRAMES, (label_map(1), label_map(1, 7), label_map(7)), strict=True)), ["00001", "00002"]
    )
    write_masks(folder, "1b", {"00020": label_map(0, 2)})
    write_meta(
        folder,
        {
            "1b": {"2": {"category": "ape", "frames": ["00020"]}},
            "0a": {
                "7": {"category": "ape", "frames": ["00005", "00010"]},
                "1": {"category": "zebra", "frames": ["00000", "00005", "00010"]},
            },
        },
    )


def test_videos_are_folders_and_frames_those_with_a_mask(tmp_path: Path) -> None:
    write_two_videos(tmp_path)
    found = [(video.id, video.name, video.file_names) for video in convert(tmp_path).videos]
    assert found == [(1, "0a", ("0a/00000.jpg", "0a/00005.jpg", "0a/00010.jpg")), (2, "1b", ("1b/00020.jpg",))]
    assert {(video.width, video.height) for video in convert(tmp_path).videos} == {(WIDTH, HEIGHT)}


def test_objects_are_annotations_of_their_named_category(tmp_path: Path) -> None:
    write_two_videos(tmp_path)
    split = convert(tmp_path)
    assert [(category.id, category.name) for category in split.categories] == [(1, "ape"), (2, "zebra")]
    found = [
        (entry.id, entry.video_id, entry.category_id, [rle is not None for rle in entry.segmentations], entry.areas)
        for entry in annotations(split)
    ]
    # The zebra is listed in frame 00010 and has no pixel there.
    assert found == [
        (1, 1, 2, [True, True, False], (8, 8, None)),
        (2, 1, 1, [False, True, True], (None, 8, 8)),
        (3, 2, 1, [True], (8,)),
    ]
    rle = annotations(split)[1].segmentations[1]
    assert rle is not None
    np.testing.assert_array_equal(masks.decode(rle), label_map(1, 7) == 7)


def test_the_valid_form_gives_the_first_masks(tmp_path: Path) -> None:
    # Its JSON lists all frames, there are masks only where an object first appears, and no categories.
    write_masks(tmp_path, "0a", {"00000": label_map(1), "00010": label_map(0, 2)}, ["00005", "00015"])
    frames = [*FRAMES, "00015"]
    write_meta(tmp_path, {"0a": {"1": {"frames": frames}, "2": {"frames": frames[2:]}}})
    split = convert(tmp_path)
    assert split.videos[0].file_names == ("0a/00000.jpg", "0a/00010.jpg")
    assert [[rle is not None for rle in entry.segmentations] for entry in annotations(split)] == [
        [True, False],
        [False, True],
    ]
    assert [category.name for category in split.categories] == ["object"]


def test_an_object_without_a_pixel_gives_no_annotation(tmp_path: Path) -> None:
    write_masks(tmp_path, "0a", {"00000": label_map(2)})
    write_meta(tmp_path, {"0a": {"1": {"category": "ant"}, "2": {"category": "bee"}}})
    split = convert(tmp_path)
    assert [(entry.id, entry.category_id) for entry in annotations(split)] == [(1, 2)]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_small_palettes_are_read(tmp_path: Path, depth: int) -> None:
    largest = 2**depth - 1
    write_masks(tmp_path, "0a", {"00000": label_map(largest)})
    (tmp_path / "Annotations/0a/00000.png").write_bytes(palette_png(label_map(largest), depth))
    write_meta(tmp_path, {"0a": {str(largest): {"category": "ant", "frames": ["00000"]}}})
    (entry,) = annotations(convert(tmp_path))
    assert entry.segmentations[0] is not None
    np.testing.assert_array_equal(masks.decode(entry.segmentations[0]), label_map(1) > 0)


@settings(max_examples=30)
@given(
    maps=arrays(
        np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9)), elements=st.integers(0, 3)
    ),
    numbers=st.lists(st.integers(1, 255), min_size=3, max_size=3, unique=True),
)
def test_label_maps_come_back_from_the_written_split(
    tmp_path_factory: pytest.TempPathFactory, maps: np.ndarray, numbers: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("vos")
    labels = np.array([0, *numbers], np.uint8)[maps]
    write_masks(folder, "v", {f"{5 * index:05}": frame for index, frame in enumerate(labels)})
    write_meta(folder, {"v": {str(number): {"category": f"class {number}"} for number in numbers}})
    (folder / "split.json").write_text(json.dumps(split_to_json(convert(folder))))
    split = read_split(folder / "split.json")
    names = {category.id: category.name for category in split.categories}
    drawn = np.zeros_like(labels)
    for entry in annotations(split):
        number = int(names[entry.category_id].removeprefix("class "))
        for frame, rle in enumerate(entry.segmentations):
            pixels = sum(value == number for row in labels[frame].tolist() for value in row)
            assert (rle is None) == (pixels == 0)
            if rle is not None:
                drawn[frame][masks.decode(rle)] = number
                assert entry.areas is not None and entry.areas[frame] == pixels
    assert drawn.tolist() == labels.tolist()
    assert len(annotations(split)) == len(set(labels.ravel().tolist()) - {0})


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_two_videos(tmp_path)
    return tmp_path


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        convert(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


@settings(max_examples=60)
@given(data=st.data())
def test_any_changed_byte_of_a_mask_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    write_masks(folder, "0a", {"00000": label_map(1)})
    write_meta(folder, {"0a": {"1": {"category": "ant"}}})
    path = folder / "Annotations/0a/00000.png"
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert f"meta.json: video 0a: mask {path}: " in refused(folder)


def test_masks_that_do_not_fit_are_named(made: Path) -> None:
    path = made / "Annotations/0a/00005.png"
    where = f"YouTube-VOS {made / 'meta.json'}: video 0a: mask {path}: "
    path.write_bytes(palette_png(label_map(1, 7, 3)))
    assert refused(made) == where + "holds object 3, which the video's `objects` lack"
    path.write_bytes(palette_png(label_map(1, 255)))
    assert refused(made) == where + "holds object 255, which the video's `objects` lack"
    path.write_bytes(palette_png(np.zeros((HEIGHT, WIDTH + 1), np.uint8)))
    assert refused(made) == where + "is 10x6, the frames are 9x6"
    Image.new("RGB", (WIDTH, HEIGHT), "red").save(path)
    assert refused(made) == where + "a mask must be black and white, grey or palette-indexed, not RGB in colour"
    path.write_bytes(palette_png(label_map(1))[:-20])
    assert refused(made) == where + "not a PNG, or one that is cut short or damaged"
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(path, "JPEG")
    assert refused(made) == where + "not a PNG, or one that is cut short or damaged"
    path.unlink()
    path.mkdir()
    assert refused(made) == where + "cannot be read (a folder, not a regular file)"


def test_missing_masks_and_frames_are_named(made: Path) -> None:
    mask = made / "Annotations/0a/00005.png"
    mask.unlink()
    assert refused(made).endswith(f"video 0a: object 7: no mask {mask}, its first frame in meta.json")
    write_two_videos(made)
    (made / "JPEGImages/0a/00005.jpg").unlink()
    assert refused(made).endswith(f"video 0a: frame 00005.jpg of a mask is not in {made / 'JPEGImages/0a'}")
    (made / "JPEGImages/0a/00000.jpg").write_bytes(b"\xff\xd8 no picture")
    (made / "JPEGImages/0a/00010.jpg").unlink()
    assert refused(made).endswith("(nor 1 more frames)")
    write_two_videos(made)
    (made / "JPEGImages/0a/00000.jpg").write_bytes(b"\xff\xd8 no picture")
    assert refused(made).endswith(f"video 0a: cannot be read as an image: {made / 'JPEGImages/0a/00000.jpg'}")


def test_missing_folders_are_named(made: Path) -> None:
    (made / "Annotations/1b/00020.png").rename(made / "Annotations/1b/00020.jpg")
    assert refused(made).endswith(f"video 1b: folder {made / 'Annotations/1b'}: holds no masks (.png)")
    (made / "Annotations/1b/00020.jpg").unlink()
    assert "video 1b: folder" in refused(made)
    (made / "Annotations/1b").rmdir()
    assert refused(made).endswith(f"video 1b: no folder of that name in the annotations {made / 'Annotations'}")
    (made / "JPEGImages/0a").rename(made / "JPEGImages/0b")
    assert "video 0a: frame 00000.jpg of a mask is not in" in refused(made)
    (made / "Annotations").rename(made / "annotations")
    assert refused(made) == f"annotations {made / 'Annotations'}: not a folder"


@pytest.mark.parametrize("name", ["..", ".", "", "../Annotations/0a", "x" * 300, "0a\x00"])
def test_a_name_that_is_no_folder_of_the_annotations(made: Path, name: str) -> None:
    write_meta(made, {name: {"1": {"category": "ant"}}})
    assert refused(made).startswith(f"YouTube-VOS {made / 'meta.json'}: video")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not an object but a list"),
        ({}, "`videos` is missing"),
        ({"videos": [{"id": 1}]}, "not a meta.json of YouTube-VOS: it lists videos (a split in YouTube-VIS form?)"),
        ({"videos": {}}, "empty"),
        ({"videos": {"0a": []}}, "videos.0a: not an object but a list"),
        ({"videos": {"0a": {}}}, "`videos.0a.objects` is missing"),
        ({"videos": {"0a": {"objects": {"1": "ant"}}}}, 'videos.0a.objects.1: not an object but "ant"'),
        ({"videos": {"0a": {"objects": {"1": {"category": 3}}}}}, "videos.0a.objects.1.category: "),
        ({"videos": {"0a": {"objects": {"1": {"category": ""}}}}}, "videos.0a.objects.1.category: "),
        ({"videos": {"0a": {"objects": {"1": {"category": "\ud800"}}}}}, "videos.0a.objects.1.category: "),
        ({"videos": {"0a": {"objects": {"1": {"frames": [0]}}}}}, "videos.0a.objects.1.frames.0: "),
        ({"videos": {"0a": {"objects": {}}}}, "no video has an object"),
        *(
            ({"videos": {"0a": {"objects": {key: {}}}}}, f"video 0a: {key!r} is no number of an object (1 to 255)")
            for key in ("0", "01", "256", "-1", "one", " 1")
        ),
    ],
)
def test_a_json_of_another_form(made: Path, content: Any, message: str) -> None:
    (made / "meta.json").write_text(json.dumps(content))
    found = refused(made)
    assert found.startswith(f"YouTube-VOS {made / 'meta.json'}: ")
    assert message in found


def test_a_json_that_cannot_be_read(made: Path) -> None:
    meta = made / "meta.json"
    meta.write_text(meta.read_text()[:-3])
    assert "meta.json: not JSON, or cut short" in refused(made)
    meta.write_text('{"videos": {"0a": {"objects": {"1": {}, "1": {}}}}}')
    assert "an object has the key '1' twice" in refused(made)
    meta.unlink()
    assert "meta.json: cannot be read" in refused(made)
