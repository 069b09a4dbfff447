"""What the field's own readers, or literal ones where there is none to install, find in the files of each form.

datumaro and labelme pull in packages that this project does not have; their tests run where they are installed.
"""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import trackeval
from exchange_scenes import block, dense, notes, results, track, truth, video
from mmdet.datasets import BaseVideoDataset
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from evaluation.track_metrics import track_metrics
from vis_pipeline.exchange.content import SplitTracks, VideoTracks
from vis_pipeline.exchange.forms import FORMS, conventions

SIZE = (48, 64)


def moving(place, score, category, starts, gone=(), step=3) -> object:
    x, y = starts
    stack = [
        None if frame in gone else block(x + step * frame, y, x + step * frame + 14, y + 12, SIZE)
        for frame in range(place.length)
    ]
    return track(place, stack, score, category)


def scene() -> tuple[SplitTracks, SplitTracks]:
    """Ground truth and results of one video: two people, a car; one person lost for a while, one found twice."""
    place = video(3, 6, SIZE)
    real = VideoTracks(
        place, [moving(place, 1.0, 7, (2, 2)), moving(place, 1.0, 7, (5, 18)), moving(place, 1.0, 40, (1, 34))]
    )
    found = VideoTracks(
        place,
        [
            moving(place, 0.9, 7, (3, 3), gone=(0,)),
            moving(place, 0.8, 7, (5, 18), gone=(2, 3, 4, 5)),
            moving(place, 0.7, 7, (7, 17), gone=(0, 1)),
            moving(place, 0.6, 40, (2, 35)),
        ],
    )
    return truth([real]), results([found])


def written(form: str, content: SplitTracks, out: Path, first_frame: int | None = None) -> Path:
    FORMS[form].write(out, content, conventions(form, first_frame), notes())
    return out


def trackeval_config(tmp_path: Path, **more: object) -> dict[str, object]:
    return {
        "GT_FOLDER": str(tmp_path / "gt"),
        "TRACKERS_FOLDER": str(tmp_path),
        "TRACKERS_TO_EVAL": ["found"],
        "TRACKER_SUB_FOLDER": "",
        "GT_LOC_FORMAT": "{gt_folder}/{seq}.txt",
        "SEQ_INFO": {"clip3": 6},
        "PRINT_CONFIG": False,
        **more,
    }


@pytest.mark.parametrize(
    ("data_set", "first_frame", "classes"),
    [("KittiMOTS", None, ["car", "pedestrian"]), ("MOTSChallenge", 1, ["pedestrian"])],
)
def test_trackeval_scores_mots_txt_as_the_tracks_in_memory(tmp_path, data_set, first_frame, classes) -> None:
    real, found = scene()
    written("mots-txt", real, tmp_path / "gt", first_frame)
    written("mots-txt", found, tmp_path / "found", first_frame)
    more = {"SKIP_SPLIT_FOL": True} if data_set == "MOTSChallenge" else {}
    reader = getattr(trackeval.datasets, data_set)({**trackeval_config(tmp_path, **more), "CLASSES_TO_EVAL": classes})
    raw = reader.get_raw_seq_data("found", "clip3")
    expected = {
        entry.name: entry.figures for entry in track_metrics(found.tracks[0].tracks, real.split, ("hota",)).categories
    }
    for name in classes:
        scores = trackeval.metrics.HOTA().eval_sequence(reader.get_preprocessed_seq_data(raw, name))
        figures = expected["person" if name == "pedestrian" else name].fractions
        assert np.mean(scores["HOTA"]) == pytest.approx(figures["HOTA"], abs=1e-9)
        assert 0.3 < figures["HOTA"] < 1


def test_trackeval_reads_regions_to_be_ignored(tmp_path) -> None:
    place = video(3, 6, SIZE)
    real = truth([VideoTracks(place, [moving(place, 1.0, 7, (2, 2)), moving(place, 1.0, 2, (2, 30))], frozenset({1}))])
    written("mots-txt", real, tmp_path / "gt")
    extra = results([VideoTracks(place, [moving(place, 0.5, 7, (2, 2)), moving(place, 0.4, 7, (2, 30))])])
    written("mots-txt", extra, tmp_path / "found")
    reader = trackeval.datasets.KittiMOTS(trackeval_config(tmp_path))
    data = reader.get_preprocessed_seq_data(reader.get_raw_seq_data("found", "clip3"), "pedestrian")
    assert (data["num_gt_dets"], data["num_tracker_dets"]) == (6, 6)


