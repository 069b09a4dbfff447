"""What can be cut out and what lies behind: COCO files, sprites, folders and splits, and their faults."""

import json

import numpy as np
import pytest
from composed_inputs import HEIGHT, WIDTH, runs, square_mask, write_backgrounds, write_coco, write_image, write_sprite

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed.backgrounds import find_backgrounds, is_sequence
from vis_pipeline.synthesis.composed.inputs import open_inputs
from vis_pipeline.synthesis.composed.photographs import joined, read_photographs, usable_sources
from vis_pipeline.synthesis.composed.settings import NORMAL
from vis_pipeline.synthesis.composed.sources import library
from vis_pipeline.synthesis.composed.sprites import find_sprites


def rewrite(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_polygons_and_runs_are_the_same_masks(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40), (31, 21, 41)])
    polygon = [31, 21, 72, 21, 72, 62, 31, 62]
    rewrite(coco, lambda content: content["annotations"][1].update(segmentation=[polygon]))
    found = read_photographs(coco, images)
    assert [category.id for category in found.categories] == [7, 90]
    for photograph, square in zip(found.photographs, [(30, 20, 40), (31, 21, 41)], strict=True):
        np.testing.assert_array_equal(masks.decode(photograph.instances[0].mask), square_mask(*square))


def test_the_order_of_keys_does_not_matter(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40)])
    before = read_photographs(coco, images)
    content = json.loads(coco.read_text())
    coco.write_text(json.dumps(dict(reversed(content.items()))))
    assert read_photographs(coco, images) == before


@pytest.mark.parametrize(
    ("squares", "iscrowd", "least", "reason"),
    [
        ([(30, 20, 40), (30, 20, 41)], 1, 100, "2 crowds"),
        ([(30, 20, 9), (30, 20, 30)], 0, 1000, "2 smaller than 1000 pixels"),
        ([(0, 20, 40), (30, 56, 40), (88, 20, 40), (30, 0, 40)], 0, 100, "4 touching the border of their image"),
        ([(0, 20, 40), (0, 30, 40), (50, 50, 5)], 0, 100, "2 touching .*, 1 smaller than 100 pixels"),
    ],
)
def test_what_cannot_be_cut_out_is_said(tmp_path, squares, iscrowd, least, reason):
    coco, images = write_coco(tmp_path, squares, iscrowd=iscrowd)
    with pytest.raises(DataError, match=f"^no instance can be cut out: {reason}"):
        usable_sources(read_photographs(coco, images), least)


def test_usable_instances_know_those_near_them(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40)])

    def add(content):
        near, far = square_mask(73, 20, 10), square_mask(110, 80, 10)
        for number, mask in enumerate((near, far), start=2):
            extra = {"id": number, "image_id": 1, "category_id": 90, "segmentation": runs(mask)}
            content["annotations"].append(extra)

    rewrite(coco, add)
    (source,) = usable_sources(read_photographs(coco, images), 1000)
    assert [masks.area([rle])[0] for rle in source.neighbours] == [100]


def change_first(key, value):
    return lambda content: content["annotations"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("images"), "no list `images`"),
        (lambda content: content.pop("categories"), "no list `categories`"),
        (lambda content: content.update(videos=[content.pop("images")]), "it lists videos"),
        (change_first("image_id", 44), "annotation 1: no image has the id 44"),
        (change_first("category_id", 44), "no category has the id 44"),
        (change_first("segmentation", {"size": [5, 5], "counts": [25]}), "annotation 1: mask of size"),
        (change_first("iscrowd", 3), "annotations.0: iscrowd"),
        (lambda content: content.update(annotations=None), "no list `annotations`"),
        (lambda content: content.update(annotations=[]), "there are none at all"),
    ],
)
def test_a_file_that_is_no_coco(tmp_path, change, message):
    coco, images = write_coco(tmp_path, [(30, 20, 40)])
    rewrite(coco, change)
    with pytest.raises(DataError, match=message) as raised:
        usable_sources(read_photographs(coco, images), 100)
    assert "\n" not in str(raised.value)


def test_missing_images_are_counted(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40), (30, 20, 41), (30, 20, 42)])
    (images / "2.png").unlink()
    with pytest.raises(DataError, match=r"1 of 3 images are missing, the first is 2\.png"):
        read_photographs(coco, images)


