"""Scenes made of pictures and cut-outs: masks that follow the pixels, what is hidden, and the dataset of them."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmdet.structures.mask import BitmapMasks
from numpy.typing import NDArray

from detectors.lite_htc import UNLABELLED
from vis_pipeline import masks
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.detector.photographs import PhotographScenes, PointMasks
from vis_pipeline.training.detector.pictures import Labelled, Picture
from vis_pipeline.training.detector.sampling import FrameDraw
from vis_pipeline.training.detector.scenes import (
    Cutout,
    LabelledScene,
    LabelledSceneSettings,
    cut_out,
    paste,
    relit,
    view,
)

RED = (0, 0, 255)
SETTINGS = LabelledSceneSettings(size=96, long_side=(60.0, 200.0), paste_side=(20.0, 60.0), smallest=4.0)


def disc(height: int, width: int, x: float, y: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:height, :width]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def picture_of_discs(path: Path, label: int = 1, unlabelled: tuple[int, ...] = ()) -> Picture:
    """Two red discs on black, 120x80; the second is cut by the right edge."""
    image = np.zeros((80, 120, 3), dtype=np.uint8)
    objects = []
    for x, y, radius in ((40, 30, 18), (110, 50, 22)):
        mask = disc(80, 120, x, y, radius)
        image[mask] = RED
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        objects.append(Labelled(label, box, mask[box[1] : box[3], box[0] : box[2]], False))
    cv2.imwrite(str(path), image)
    return Picture(path, 80, 120, tuple(objects), unlabelled)


def drawn(entry: Labelled, size: int) -> NDArray[np.bool_]:
    canvas = np.zeros((size, size), dtype=bool)
    left, top, right, bottom = entry.box
    canvas[top:bottom, left:right] = entry.mask
    assert entry.mask.any(axis=0).all() or entry.mask.any(axis=1).all()
    assert entry.mask[0].any() and entry.mask[-1].any() and entry.mask[:, 0].any() and entry.mask[:, -1].any()
    return canvas


def test_masks_follow_the_pixels_of_a_view(tmp_path: Path) -> None:
    picture = picture_of_discs(tmp_path / "discs.png")
    for seed in range(40):
        scene = view(picture, SETTINGS, np.random.default_rng(seed))
        assert scene.image.shape == (96, 96, 3)
        red = (scene.image[..., 2].astype(int) - scene.image[..., 0]) > 127
        union = np.zeros_like(red)
        for entry in scene.objects:
            union |= drawn(entry, 96)
        assert (union ^ red).sum() <= 0.02 * max(red.sum(), 50)


def test_views_differ_in_scale_and_place_and_cover_both_ends_of_the_range(tmp_path: Path) -> None:
    picture = picture_of_discs(tmp_path / "discs.png")
    sides = []
    for seed in range(60):
        scene = view(picture, SETTINGS, np.random.default_rng(seed))
        sides += [entry.box[3] - entry.box[1] for entry in scene.objects[:1] if entry.box[1] > 0 and entry.box[3] < 96]
    # The first disc is 37 pixels high of 120 wide.
    assert min(sides) < 37 * 60 / 120 * 1.2
    assert max(sides) > 37 * 200 / 120 * 0.8
    assert len(set(sides)) > 10


def red_cutout(side: int, label: int = 2) -> Cutout:
    mask = np.zeros((side + 4, side + 4), dtype=bool)
    mask[2:-2, 2:-2] = True
    pixels = np.zeros((side + 4, side + 4, 3), dtype=np.uint8)
    pixels[mask] = RED
    return Cutout(pixels, mask, label)


def test_a_cut_out_is_its_object_with_a_rim(tmp_path: Path) -> None:
    picture = picture_of_discs(tmp_path / "discs.png")
    whole = cut_out(picture, picture.objects[0])
    assert whole.mask.shape == (37 + 4, 37 + 4)
    assert whole.mask.sum() == picture.objects[0].area
    assert (whole.pixels[whole.mask] == RED).all()
    small = cut_out(picture, picture.objects[0], longest=20)
    assert max(small.mask.shape) == 20
    at_edge = cut_out(picture, picture.objects[1])
    assert at_edge.pixels.shape[:2] == at_edge.mask.shape


def test_what_is_pasted_has_its_mask_and_takes_from_those_below(tmp_path: Path) -> None:
    below = Labelled(0, (0, 0, 96, 96), np.ones((96, 96), dtype=bool), False)
    for seed in range(30):
        scene = LabelledScene(np.zeros((96, 96, 3), dtype=np.uint8), (below,), (3,))
        pasted = paste(scene, red_cutout(40), SETTINGS, np.random.default_rng(seed))
        assert pasted.unlabelled == (3,)
        old, new = pasted.objects
        assert (old.label, new.label) == (0, 2)
        new_mask = drawn(new, 96)
        assert not (new_mask & drawn(old, 96)).any()
        assert (new_mask | drawn(old, 96)).all()
        red = (pasted.image[..., 2].astype(int) - pasted.image[..., 0]) > 80
        assert (red ^ new_mask).sum() <= 0.12 * new_mask.sum() + 8
        assert not scene.image.any()


@pytest.mark.parametrize(("rest", "left", "ignored"), [(0.05, False, None), (0.3, True, True), (0.6, True, False)])
def test_little_that_is_left_of_an_object_is_ignored_or_gone(rest: float, left: bool, ignored: bool | None) -> None:
    settings = LabelledSceneSettings(size=96, paste_side=(60.0, 60.0), turn=0.0)
    for seed in range(12):
        empty = LabelledScene(np.zeros((96, 96, 3), dtype=np.uint8), (), ())
        (cover,) = paste(empty, red_cutout(60), settings, np.random.default_rng(seed)).objects
        rows, columns = np.nonzero(drawn(cover, 96))
        bare = np.argwhere(~drawn(cover, 96))
        if len(bare) < 200:
            continue
        hidden = round(200 * (1 - rest))
        mask = np.zeros((96, 96), dtype=bool)
        mask[rows[:hidden], columns[:hidden]] = True
        mask[tuple(bare[: 200 - hidden].T)] = True
        object_below = Labelled(0, (0, 0, 96, 96), mask, False)
        scene = LabelledScene(empty.image, (object_below,), ())
        objects = paste(scene, red_cutout(60), settings, np.random.default_rng(seed)).objects
        assert len(objects) == 1 + left
        if left:
            assert objects[0].crowd == ignored
            assert objects[0].area == 200 - hidden


def test_another_light_keeps_the_form(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 250, 5, dtype=np.uint8)[None, :, None], (20, 1, 3))
    before = ramp.copy()
    looks = [relit(ramp, np.random.default_rng(seed)) for seed in range(20)]
    assert (ramp == before).all()
    assert len({look.tobytes() for look in looks}) == 20
    for look in looks:
        assert look.shape == ramp.shape and look.dtype == np.uint8
        means = look.astype(float).mean(axis=(0, 2))
        assert means[-5:].mean() > means[:5].mean() + 50


@pytest.fixture
def sources(tmp_path: Path) -> list[dict[str, Any]]:
    """Two COCO files: cats, wholly labelled, and one dog a picture."""
    found = []
    for name, category in (("cats", 17), ("dogs", 18)):
        folder = tmp_path / name
        folder.mkdir()
        images, annotations = [], []
        for place in range(3):
            image = np.full((80, 120, 3), 30 * place, dtype=np.uint8)
            mask = disc(80, 120, 50, 40, 25)
            image[mask] = (255, 255, 0)
            cv2.imwrite(str(folder / f"{place}.png"), image)
            images.append({"id": place, "width": 120, "height": 80, "file_name": f"{place}.png"})
            rle = masks.encode(mask[None])[0]
            annotations.append({"id": place + 1, "image_id": place, "category_id": category, "segmentation": rle})
        content = {"images": images, "annotations": annotations, "categories": [{"id": category, "name": name[:-1]}]}
        (folder / "instances.json").write_text(json.dumps(content))
        found.append({"annotations": str(folder / "instances.json"), "images": str(folder)})
    found[1] |= {"labelled": [], "weight": 0.5}
    return found


CLASSES = [("cat", ["cat"]), ("dog", ["dog"]), ("thing", ["..."])]


def test_the_dataset_gives_mmdets_samples_which_depend_on_the_draw_alone(sources: list[dict[str, Any]]) -> None:
    dataset = PhotographScenes(sources, CLASSES, scene={"size": 96}, paste_classes={"dog": 2.0})
    assert dataset.parts == [(3, 1.0), (3, 0.5)]
    assert dataset.metainfo["classes"] == ("cat", "dog", "thing")
    packed = dataset[FrameDraw(4, seed=1, number=9)]
    again = PhotographScenes(sources, CLASSES, scene={"size": 96}, paste_classes={"dog": 2.0})
    for _ in range(3):
        again[FrameDraw(1, seed=1, number=5)]
    assert again[FrameDraw(4, seed=1, number=9)]["inputs"].equal(packed["inputs"])
    assert not dataset[FrameDraw(4, seed=1, number=10)]["inputs"].equal(packed["inputs"])
    sample = packed["data_samples"]
    assert sample.metainfo[UNLABELLED] == (0, 1, 2)
    assert sample.metainfo["img_path"].endswith("dogs/1.png")
    assert len(sample.gt_instances.masks) == len(sample.gt_instances.labels) == len(sample.gt_instances.bboxes)
    assert sample.gt_instances.masks.masks.shape[1:] == packed["inputs"].shape[1:] == (96, 96)
    assert dataset[FrameDraw(0, seed=1, number=9)]["data_samples"].metainfo[UNLABELLED] == ()


def test_cut_outs_of_all_sources_are_pasted_by_their_weights(sources: list[dict[str, Any]]) -> None:
    dataset = PhotographScenes(
        sources, CLASSES, scene={"size": 96, "pastes": (0.0, 1.0)}, paste_classes={"dog": 1.0, "cat": 0.0}
    )
    labels = [dataset[FrameDraw(0, 1, number)]["data_samples"].gt_instances.labels.tolist() for number in range(20)]
    assert sum(1 in found for found in labels) > 10
    with pytest.raises(ConfigError, match="'fox' is none of the classes cat, dog, thing"):
        PhotographScenes(sources, CLASSES, paste_classes={"fox": 1.0})


def test_mask_targets_are_the_mask_at_the_middle_of_each_cell() -> None:
    drawn_masks = np.stack([disc(70, 90, 40, 30, 22), disc(70, 90, 60, 40, 9)]).astype(np.uint8)
    boxes = np.array([[15.3, 6.0, 66.1, 55.2], [50.0, 30.0, 70.5, 49.0], [30.2, 20.7, 44.9, 33.3]], dtype=np.float32)
    inds = np.array([0, 1, 0])
    masks_of_points = PointMasks(drawn_masks, 70, 90)[np.array([True, True])]
    found = masks_of_points.crop_and_resize(boxes, (28, 28), inds, device="cpu", binarize=True).masks
    wrong = 0
    for target, (left, top, right, bottom), index in zip(found, boxes, inds, strict=True):
        for row in range(28):
            for column in range(28):
                x, y = left + (column + 0.5) * (right - left) / 28, top + (row + 0.5) * (bottom - top) / 28
                inside = (x - 0.5 - (40, 60)[index]) ** 2 + (y - 0.5 - (30, 40)[index]) ** 2
                far = abs(inside**0.5 - (22, 9)[index]) > 1
                wrong += far and target[row, column] != (inside < (22, 9)[index] ** 2)
    assert wrong == 0
    averaged = BitmapMasks(drawn_masks, 70, 90).crop_and_resize(boxes, (28, 28), inds).masks
    assert (averaged.astype(bool) ^ found).mean() < 0.02
