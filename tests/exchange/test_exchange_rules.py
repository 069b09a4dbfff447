"""What each form cannot hold, and what is done about it: decided by rule, and said."""

import base64
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from exchange_scenes import CATEGORIES, as_sets, block, dense, notes, results, rle, track, truth, video
from PIL import Image

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.exchange.class_numbers import mot_classes, mots_classes
from vis_pipeline.exchange.content import Conventions, SplitTracks, VideoTracks
from vis_pipeline.exchange.forms import FORMS, conventions
from vis_pipeline.exchange.gathering import mean
from vis_pipeline.structures.splits import Category, Split

LOW, HIGH = block(0, 0, 8, 8), block(4, 4, 12, 10)


def put(form: str, content: SplitTracks, out: Path) -> tuple[str, ...]:
    said = notes()
    FORMS[form].write(out, content, conventions(form, None), said)
    return said.lines()


def take(form: str, path: Path, split: Split, category: int | None = None) -> tuple[list[VideoTracks], tuple[str, ...]]:
    said = notes()
    rules = Conventions(conventions(form, None).first_frame, category)
    return list(FORMS[form].read(path, split, rules, said)), said.lines()


@pytest.mark.parametrize("form", ["mots-txt", "mots-png", "davis"])
@pytest.mark.parametrize("scores", [(0.25, 0.75), (0.75, 0.25), (0.5, 0.5)])
def test_of_overlapping_tracks_the_higher_score_lies_on_top(
    form: str, scores: tuple[float, float], tmp_path: Path
) -> None:
    place = video(1, 1)
    content = results([VideoTracks(place, [track(place, [LOW], scores[0]), track(place, [HIGH], scores[1], 40)])])
    assert put(form, content, tmp_path / "out") == (
        "16 pixels in which tracks overlap went to the one of the higher score",
    )
    ((back,), _) = take(form, tmp_path / "out", content.split)
    found = {entry.category_id: dense(entry)[0] for entry in back.tracks}
    # Of equals the earlier is on top.
    first_on_top = scores[0] >= scores[1]
    assert (found[7] == (LOW if first_on_top else LOW & ~HIGH)).all()
    assert (found[40] == (HIGH & ~LOW if first_on_top else HIGH)).all()


def many(count: int) -> SplitTracks:
    place = video(5, 1, (40, 40))
    stack = []
    for number in range(count):
        mask = np.zeros((40, 40), dtype=bool)
        mask[number // 40, number % 40] = True
        stack.append(track(place, [mask], 0.5))
    return results([VideoTracks(place, stack)])


def test_a_palette_has_254_tracks(tmp_path: Path) -> None:
    content = many(254)
    assert put("davis", content, tmp_path / "most") == ()
    back, _ = take("davis", tmp_path / "most", content.split)
    assert as_sets(back) == as_sets(content.tracks)
    with pytest.raises(DataError, match=r"video 5: 255 tracks.*--score-thr, or --form mots-png"):
        put("davis", many(255), tmp_path / "more")
    content = many(255)
    put("mots-png", content, tmp_path / "mots")
    assert as_sets(take("mots-png", tmp_path / "mots", content.split)[0]) == as_sets(content.tracks)


def test_mots_has_999_tracks_and_64_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="video 5: 1000 tracks, and MOTS has ids for 999"):
        put("mots-txt", many(1000), tmp_path / "a")
    place = video(1, 1)
    categories = [Category(number, f"c{number}") for number in range(70)]
    last = [VideoTracks(place, [track(place, [LOW], 0.5, 69)])]
    with pytest.raises(DataError, match="category 69: its class is 73"):
        put("mots-png", results(last, categories), tmp_path / "b")


def test_classes_have_the_numbers_of_the_benchmarks() -> None:
    assert mots_classes(CATEGORIES) == {7: 2, 2: 3, 40: 1}
    assert mot_classes(CATEGORIES) == {7: 1, 2: 14, 40: 3}
    both = [Category(1, "person"), Category(2, "pedestrian")]
    assert mots_classes(both) == {1: 2, 2: 3}
    many_classes = [Category(number, str(number)) for number in range(1, 12)]
    assert 10 not in mots_classes(many_classes).values()