def test_trackeval_reads_mot_txt(tmp_path) -> None:
    real, found = scene()
    people = [0, 1]
    (real_video,), (found_video,) = real.tracks, found.tracks
    real = truth([VideoTracks(real_video.video, [real_video.tracks[place] for place in people])])
    found = results([VideoTracks(found_video.video, found_video.tracks[:3])])
    written("mot-txt", real, tmp_path / "gt")
    written("mot-txt", found, tmp_path / "found")
    config = trackeval_config(tmp_path, SKIP_SPLIT_FOL=True)
    reader = trackeval.datasets.MotChallenge2DBox(config)
    raw = reader.get_raw_seq_data("found", "clip3")
    # Blocks are their own boxes, so the boxes score as the masks do.
    scores = trackeval.metrics.HOTA().eval_sequence(reader.get_preprocessed_seq_data(raw, "pedestrian"))
    expected = {
        entry.name: entry.figures for entry in track_metrics(found.tracks[0].tracks, real.split, ("hota",)).categories
    }
    assert np.mean(scores["HOTA"]) == pytest.approx(expected["person"].fractions["HOTA"], abs=1e-9)
    assert raw["tracker_confidences"][2].tolist() == [0.9, 0.7]


def test_pycocotools_reads_every_frame_of_coco(tmp_path) -> None:
    _, found = scene()
    coco = COCO(written("coco", found, tmp_path / "coco.json"))
    (one,) = found.tracks
    seen = {}
    for annotation in coco.loadAnns(coco.getAnnIds()):
        image = coco.loadImgs(annotation["image_id"])[0]
        mask = coco.annToMask(annotation).astype(bool)
        seen[annotation["track_id"], image["frame_id"]] = mask
        entry = one.tracks[annotation["track_id"] - 1]
        assert (annotation["category_id"], annotation["score"]) == (entry.category_id, entry.score)
        assert annotation["area"] == mask.sum() == annotation["bbox"][2] * annotation["bbox"][3]
        assert image["file_name"] == one.video.file_names[image["frame_id"]]
    expected = {(number, frame): mask for number, entry in enumerate(one.tracks, start=1)
                for frame, mask in enumerate(dense(entry)) if mask is not None}  # fmt: skip
    assert seen.keys() == expected.keys()
    assert all((seen[key] == mask).all() for key, mask in expected.items())
    assert {entry["name"] for entry in coco.loadCats(coco.getCatIds())} == {"person", "kite", "car"}


def test_mmdet_reads_cocovid(tmp_path) -> None:
    second = video(8, 2, SIZE)
    _, found = scene()
    both = results([*found.tracks, VideoTracks(second, [moving(second, 0.5, 2, (1, 1))])])
    out = written("cocovid", both, tmp_path / "cocovid.json")
    read = BaseVideoDataset(
        ann_file=str(out), metainfo={"classes": ("person", "kite", "car")}, pipeline=[], test_mode=True
    )
    listed = [read.get_data_info(index) for index in range(len(read))]
    lengths = {entry["video_id"]: entry["video_length"] for entry in listed}
    assert lengths == {3: 6, 8: 2}
    instances = [instance for image in listed[0]["images"] for instance in image["instances"]]
    assert sorted({instance["instance_id"] for instance in instances}) == [1, 2, 3, 4]
    assert [instance["instance_id"] for instance in listed[1]["images"][0]["instances"]] == [5]
    (first,) = found.tracks
    instance = next(entry for entry in listed[0]["images"][1]["instances"] if entry["instance_id"] == 1)
    assert (coco_mask.decode(instance["mask"]).astype(bool) == dense(first.tracks[0])[1]).all()
    assert [image["frame_id"] for image in listed[0]["images"]] == list(range(6))