def test_rare_classes_are_drawn_more_often_than_their_share(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40)] * 16)
    rewrite(coco, change_first("category_id", 90))
    sources = usable_sources(read_photographs(coco, images), 100)
    shelf = library((Category(7, "a"), Category(90, "b")), sources)
    rng = np.random.default_rng(0)
    rare = np.mean([shelf.draw(rng)[0].category_id == 90 for _ in range(400)])
    # One of 16 by number; 1 / (1 + sqrt(15)) by square roots.
    assert rare == pytest.approx(1 / (1 + np.sqrt(15)), abs=0.06)


def test_classes_of_sprites(tmp_path):
    for name in ("cat/1.png", "cat/deep/2.png", "dog/1.webp", "bird_12.png"):
        write_sprite(tmp_path / name)
    known = (Category(3, "dog"), Category(9, "bus"))
    categories, sprites = find_sprites(tmp_path, "folder", known)
    assert categories == (*known, Category(10, "cat"), Category(11, "sprite"))
    assert {(sprite.path.name, sprite.category_id) for sprite in sprites} == {
        ("1.png", 10), ("2.png", 10), ("1.webp", 3), ("bird_12.png", 11)
    }  # fmt: skip
    categories, sprites = find_sprites(tmp_path, "name", ())
    assert [category.name for category in categories] == ["bird", "sprite"]


def test_faults_of_sprites(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.png or \.webp"):
        find_sprites(tmp_path, "folder", ())
    with pytest.raises(DataError, match="not a folder"):
        find_sprites(tmp_path / "none", "folder", ())
    with pytest.raises(DataError, match="--sprite-classes shape: give one of folder, name"):
        find_sprites(tmp_path, "shape", ())
    write_image(tmp_path / "opaque.png", np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(DataError, match=r"opaque\.png: has no alpha channel"):
        find_sprites(tmp_path, "folder", ())
    (tmp_path / "opaque.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"opaque\.png: cannot be read"):
        find_sprites(tmp_path, "folder", ())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["00000.jpg", "00001.jpg", "00002.jpg"], True),
        (["00000.jpg", "00005.jpg", "00010.jpg"], True),
        (["shot2_7.png", "shot2_8.png"], True),
        (["00000.jpg", "00001.jpg", "00003.jpg"], False),
        (["a1.jpg", "b2.jpg"], False),
        (["cat.jpg", "dog.jpg"], False),
        (["1.jpg"], False),
    ],
)
def test_numbered_frames_are_a_sequence(names, expected):
    assert is_sequence(names) == expected


def test_folders_hold_photographs_and_sequences(tmp_path):
    write_backgrounds(tmp_path, 3)
    write_backgrounds(tmp_path / "deep/shot", 4, name="{:05d}.png")
    write_backgrounds(tmp_path / "things", 2, name="thing{0}_x{0}.png")
    found = find_backgrounds([tmp_path], (), (), 8)
    assert sorted(len(background.paths) for background in found) == [1, 1, 1, 1, 1, 4]
    shot = max(found, key=lambda background: len(background.paths))
    assert [path.name for path in shot.paths] == ["00000.png", "00001.png", "00002.png", "00003.png"]


def test_annotated_photographs_bring_their_objects(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40), (30, 20, 41)])
    photographs = read_photographs(coco, images).photographs
    write_backgrounds(images, 1, name="plain.png")
    found = find_backgrounds([images], photographs, (), 1)
    assert [[item.category_id for item in background.objects] for background in found] == [[7], [7], []]
    assert len(find_backgrounds([images], photographs, (), 0)) == 1
    crowds = [json.loads(coco.read_text())]
    crowds[0]["annotations"][0]["iscrowd"] = 1
    coco.write_text(json.dumps(crowds[0]))
    assert len(find_backgrounds([images], read_photographs(coco, images).photographs, (), 1)) == 2