def test_mots_ids_are_class_and_instance(tmp_path: Path) -> None:
    place = video(1, 1)
    content = results(
        [VideoTracks(place, [track(place, [block(0, 0, 2, 2)], 0.5, 40), track(place, [block(4, 4, 6, 6)], 0.5, 7)])]
    )
    put("mots-png", content, tmp_path / "out")
    labels = cv2.imread(str(tmp_path / "out/instances/clip1/000000.png"), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == np.uint16
    assert sorted(np.unique(labels)) == [0, 1001, 2002]
    assert (tmp_path / "out/instances/labels.txt").read_text().split() == ["car", "person", "kite"]


def test_other_peoples_mots_have_no_scores(tmp_path: Path) -> None:
    """Instances may begin at 0 and be the same in two classes; 10000 is a crowd of every category."""
    place = video(1, 3)
    split = results([VideoTracks(place, [])]).split
    mask = f"12 16 {rle(LOW)['counts']}\n"
    (tmp_path / "clip1.txt").write_text(f"0 2000 2 {mask}2 1000 1 {mask}1 2000 2 {mask}1 10000 10 {mask}")
    ((back,), said) = take("mots-txt", tmp_path, split)
    assert said == (
        "no tracks.csv there, and the form has no scores: every track has the score 1",
        "regions to be ignored are crowds of every category",
    )
    objects = [entry for place_, entry in enumerate(back.tracks) if place_ not in back.crowds]
    assert [
        (entry.category_id, entry.score, [mask is not None for mask in entry.segmentations]) for entry in objects
    ] == [
        (40, 1.0, [False, False, True]),
        (7, 1.0, [True, True, False]),
    ]
    assert {back.tracks[place_].category_id for place_ in back.crowds} == {7, 2, 40}


def test_labels_beside_mots_png_decide(tmp_path: Path) -> None:
    """As CVAT exports a task: one video without a folder of its own, and classes in the order of the task's labels."""
    (tmp_path / "instances").mkdir()
    (tmp_path / "instances/labels.txt").write_text("kite\ndog\ncar\n")
    labels = np.where(LOW, 1000, np.where(HIGH, 3007, 0)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "instances/frame_000001.png"), labels)
    split = results([VideoTracks(video(1, 2), [])]).split
    ((back,), said) = take("mots-png", tmp_path, split)
    assert [(entry.category_id, [mask is not None for mask in entry.segmentations]) for entry in back.tracks] == [
        (2, [False, True]),
        (40, [False, True]),
    ]
    assert "1 frames have no file: nothing is seen in them" in said
    cv2.imwrite(str(tmp_path / "instances/frame_000000.png"), np.where(LOW, 2001, 0).astype(np.uint16))
    with pytest.raises(DataError, match="class 2: no category of the split has it"):
        take("mots-png", tmp_path, split)


def test_black_and_white_masks_are_one_object(tmp_path: Path) -> None:
    (tmp_path / "clip1").mkdir()
    Image.fromarray((LOW * 255).astype(np.uint8)).save(tmp_path / "clip1/00000.png")
    Image.fromarray((HIGH * 255).astype(np.uint8)).save(tmp_path / "clip1/00001.png")
    split = results([VideoTracks(video(1, 2), [])]).split
    ((back,), _) = take("davis", tmp_path, split, category=2)
    (entry,) = back.tracks
    assert (dense(entry)[0] == LOW).all()
    assert (dense(entry)[1] == HIGH).all()


def test_mots_ground_truth_has_its_regions_beneath(tmp_path: Path) -> None:
    place = video(1, 1)
    content = truth([VideoTracks(place, [track(place, [HIGH], 1.0, 2), track(place, [LOW], 1.0)], frozenset({0}))])
    assert put("mots-txt", content, tmp_path / "out") == ()
    ids = [line.split()[1:3] for line in (tmp_path / "out/clip1.txt").read_text().splitlines()]
    assert ids == [["2002", "2"], ["10000", "10"]]


def test_davis_void_is_nobodys(tmp_path: Path) -> None:
    place = video(1, 1)
    content = truth([VideoTracks(place, [track(place, [HIGH], 1.0, 2), track(place, [LOW], 1.0)], frozenset({0}))])
    put("davis", content, tmp_path / "out")
    labels = np.array(Image.open(tmp_path / "out/clip1/00000.png"))
    assert sorted(np.unique(labels)) == [0, 2, 255]
    ((back,), said) = take("davis", tmp_path / "out", content.split)
    assert len(back.tracks) == 1
    assert said == ("void (255) is nobody's",)


