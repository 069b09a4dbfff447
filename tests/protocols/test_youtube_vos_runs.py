"""YouTube-VOS from its sets to the zip: who begins where, which frames are tracked, which are written."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_objects import HEIGHT, LENGTH, WIDTH, drawn_video, small_trackers, write_frames, write_label_maps
from PIL import Image

from vis_pipeline.data.frames import ImageFrames
from vis_pipeline.errors import DataError
from vis_pipeline.files.palette_images import palette_png
from vis_pipeline.protocols.youtube_vos import YouTubeVos
from vis_pipeline.trackers.siammask.several_objects import follow_objects

# Every frame of the video, of which every second one is handed out as "every fifth".
ALL = [f"{index:05d}" for index in range(LENGTH)]
FIFTH = ALL[::2]


@pytest.fixture
def valid(tmp_path: Path) -> Path:
    """A set of two videos in the valid form; object 2 begins at 00002, whose mask has it alone."""
    valid = tmp_path / "vos/valid"
    maps = drawn_video()[1]
    for video in ("0a", "1b"):
        write_frames(valid.parent / "valid_all_frames/JPEGImages" / video, ALL)
        write_frames(valid / "JPEGImages" / video, ALL)
        for name in set(ALL) - set(FIFTH):
            (valid / f"JPEGImages/{video}/{name}.jpg").unlink()
        write_label_maps(valid / "Annotations" / video, {"00000": maps[0], "00002": np.where(maps[2] == 2, maps[2], 0)})
    write_meta(valid, {"1": FIFTH, "3": FIFTH, "2": FIFTH[1:]})
    return valid


def write_meta(valid: Path, frames: dict[str, list[str]]) -> None:
    objects: dict[str, Any] = {number: {"category": "box", "frames": listed} for number, listed in frames.items()}
    (valid / "meta.json").write_text(json.dumps({"videos": {name: {"objects": objects} for name in ("0a", "1b")}}))


def stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "P"
        return np.array(image)


def expected(valid: Path, folder: Path, names: list[str]) -> dict[str, np.ndarray]:
    """What following the objects gives, by frame; the masks are taken from the drawing."""
    maps = drawn_video()[1]
    begins = {
        0: {1: maps[0] == 1, 3: maps[0] == 3},
        names.index("00002"): {2: maps[2] == 2},
    }
    predictor = small_trackers().predictor
    assert predictor is not None
    frames = ImageFrames(1, "0a", [folder / "JPEGImages/0a" / f"{name}.jpg" for name in names])
    found = follow_objects(predictor, list(frames), begins)
    return {name: entry.labels for name, entry in zip(names, found, strict=True)}


@pytest.mark.parametrize(("rate", "names"), [("fifth", FIFTH), ("all", ALL)])
def test_objects_are_followed_from_where_they_begin(rate, names, valid: Path, tmp_path: Path) -> None:
    benchmark, results, done = YouTubeVos(rate), tmp_path / "results", []
    given = benchmark.listing(valid.parent, ["0a"]).found[0]
    last = names.index(FIFTH[-1]) + 1
    assert given.length == last
    benchmark.run(given, small_trackers(), results, done.append)
    assert sum(done) == last
    folder = valid if rate == "fifth" else valid.parent / "valid_all_frames"
    plain = expected(valid, folder, names)
    assert sorted(path.name for path in (results / "Annotations/0a").iterdir()) == [f"{name}.png" for name in FIFTH]
    for name in FIFTH:
        np.testing.assert_array_equal(stored(results / f"Annotations/0a/{name}.png"), plain[name])
    assert set(np.unique(plain["00000"])) == {0, 1, 3}
    assert set(np.unique(plain["00004"])) == {0, 1, 2, 3}
    truth = drawn_video()[1][4]
    for number in (1, 2, 3):
        ours, true = plain["00004"] == number, truth == number
        assert (ours & true).sum() / (ours | true).sum() > 0.6


def test_without_listed_frames_the_masks_say_who_begins_and_the_images_what_is_wanted(
    valid: Path, tmp_path: Path
) -> None:
    (given,) = YouTubeVos().listing(valid, ["0a"]).found
    YouTubeVos().run(given, small_trackers(), tmp_path / "listed", lambda count: None)
    write_meta(valid, {"1": [], "3": [], "2": []})
    # An object that has begun is followed, whatever later masks show of it.
    write_label_maps(tmp_path / "more", {"00002": drawn_video()[1][2]})
    (tmp_path / "more/00002.png").replace(valid / "Annotations/0a/00002.png")
    (given,) = YouTubeVos("all").listing(valid, ["0a"]).found
    assert given.wanted == tuple(FIFTH)
    (given,) = YouTubeVos().listing(valid, ["0a"]).found
    YouTubeVos().run(given, small_trackers(), tmp_path / "unlisted", lambda count: None)
    for name in FIFTH:
        np.testing.assert_array_equal(
            stored(tmp_path / f"listed/Annotations/0a/{name}.png"),
            stored(tmp_path / f"unlisted/Annotations/0a/{name}.png"),
        )


def test_the_zip_is_what_the_server_takes(valid: Path, tmp_path: Path) -> None:
    benchmark, results = YouTubeVos(), tmp_path / "results"
    listed = benchmark.listing(valid, None).found
    benchmark.run(listed[0], small_trackers(), results, lambda count: None)
    assert [benchmark.is_done(given, results) for given in listed] == [True, False]
    with pytest.raises(DataError, match="1 of 2 videos are not done, such as 1b"):
        benchmark.submission(listed, results)
    benchmark.run(listed[1], small_trackers(), results, lambda count: None)
    path = benchmark.submission(listed, results)
    assert path is not None
    with zipfile.ZipFile(path) as archive:
        names = [f"Annotations/{video}/{name}.png" for video in ("0a", "1b") for name in FIFTH]
        assert archive.namelist() == names
        for name in names:
            assert archive.read(name) == (results / name).read_bytes()
    before = path.read_bytes()
    assert benchmark.submission(listed, results) == path and path.read_bytes() == before


def without_its_pixels(valid: Path) -> None:
    (valid / "Annotations/0a/00002.png").write_bytes(palette_png(np.zeros((HEIGHT, WIDTH), np.uint8)))


def of_another_size(valid: Path) -> None:
    (valid / "Annotations/0a/00002.png").write_bytes(palette_png(np.full((HEIGHT, 10), 2, np.uint8)))


def with_a_stranger(valid: Path) -> None:
    (valid / "Annotations/0a/00002.png").write_bytes(palette_png(np.full((HEIGHT, WIDTH), 9, np.uint8)))


def cut_short(valid: Path) -> None:
    path = valid / "Annotations/0a/00002.png"
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (without_its_pixels, r"object 2 of meta\.json: no pixel in mask .*00002\.png"),
        (of_another_size, r"object 2: its mask is 10x120, frame 00002\.jpg is 160x120"),
        (with_a_stranger, r"mask .*00002\.png: holds object 9, which meta\.json lacks"),
        (cut_short, r"mask .*00002\.png: .*cut short"),
    ],
)
def test_a_bad_mask_is_one_line_and_the_other_video_is_finished(harm, said: str, valid: Path, tmp_path: Path) -> None:
    harm(valid)
    benchmark, results = YouTubeVos(), tmp_path / "results"
    bad, good = benchmark.listing(valid, None).found
    with pytest.raises(DataError, match=said):
        benchmark.run(bad, small_trackers(), results, lambda count: None)
    benchmark.run(good, small_trackers(), results, lambda count: None)
    assert [path.name for path in (results / "Annotations").iterdir()] == ["1b"]


def test_an_object_that_no_mask_shows_is_named(valid: Path, tmp_path: Path) -> None:
    write_meta(valid, {"1": [], "3": [], "2": [], "8": []})
    (given,) = YouTubeVos().listing(valid, ["0a"]).found
    with pytest.raises(DataError, match=r"object 8 of meta\.json: no pixel in any mask"):
        YouTubeVos().run(given, small_trackers(), tmp_path, lambda count: None)


def test_videos_that_cannot_be_run_are_left_out_one_line_each(valid: Path) -> None:
    videos = json.loads((valid / "meta.json").read_text())["videos"]
    videos["2c"] = videos["0a"]
    videos["3d"] = {"objects": {}}
    for kind in ("Annotations", "JPEGImages"):
        (valid / kind / "3d").mkdir()
    (valid / "meta.json").write_text(json.dumps({"videos": videos}))
    (valid / "JPEGImages/0a/00004.jpg").unlink()
    (valid / "Annotations/1b/00002.png").unlink()
    listing = YouTubeVos().listing(valid, [*videos, "4e"])
    assert not listing.found
    assert dict(listing.left_out) == {
        "0a": f"no frame 00004 in {valid / 'JPEGImages/0a'}",
        "1b": f"object 2: no mask {valid / 'Annotations/1b/00002.png'}, its first frame in meta.json",
        "2c": f"no folder of that name in {valid / 'Annotations'}",
        "3d": "meta.json lists no object for it",
        "4e": f"{valid / 'meta.json'} has no video of that name",
    }


def test_folders_that_are_not_there_are_one_line(valid: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no meta\.json of YouTube-VOS, neither there nor in valid"):
        YouTubeVos().listing(tmp_path, None)
    (valid.parent / "valid_all_frames").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"there is no folder .*valid_all_frames/JPEGImages"):
        YouTubeVos("all").listing(valid, None)
