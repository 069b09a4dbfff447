"""Each form of data set as training objects, which of it is taken, and what is wrong with it in one line."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tracker_scenes import HEIGHT, WIDTH, write_split

from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.settings.config import parse
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.host_crops import PairCutter
from vis_pipeline.training.tracker.pairs import PairSampler
from vis_pipeline.training.tracker.settings import AugmentSettings, PairSettings, TrackerTraining
from vis_pipeline.training.tracker.source_settings import CocoSource, DavisSource, VideoSource, VosSource
from vis_pipeline.training.tracker.sources import read_training_set

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data"
HELD_OUT = ("bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train")


def write_coco(folder):
    """Two images: one with a polygon and a crowd, one with an RLE and a box-only annotation; class ids with a gap."""
    (folder / "images").mkdir(parents=True)
    for number in (7, 9):
        cv2.imwrite(str(folder / f"images/{number}.png"), np.full((40, 50, 3), 20 * number, np.uint8))
    square = np.zeros((1, 40, 50), np.bool_)
    square[0, 10:30, 5:45] = True
    crowd = {"size": [40, 50], "counts": [0, 2000]}
    content = {
        "images": [{"id": number, "file_name": f"{number}.png", "width": 50, "height": 40} for number in (7, 9)],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 90, "segmentation": [[10, 5, 30, 5, 30, 25, 10, 25]], "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 1, "segmentation": crowd, "iscrowd": 1},
            {"id": 3, "image_id": 9, "category_id": 1, "segmentation": masks.encode(square)[0], "iscrowd": 0},
            {"id": 4, "image_id": 9, "category_id": 1, "bbox": [1, 1, 20, 20], "iscrowd": 0},
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return CocoSource(folder / "instances.json", folder / "images")


def write_davis(folder, names=("bear", "camel", "swing")):
    for name in names:
        for kind in ("frames", "masks"):
            (folder / kind / name).mkdir(parents=True)
        for index in range(3):
            mask = np.zeros((40, 60), np.uint8)
            mask[5 : 20 + index, 10:40] = 255
            cv2.imwrite(str(folder / f"frames/{name}/{index:05}.jpg"), np.full((40, 60, 3), 90, np.uint8))
            cv2.imwrite(str(folder / f"masks/{name}/{index:05}.png"), mask)
    return DavisSource(folder / "frames", folder / "masks")


def write_vos(folder, names=("0a", "1b")):
    """Three annotated frames a video: a `person` who leaves before the last, a `dog` that comes after the first."""
    for name in names:
        for kind in ("frames", "masks"):
            (folder / kind / name).mkdir(parents=True)
        for index in range(3):
            labels = Image.new("P", (60, 40))
            labels.putpalette([0, 0, 0, 200, 40, 60, 30, 90, 220])
            if index < 2:
                labels.paste(1, (10, 5, 40, 20 + index))
            if index > 0:
                labels.paste(2, (35, 25, 55, 38))
            labels.save(folder / f"masks/{name}/{5 * index:05}.png")
            cv2.imwrite(str(folder / f"frames/{name}/{5 * index:05}.jpg"), np.full((40, 60, 3), 90, np.uint8))
    objects = {"1": {"category": "person"}, "2": {"category": "dog", "frames": ["00005", "00010"]}}
    (folder / "meta.json").write_text(json.dumps({"videos": {name: {"objects": objects} for name in names}}))
    return VosSource(folder / "meta.json", folder / "masks", folder / "frames")


def test_coco_images_are_videos_of_one_frame(tmp_path):
    data = read_training_set([write_coco(tmp_path)])
    assert [video.paths for video in data.videos] == [(tmp_path / "images/7.png",), (tmp_path / "images/9.png",)]
    assert [(entry.video, entry.category) for entry in data.objects] == [(0, (0, 90)), (1, (0, 1))]
    assert data.objects[0].boxes.tolist() == [[10, 5, 20, 20]]
    assert data.objects[1].boxes.tolist() == [[5, 10, 40, 20]]
    assert [video.objects for video in data.videos] == [(0,), (1,)]


def test_davis_sequences_are_videos_of_one_object(tmp_path):
    data = read_training_set([write_davis(tmp_path)])
    assert [video.paths[2] for video in data.videos][:2] == [
        tmp_path / "frames/bear/00002.jpg",
        tmp_path / "frames/camel/00002.jpg",
    ]
    assert data.objects[0].boxes.tolist() == [[10, 5, 30, 15], [10, 5, 30, 16], [10, 5, 30, 17]]
    assert data.videos[0].name.endswith("masks, bear")


def test_youtube_vos_videos_have_the_objects_of_their_json(tmp_path):
    data = read_training_set([write_vos(tmp_path)])
    assert [video.paths[1] for video in data.videos] == [tmp_path / f"frames/{name}/00005.jpg" for name in ("0a", "1b")]
    assert [(entry.video, entry.category) for entry in data.objects] == [
        (0, (0, 2)),
        (0, (0, 1)),
        (1, (0, 2)),
        (1, (0, 1)),
    ]
    person, dog = data.objects[:2]
    assert person.boxes.tolist() == [[10, 5, 30, 15], [10, 5, 30, 16], [0, 0, 0, 0]]
    assert (person.visible.tolist(), person.hidden.tolist(), dog.visible.tolist()) == ([0, 1], [2], [1, 2])
    assert data.videos[1].name == f"YouTube-VOS {tmp_path / 'meta.json'}, 1b"


def test_youtube_vos_pairs_can_be_cut(tmp_path):
    data = read_training_set([write_vos(tmp_path)])
    sampler, rng = PairSampler(data, PairSettings(), AugmentSettings()), np.random.default_rng(0)
    pairs = [sampler.draw(rng) for _ in range(4)]
    batch = PairCutter(data, FrameStore(data.videos, 1), AugmentSettings()).batch(pairs, rng)
    assert batch.search_masks.flatten(1).any(1)[batch.positive].all()


def test_sources_get_their_shares_and_keep_their_classes_apart(tmp_path):
    coco, davis = write_coco(tmp_path / "coco"), write_davis(tmp_path / "davis")
    split, frames = write_split(tmp_path, videos=1)
    weighted = [replace(coco, weight=2.0), davis]
    data = read_training_set([*weighted, VideoSource(split, frames, weight=5.0)])
    shares = {
        source: data.weights[[entry.category[0] == source for entry in data.objects]].sum() for source in range(3)
    }
    assert shares == pytest.approx({0: 2 / 8, 1: 1 / 8, 2: 5 / 8})
    sampler, rng = PairSampler(data, PairSettings(negatives=0), AugmentSettings()), np.random.default_rng(0)
    drawn = [data.objects[sampler.draw(rng).target].category[0] for _ in range(2000)]
    assert np.bincount(drawn) / 2000 == pytest.approx([2 / 8, 1 / 8, 5 / 8], abs=0.04)


def test_only_and_without_choose_videos_by_name(tmp_path):
    davis = write_davis(tmp_path / "davis")
    kept = read_training_set([DavisSource(davis.frames, davis.masks, without=("camel",))])
    assert [video.paths[0].parent.name for video in kept.videos] == ["bear", "swing"]
    kept = read_training_set([DavisSource(davis.frames, davis.masks, only=("camel", "swing"), without=("swing",))])
    assert [video.paths[0].parent.name for video in kept.videos] == ["camel"]
    coco = write_coco(tmp_path / "coco")
    kept = read_training_set([CocoSource(coco.instances, coco.images, only=("9.png",))])
    assert [entry.category for entry in kept.objects] == [(0, 1)]
    split, frames = write_split(tmp_path)
    vos = write_vos(tmp_path / "vos")
    kept = read_training_set([replace(vos, only=("1b",))])
    assert [video.paths[0].parent.name for video in kept.videos] == ["1b"]
    kept = read_training_set([VideoSource(split, frames, without=("001",))])
    assert {video.paths[0].parent.name for video in kept.videos} == {"002"}
    assert {entry.video for entry in kept.objects} == {0}


def test_a_name_that_is_not_there_is_an_error(tmp_path):
    davis = write_davis(tmp_path)
    with pytest.raises(
        ConfigError, match=r"masks: `without` names 'camels', which is not in it; did you mean 'camel'\?"
    ):
        read_training_set([DavisSource(davis.frames, davis.masks, without=("camels",))])
    with pytest.raises(ConfigError, match=r"`only` names 'xyz', which is not in it$"):
        read_training_set([DavisSource(davis.frames, davis.masks, only=("xyz",))])
    vos = write_vos(tmp_path / "vos")
    with pytest.raises(
        ConfigError, match=r"YouTube-VOS .*meta\.json: `only` names '1c', which is not in it; did you mean"
    ):
        read_training_set([replace(vos, only=("1c",))])


def test_missing_frames_are_named_before_training(tmp_path):
    split, frames = write_split(tmp_path / "vis")
    (frames / "002/00004.png").unlink()
    with pytest.raises(DataError, match=r"instances\.json: no frame .*002/00004\.png; give the folder") as caught:
        read_training_set([VideoSource(split, frames)])
    assert "\n" not in str(caught.value)
    read_training_set([VideoSource(split, frames, without=("002",))])
    with pytest.raises(DataError, match=r"no frame .*nowhere/001/00000\.png \(and 11 more files\)"):
        read_training_set([VideoSource(split, frames.parent / "nowhere")])
    coco = write_coco(tmp_path / "coco")
    (coco.images / "7.png").unlink()
    with pytest.raises(DataError, match=r"COCO file .*: no frame .*images/7\.png; "):
        read_training_set([coco])
    vos = write_vos(tmp_path / "vos")
    (vos.frames / "1b/00005.jpg").unlink()
    with pytest.raises(DataError, match=r"YouTube-VOS .*: video 1b: frame 00005\.jpg of a mask is not in"):
        read_training_set([vos])


def test_a_source_without_objects_cannot_be_trained_on(tmp_path):
    split, frames = write_split(tmp_path, videos=1)
    content = json.loads(split.read_text())
    del content["annotations"]
    split.write_text(json.dumps(content))
    with pytest.raises(DataError, match="no visible annotated object"):
        read_training_set([VideoSource(split, frames)])
    with pytest.raises(ConfigError, match="sources: empty"):
        read_training_set([])


def test_masks_of_few_pixels_count_as_hidden(tmp_path):
    split, frames = write_split(tmp_path, videos=1)
    content = json.loads(split.read_text())
    speck = np.zeros((1, HEIGHT, WIDTH), dtype=np.bool_)
    speck[0, 5, 5:9] = True
    content["annotations"][0]["segmentations"][4] = masks.encode(speck)[0]
    split.write_text(json.dumps(content))
    assert 4 not in read_training_set([VideoSource(split, frames)]).objects[0].visible
    assert 4 in read_training_set([VideoSource(split, frames, least_area=4)]).objects[0].visible
    with pytest.raises(DataError, match="no visible annotated object"):
        read_training_set([VideoSource(split, frames, least_area=HEIGHT * WIDTH)])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"type": "cocoa", "images": "x"}, "sources.0 = .*: type is youtube_vis, youtube_vos, coco or davis"),
        (
            {"type": "coco", "instances": "a", "images": "b", "weigth": 2},
            "'sources.0.weigth'; did you mean 'weight'",
        ),
        ({"type": "davis", "frames": "a"}, "key 'sources.0.masks' is missing"),
        (
            {"type": "youtube_vos", "meta": "a", "anotations": "b", "frames": "c"},
            "'sources.0.anotations'; did you mean 'annotations'",
        ),
        ({"split": "a", "frames": "b", "weight": 0}, "sources.0.weight = 0: "),
        ({"type": "davis", "frames": "a", "masks": "b", "without": "bear"}, "without = 'bear': "),
    ],
)
def test_faults_of_an_entry_are_one_line(entry, message):
    content = {"architecture": "small", "schedule": {"steps": 1}, "sources": [entry]}
    with pytest.raises(ConfigError, match=message) as caught:
        parse(TrackerTraining, content, "config x")
    assert "\n" not in str(caught.value)


def test_the_type_chooses_the_source():
    entries = [
        {"split": "a", "frames": "b"},
        {"type": "coco", "instances": "a", "images": "b", "only": ["c.jpg"]},
        {"type": "davis", "frames": "a", "masks": "b", "weight": 3},
        {"type": "youtube_vos", "meta": "a", "annotations": "b", "frames": "c", "least_area": 9},
    ]
    content = {"architecture": "small", "schedule": {"steps": 1}, "sources": entries}
    found = parse(TrackerTraining, content, "config x").sources
    assert found == (
        VideoSource(Path("a"), Path("b")),
        CocoSource(Path("a"), Path("b"), only=("c.jpg",)),
        DavisSource(Path("a"), Path("b"), weight=3.0),
        VosSource(Path("a"), Path("b"), Path("c"), least_area=9.0),
    )


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real photographs and sequences are not beside this checkout")
def test_real_data_without_the_held_out_sequences():
    davis = DavisSource(SHARED / "davis2016_train/frames", SHARED / "davis2016_train/masks", without=HELD_OUT)
    coco = CocoSource(SHARED / "coco_sample/instances.json", SHARED / "coco_sample/images")
    data = read_training_set([davis, coco])
    sequences = {video.paths[0].parent.name for video in data.videos[:22]}
    assert len(sequences) == 22 and not sequences.intersection(HELD_OUT)
    assert len(data.videos) == 122
    assert len({entry.category[1] for entry in data.objects if entry.category[0] == 1}) > 60
    sampler, rng = PairSampler(data, PairSettings(), AugmentSettings()), np.random.default_rng(0)
    pairs = [sampler.draw(rng) for _ in range(12)]
    batch = PairCutter(data, FrameStore(data.videos, 1), AugmentSettings()).batch(pairs, rng)
    shown = batch.search_masks.flatten(1).any(1)
    assert shown[batch.positive].all()