def test_tracks_without_a_class_need_one(tmp_path: Path) -> None:
    place = video(1, 2)
    split = results([VideoTracks(place, [])]).split
    (tmp_path / "clip1.txt").write_text("1,4,1,2,3,4,0.5,-1,-1,-1\n2, 4, 1.4, 2.6, 3, 40, -1\n")
    with pytest.raises(DataError, match="track 4 of video 1: no class is said; give it with --category"):
        take("mot-txt", tmp_path, split)
    ((back,), said) = take("mot-txt", tmp_path, split, category=2)
    (entry,) = back.tracks
    assert (entry.category_id, entry.score) == (2, 0.75)
    assert (dense(entry)[1] == block(1, 3, 4, 12)).all()
    assert said == ("2 boxes without a mask became rectangular masks",)


def test_masks_without_a_pixel_are_left_out_and_counted(tmp_path: Path) -> None:
    place = video(1, 2)
    content = results([VideoTracks(place, [track(place, [LOW & HIGH & ~LOW, LOW])])])
    for form in ("cvat", "cvat-polygons", "labelme", "mot-txt"):
        assert "1 masks without a pixel were left out" in put(form, content, tmp_path / form)


@pytest.mark.parametrize("form", [name for name in FORMS if name != "youtube-vis"])
def test_tracks_that_are_never_seen_are_left_out_and_counted(form: str, tmp_path: Path) -> None:
    place = video(1, 2)
    content = results([VideoTracks(place, [track(place, [None, None], 0.75), track(place, [LOW, None])])])
    assert "1 tracks without a mask in any frame were left out" in put(form, content, tmp_path / "out")
    ((back,), _) = take(form, tmp_path / "out", content.split)
    assert [(entry.category_id, entry.score) for entry in back.tracks] == [(7, 0.5)]


def test_a_track_of_several_classes_has_that_of_most_frames(tmp_path: Path) -> None:
    place = video(1, 3)
    content = results([VideoTracks(place, [track(place, [LOW] * 3)])])
    put("coco", content, tmp_path / "coco.json")
    written = json.loads((tmp_path / "coco.json").read_text())
    for annotation, (category, score) in zip(written["annotations"], [(2, 0.5), (40, 0.25), (2, 0.75)], strict=True):
        annotation.update(category_id=category, score=score)
    (tmp_path / "coco.json").write_text(json.dumps(written))
    ((back,), said) = take("coco", tmp_path / "coco.json", content.split)
    assert (back.tracks[0].category_id, back.tracks[0].score) == (2, 0.5)
    assert said == ("1 tracks change their class on the way: they have the one of most of their frames",)
    assert mean([0.1] * 3) == 0.1


def test_images_and_categories_of_others_are_found_by_their_names(tmp_path: Path) -> None:
    place = video(1, 2)
    split = results([VideoTracks(place, [])]).split
    other = {
        "annotations": [
            {"id": 1, "image_id": 50, "category_id": 1, "bbox": [0, 0, 8, 8], "segmentation": []},
            {"id": 2, "image_id": 60, "category_id": 1, "segmentation": [[0, 0, 8, 0, 8, 8, 0, 8]], "score": 0.5},
        ],
        "images": [
            {"id": 60, "file_name": "clip1/00000.jpg", "width": 16, "height": 12},
            {"id": 50, "file_name": "clip1/00001.jpg", "width": 16, "height": 12},
        ],
        "categories": [{"id": 1, "name": "kite"}],
    }
    (tmp_path / "other.json").write_text(json.dumps(other))
    ((back,), said) = take("coco", tmp_path / "other.json", split)
    assert {(entry.category_id, entry.score) for entry in back.tracks} == {(2, 1.0), (2, 0.5)}
    assert said == (
        "2 annotations say no track: each is a track of one frame",
        "1 boxes without a mask became rectangular masks",
    )
    with pytest.raises(DataError, match="image 60: says no `video_id` and `frame_id`; give --split"):
        FORMS["coco"].described_split(tmp_path / "other.json")


def labelme_file(folder: Path, shapes: list[dict[str, object]]) -> Path:
    (folder / "clip1").mkdir(parents=True, exist_ok=True)
    content = {"shapes": shapes, "imageHeight": 12, "imageWidth": 16}
    (folder / "clip1/00000.json").write_text(json.dumps(content))
    return folder