def write_split(folder, names):
    """A split of one video of two frames for each name of its object's class."""
    videos, annotations = [], []
    for number, name in enumerate(names, start=1):
        files = [f"{number}/0.png", f"{number}/1.png"]
        write_backgrounds(folder / f"JPEGImages/{number}", 2)
        videos.append({"id": number, "width": WIDTH, "height": HEIGHT, "length": 2, "file_names": files})
        segmentations = [runs(square_mask(30, 20, 40)), None]
        entry = {"id": number, "video_id": number, "category_id": names.index(name) + 1, "segmentations": segmentations}
        annotations.append(entry)
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    content = {"videos": videos, "categories": categories, "annotations": annotations}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def test_a_split_brings_objects_of_classes_by_name(tmp_path):
    write_split(tmp_path, ["lizard", "dog"])
    for place in (tmp_path, tmp_path / "instances.json"):
        (background,) = find_backgrounds([place], (), (Category(18, "dog"),), 8)
        assert [path.parent.name for path in background.paths] == ["2", "2"]
        (item,) = background.objects
        assert item.category_id == 18
        assert [rle is None for rle in item.segmentations] == [False, True]


def test_objects_of_other_classes_get_the_other_category(tmp_path):
    write_split(tmp_path, ["lizard", "dog"])
    found = find_backgrounds([tmp_path], (), (Category(18, "dog"),), 8, Category(19, "thing"))
    assert [[item.category_id for item in background.objects] for background in found] == [[19], [18]]


def test_faults_of_backgrounds(tmp_path):
    with pytest.raises(DataError, match="no such folder or split"):
        find_backgrounds([tmp_path / "none"], (), (), 8)
    with pytest.raises(DataError, match="holds no images"):
        find_backgrounds([tmp_path], (), (), 8)
    split = write_split(tmp_path / "split", ["lizard"])
    with pytest.raises(DataError, match="all 1 have crowds, objects of unknown classes, or more than 8"):
        find_backgrounds([split], (), (), 8)
    (split / "JPEGImages/1/0.png").unlink()
    with pytest.raises(DataError, match=r"video 1 \(1\) has no frame"):
        find_backgrounds([split], (), (), 8)


def test_faults_of_the_inputs_together(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40)])
    for arguments in ({"instances": [coco]}, {"images": [images]}, {"instances": [coco, coco], "images": [images]}):
        with pytest.raises(DataError, match="--instances and --images go together"):
            open_inputs(NORMAL, [images], **arguments)
    with pytest.raises(DataError, match="nothing to cut out"):
        open_inputs(NORMAL, [images])


def test_categories_of_several_files_meet_by_name(tmp_path):
    sets = []
    for name, ids in (("one", (7, 8)), ("two", (8,)), ("three", (90,))):
        folder = tmp_path / name
        folder.mkdir()
        coco, images = write_coco(folder, [(30, 20, 40)] * len(ids), category_ids=ids)
        if name == "three":
            # Another class under an id that is taken.
            rewrite(coco, lambda content: content["categories"][0].update(name="other"))
        sets.append(read_photographs(coco, images))
    found = joined(sets)
    assert found.categories == (
        Category(7, "class7"), Category(8, "class8"), Category(90, "class90"), Category(91, "other"),
    )  # fmt: skip
    assert [entry.instances[0].category_id for entry in found.photographs] == [8, 7, 8, 91]
    assert joined(sets[:1]) == sets[0]


def test_what_is_left_out_serves_for_nothing(tmp_path):
    coco, images = write_coco(tmp_path, [(30, 20, 40), (31, 21, 41)])
    for sequence in ("rhino", "train"):
        write_backgrounds(tmp_path / "videos" / sequence, 3, name="{:05d}.png")
    places = [images, tmp_path / "videos"]
    every = open_inputs(NORMAL, places, [coco], [images])
    assert {background.name for background in every.backgrounds} == {"1.png", "2.png", "rhino", "train"}
    some = open_inputs(NORMAL, places, [coco], [images], without=["rhino", "2.png"])
    assert {background.name for background in some.backgrounds} == {"1.png", "train"}
    assert {source.path.name for group in some.library.groups for source in group} == {"1.png"}
    with pytest.raises(DataError, match="--without trian: no photograph or sequence has this name"):
        open_inputs(NORMAL, places, [coco], [images], without=["trian"])
    with pytest.raises(DataError, match="--without: leaves no background"):
        open_inputs(NORMAL, [tmp_path / "videos"], [coco], [images], without=["rhino", "train"])