def test_palette_pngs_are_those_of_davis(tmp_path) -> None:
    """By Pillow alone: indices, the colours that DAVIS shows them in, and names."""
    _, found = scene()
    written("davis", found, tmp_path / "davis")
    (one,) = found.tracks
    for frame in range(6):
        image = Image.open(tmp_path / f"davis/clip3/{frame:05d}.png")
        assert image.mode == "P"
        assert image.getpalette()[:15] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128]
        labels = np.array(image)
        for number, entry in enumerate(one.tracks, start=1):
            mask = dense(entry)[frame]
            shown = labels == number
            others = [other for other in one.tracks if other.score > entry.score and dense(other)[frame] is not None]
            for other in others:
                mask = None if mask is None else mask & ~dense(other)[frame]
            assert (shown == (np.zeros(SIZE, bool) if mask is None else mask)).all()


def cvat_masks(path: Path) -> dict[tuple[int, int], NDArray[np.bool_]]:
    """A literal reader of the masks of CVAT's tracks: pixel by pixel along the rows of a box."""
    found = {}
    for node in ElementTree.parse(path).getroot().iter("track"):
        for shape in node.iter("mask"):
            if shape.get("outside") == "1":
                continue
            left, top, width, height = (int(shape.get(key)) for key in ("left", "top", "width", "height"))
            mask, place, value = np.zeros(SIZE, bool), 0, False
            for run in shape.get("rle").split(", "):
                for pixel in range(place, place + int(run)):
                    mask[top + pixel // width, left + pixel % width] = value
                place, value = place + int(run), not value
            assert place == width * height
            found[int(node.get("id")), int(shape.get("frame"))] = mask
    return found


def test_cvat_masks_by_a_literal_reader(tmp_path) -> None:
    _, found = scene()
    out = written("cvat", found, tmp_path / "cvat")
    (one,) = found.tracks
    seen = cvat_masks(out / "clip3.xml")
    expected = {(number, frame): mask for number, entry in enumerate(one.tracks, start=1)
                for frame, mask in enumerate(dense(entry)) if mask is not None}  # fmt: skip
    assert seen.keys() == expected.keys()
    assert all((seen[key] == mask).all() for key, mask in expected.items())
    tracks = ElementTree.parse(out / "clip3.xml").getroot().findall("track")
    # CVAT shows a shape until it is told that the track is outside.
    assert [shape.get("frame") for shape in tracks[1].iter("mask") if shape.get("outside") == "1"] == ["2"]
    assert [shape.get("outside") for shape in tracks[0].iter("mask")] == ["0"] * 5
    assert {node.get("label") for node in tracks} == {"person", "car"}


def ringed() -> NDArray[np.bool_]:
    """A ring, and beside it a block: a hole and two parts."""
    mask = block(4, 4, 30, 40, SIZE)
    mask[12:30, 10:22] = False
    return mask | block(40, 10, 55, 20, SIZE)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_datumaro_reads_masks_and_boxes(tmp_path) -> None:
    dataset = pytest.importorskip("datumaro", reason="datumaro is not installed (pip install datumaro)")
    _, found = scene()
    (one,) = found.tracks
    expected = {(number, frame): mask for number, entry in enumerate(one.tracks, start=1)
                for frame, mask in enumerate(dense(entry)) if mask is not None}  # fmt: skip
    exclusive = {key: mask for key, mask in expected.items() if key[0] != 3}
    kept = results([VideoTracks(one.video, [one.tracks[0], one.tracks[1], one.tracks[3]])])
    written("mots-png", kept, tmp_path / "mots")
    read = dataset.Dataset.import_from(str(tmp_path / "mots"), "mots")
    seen = {
        (annotation.attributes["track_id"], int(item.id.split("/")[-1])): annotation.image.astype(bool)
        for item in read
        for annotation in item.annotations
    }
    renumbered = {(4 if number == 3 else number, frame): mask for (number, frame), mask in seen.items()}
    assert renumbered.keys() == exclusive.keys()
    assert all((renumbered[key] == mask).all() for key, mask in exclusive.items())

    written("cvat-polygons", found, tmp_path / "cvat")
    read = dataset.Dataset.import_from(str(tmp_path / "cvat/clip3.xml"), "cvat")
    polygons = {
        (annotation.attributes["track_id"], int(item.attributes["frame"])): annotation
        for item in read
        for annotation in item.annotations
        if not annotation.attributes["outside"]
    }
    assert polygons.keys() == expected.keys()
    for key, annotation in polygons.items():
        assert annotation.get_area() == expected[key].sum()

    (tmp_path / "annotations").mkdir()
    (tmp_path / "images").mkdir()
    written("coco", found, tmp_path / "annotations/instances_all.json")
    read = dataset.Dataset.import_from(str(tmp_path), "coco_instances")
    masks = [annotation for item in read for annotation in item.annotations if annotation.type.name == "mask"]
    pixels = sorted(annotation.image.astype(bool).tobytes() for annotation in masks)
    assert pixels == sorted(mask.tobytes() for mask in expected.values())


def test_datumaro_reads_masks_of_cvat(tmp_path) -> None:
    """datumaro 1.13 reads masks of images only: here are those of a track, as they stand, in an image each."""
    dataset = pytest.importorskip("datumaro", reason="datumaro is not installed (pip install datumaro)")
    place = video(3, 1, SIZE)
    out = written("cvat", results([VideoTracks(place, [track(place, [ringed()])])]), tmp_path / "cvat")
    root = ElementTree.parse(out / "clip3.xml").getroot()
    node = root.find("track")
    image = ElementTree.SubElement(root, "image", {"id": "0", "name": "a.png", "width": "64", "height": "48"})
    image.extend([ElementTree.Element("mask", {**shape.attrib, "label": "person"}) for shape in node.iter("mask")])
    root.remove(node)
    (tmp_path / "set/images").mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(tmp_path / "set/images/a.png")
    ElementTree.ElementTree(root).write(tmp_path / "set/annotations.xml")
    ((annotation,),) = [item.annotations for item in dataset.Dataset.import_from(str(tmp_path / "set"), "cvat")]
    assert (annotation.image.astype(bool) == ringed()).all()


def test_labelme_reads_polygons(tmp_path) -> None:
    label_file = pytest.importorskip("labelme._label_file", reason="labelme is not installed (pip install labelme)")
    from labelme.utils import shape_to_mask

    place = video(1, 1, SIZE)
    (tmp_path / "frames/clip1").mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(tmp_path / "frames/clip1/00000.jpg")
    content = results([VideoTracks(place, [track(place, [ringed()], 0.25)])])
    content = SplitTracks(content.split, content.videos, content.tracks, tmp_path / "frames")
    written("labelme", content, tmp_path / "out")
    read = label_file.read_label_file(str(tmp_path / "out/clip1/00000.json"))
    masks = [shape_to_mask(SIZE, shape["points"], shape["shape_type"]) for shape in read.shapes]
    # labelme's filling takes the pixels on the outline and on the seam with it.
    assert overlap(np.any(masks, axis=0), ringed()) > 0.88
    assert {(shape["label"], shape["group_id"], shape["other_data"]["score"]) for shape in read.shapes} == {
        ("person", 1, 0.25)
    }


def test_labelme_by_a_literal_reader(tmp_path) -> None:
    """By the even-odd rule at the centres of pixels, worked out edge by edge."""
    place = video(1, 1, SIZE)
    written("labelme", results([VideoTracks(place, [track(place, [ringed()], 0.25)])]), tmp_path / "out")
    content = json.loads((tmp_path / "out/clip1/00000.json").read_text())
    assert (content["imageHeight"], content["imageWidth"], content["imageData"]) == (48, 64, None)
    filled = np.zeros(SIZE, bool)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    for shape in content["shapes"]:
        inside = np.zeros(SIZE, bool)
        corners = shape["points"]
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
            if y1 != y2:
                crosses = (rows > min(y1, y2)) & (rows < max(y1, y2))
                inside ^= crosses & (columns < x1 + (rows - y1) * (x2 - x1) / (y2 - y1))
        filled |= inside
    assert (filled == ringed()).all()