def test_labelme_shapes_of_a_group_are_one_mask(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(np.array([[1, 0], [1, 1]], dtype=np.uint8)).save(file, "PNG")
    mask = base64.b64encode(file.getvalue()).decode()
    group = {"label": "kite", "group_id": 3}
    shapes = [
        {**group, "points": [[0, 0], [4, 0], [4, 4], [0, 4]], "shape_type": "polygon"},
        {**group, "points": [[9, 5], [6, 8]], "shape_type": "rectangle"},
        {**group, "points": [[14, 0], [15, 1]], "shape_type": "mask", "mask": mask},
        {"label": "person", "points": [[2, 2], [3, 3]], "shape_type": "circle", "group_id": None},
        {"label": "person", "points": [[0, 10], [4, 10], [4, 12]], "shape_type": "polygon", "group_id": None},
    ]
    place = video(1, 1)
    ((back,), said) = take("labelme", labelme_file(tmp_path, shapes), results([VideoTracks(place, [])]).split)
    lone, kite = back.tracks
    expected = block(0, 0, 4, 4) | block(6, 5, 9, 8) | block(14, 0, 15, 2) | block(15, 1, 16, 2)
    assert (dense(kite)[0] == expected).all()
    assert (lone.category_id, kite.category_id) == (7, 2)
    assert set(said) == {
        "1 shapes that are no polygon, rectangle or mask were left out",
        "1 shapes have no group_id: each is a track of one frame",
        "1 boxes without a mask became rectangular masks",
    }


def test_cvat_files_of_others(tmp_path: Path) -> None:
    """Boxes, upright and turned, and polygons, interpolated frames and shapes without an area."""
    box = 'keyframe="0" occluded="0" xtl="2" ytl="3" xbr="8" ybr="7"'
    (tmp_path / "annotations.xml").write_text(
        "<annotations><version>1.1</version>"
        f'<track id="0" label="car"><box frame="0" outside="0" {box}/><box frame="1" {box} rotation="90"/>'
        f'<box frame="2" outside="1" {box}/></track>'
        '<track id="1" label="kite"><polygon frame="1" points="0.00,0.00;4.00,0.00;4.00,4.00;0.00,4.00"/></track>'
        '<track id="2" label="kite"><points frame="1" points="0.00,0.00"/></track></annotations>'
    )
    place = video(1, 3)
    ((back,), said) = take("cvat", tmp_path / "annotations.xml", results([VideoTracks(place, [])]).split)
    car, kite = back.tracks
    assert (dense(car)[0] == block(2, 3, 8, 7)).all()
    assert (dense(car)[1] == block(3, 2, 7, 8)).all()
    assert dense(car)[2] is None
    assert (dense(kite)[1] == block(0, 0, 4, 4)).all()
    assert said[0].startswith("2 boxes")
    assert said[1].startswith("1 shapes without an area")


def test_an_export_goes_into_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    with pytest.raises(DataError, match="is not empty; give another --out"):
        put("davis", many(1), tmp_path)


def test_unknown_forms_and_settings_are_named() -> None:
    with pytest.raises(ConfigError, match=r"--form davsi: give one of .*did you mean 'davis'"):
        conventions("davsi", None)
    with pytest.raises(ConfigError, match=r"--first-frame 1: is for forms whose frames have numbers \(mots-txt"):
        conventions("coco", 1)


@pytest.mark.parametrize("form", ["youtube-vis", "coco", "mots-txt", "csv", "cvat"])
def test_no_more_than_a_video_is_in_memory(form: str, tmp_path: Path) -> None:
    """Written and, but for JSON of which four megabytes of text are held, read: twelve videos as three."""
    noise = list(np.random.default_rng(0).random((3, 40, 60)) < 0.5)

    def peak(step: Callable[[], object]) -> int:
        tracemalloc.start()
        step()
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    def peaks(count: int) -> tuple[int, int]:
        videos = [video(identifier, 3, (40, 60)) for identifier in range(1, count + 1)]
        split = Split(tuple(videos), CATEGORIES, None)
        found = (VideoTracks(place, [track(place, noise)]) for place in videos)
        out, rules = tmp_path / f"{form}{count}", conventions(form, None)
        writing = peak(lambda: FORMS[form].write(out, SplitTracks(split, videos, found), rules, notes()))
        reading = peak(lambda: [len(one.tracks) for one in FORMS[form].read(out, split, rules, notes())])
        return writing, reading

    peaks(1)
    few, more = peaks(3), peaks(12)
    assert more[0] < 1.5 * few[0]
    assert form in ("youtube-vis", "coco") or more[1] < 1.5 * few[1]
