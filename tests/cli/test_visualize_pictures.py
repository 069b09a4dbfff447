"""Pictures of a run for papers, as `visualize` is asked for them."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vis_pipeline import masks
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

Command = Callable[..., tuple[int, str, str]]

HEIGHT, WIDTH, LENGTH = 45, 61, 5
GREY = 110


def _square(left: int, top: int, frames: set[int]) -> tuple[masks.Rle | None, ...]:
    mask = np.zeros((1, HEIGHT, WIDTH), bool)
    mask[0, top : top + 12, left : left + 12] = True
    rle = masks.encode(mask)[0]
    return tuple(rle if index in frames else None for index in range(LENGTH))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two videos: three identities in video 3, one in video 8; `gt.json` has two of the first and another."""
    videos = []
    for number in (3, 8):
        names = [f"clip{number}/{index:05d}.png" for index in range(LENGTH)]
        (tmp_path / f"frames/clip{number}").mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(tmp_path / "frames" / name), np.full((HEIGHT, WIDTH, 3), GREY, np.uint8))
        videos.append({"id": number, "width": WIDTH, "height": HEIGHT, "length": LENGTH, "file_names": names})
    split = {"videos": videos, "categories": [{"id": 7, "name": "ring"}, {"id": 9, "name": "star"}]}
    (tmp_path / "split.json").write_text(json.dumps(split))
    every = set(range(LENGTH))
    truth = [(9, _square(2, 2, every)), (7, _square(40, 2, every)), (9, _square(40, 28, every))]
    annotations = [
        {"id": n, "video_id": 3, "category_id": category, "iscrowd": 0, "segmentations": segmentations}
        for n, (category, segmentations) in enumerate(truth, start=1)
    ]
    (tmp_path / "gt.json").write_text(json.dumps({**split, "annotations": annotations}))
    sources = {"split": str(tmp_path / "split.json"), "frames": str(tmp_path / "frames")}
    run = RunFolder.create(tmp_path / "run", sources, "abc")
    found = [
        TrackResult(3, 7, 0.9, _square(40, 2, every)),
        TrackResult(3, 9, 0.6, _square(2, 2, every - {2})),
        TrackResult(3, 9, 0.1, _square(2, 28, every)),
    ]
    run.write_video(3, VideoOutcome(found, LENGTH, HEIGHT, WIDTH, {}))
    run.write_video(8, VideoOutcome([TrackResult(8, 7, 0.8, _square(2, 2, every))], LENGTH, HEIGHT, WIDTH, {}))
    return tmp_path


def _decoded(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def _tinted(picture: NDArray[np.uint8]) -> set[str]:
    """Which of the squares have a colour: those of the left, right, and left below, or right below (a miss)."""
    middles = {"left": (8, 8), "right": (8, 46), "below": (34, 8), "missed": (34, 46)}
    return {name for name, place in middles.items() if np.ptp(picture[place].astype(int)) > 15}


def test_every_form_is_made_of_the_same_frames(command: Command, folder: Path) -> None:
    chosen = ("--videos", "3", "--only-frames", "1:4", "--fps", "12.5", "--draw", "fill")
    code, out, err = command("visualize", folder / "run", "--as", "mp4,gif,frames,sheet", *chosen, "--width", WIDTH)
    assert code == 0, err
    made = folder / "run/pictures"
    assert {path.name for path in made.iterdir()} == {"clip3.mp4", "clip3.gif", "clip3.png", "clip3_frames"}
    with av.open(str(made / "clip3.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate) == 12.5
    films = _decoded(made / "clip3.mp4")
    assert len(films) == 3 and films[0].shape == (HEIGHT + 1, WIDTH + 1, 3)
    stills = [cv2.imread(str(path)) for path in sorted((made / "clip3_frames").iterdir())]
    assert [path.name for path in sorted((made / "clip3_frames").iterdir())] == ["00001.png", "00002.png", "00003.png"]
    # Without loss, and nothing but what is asked for.
    assert all((still[24:] == GREY).all() for still in stills)
    assert [_tinted(still) for still in stills] == [{"left", "right"}, {"right"}, {"left", "right"}]
    for film, still in zip(films, stills, strict=True):
        assert np.abs(film[:HEIGHT, :WIDTH].astype(int) - still).mean() < 6
    with Image.open(made / "clip3.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"]) == (3, (WIDTH, HEIGHT), 80)
        for index, still in enumerate(stills):
            gif.seek(index)
            back = np.asarray(gif.convert("RGB"))[..., ::-1]
            assert np.abs(back.astype(int) - still).max() < 8
    size = (made / "clip3.gif").stat().st_size
    assert f"clip3.gif (at most {size / 1e6:.1f} MB, {WIDTH}x{HEIGHT})" in out.replace("*", "clip3")


def _still(folder: Path, index: int = 0) -> NDArray[np.uint8]:
    picture = cv2.imread(str(folder / f"run/pictures/clip3_frames/{index:05d}.png"))
    assert picture is not None
    return np.asarray(picture, dtype=np.uint8)


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ((), {"left", "right"}),
        (("--score-thr", "0"), {"left", "right", "below"}),
        (("--score-thr", "0.7"), {"right"}),
        (("--ids", "2"), {"left"}),
        # An identity that is asked for is drawn whatever its score.
        (("--ids", "1,3"), {"right", "below"}),
        (("--classes", "star"), {"left"}),
        (("--classes", "9,ring"), {"left", "right"}),
        (("--classes", "star", "--score-thr", "0.05"), {"left", "below"}),
    ],
)
def test_identities_are_chosen(command: Command, folder: Path, options: tuple[str, ...], seen: set[str]) -> None:
    chosen = ("--videos", "3", "--only-frames", "0", "--draw", "fill", "--as", "frames")
    code, _, err = command("visualize", folder / "run", *chosen, *options)
    assert code == 0, err
    assert _tinted(_still(folder)) == seen


@pytest.mark.parametrize(
    ("options", "result", "truth"),
    [
        ((), {"left", "right"}, {"left", "right", "missed"}),
        (("--ids", "2"), {"left"}, {"left"}),
        (("--classes", "ring"), {"right"}, {"right"}),
        (("--classes", "star"), {"left"}, {"left", "missed"}),
    ],
)
def test_the_ground_truth_stands_beside_in_the_same_colours(
    command: Command, folder: Path, options: tuple[str, ...], result: set[str], truth: set[str]
) -> None:
    chosen = ("--videos", "3", "--only-frames", "0", "--draw", "fill", "--as", "frames,sheet")
    code, _, err = command("visualize", folder / "run", "--gt", folder / "gt.json", *chosen, *options)
    assert code == 0, err
    still = _still(folder)
    left, right = still[:, :WIDTH], still[:, -WIDTH:]
    assert _tinted(left) == result and _tinted(right) == truth
    # Inside of the squares, above the names in the corners.
    for place in ((8, 8), (8, 46)):
        if np.ptp(left[place].astype(int)) > 15:
            np.testing.assert_array_equal(left[place], right[place])
    sheet = cv2.imread(str(folder / "run/pictures/clip3.png"))
    assert sheet is not None and sheet.shape[1] == 1600


def test_a_sheet_alone_goes_to_a_new_folder(command: Command, folder: Path) -> None:
    assert command("visualize", folder / "run", "--videos", "8", "--as", "sheet", "--out", folder / "new/place")[0] == 0
    assert [path.name for path in (folder / "new/place").iterdir()] == ["clip8.png"]
    (folder / "file").write_text("")
    code, _, err = command("visualize", folder / "run", "--as", "sheet", "--out", folder / "file/place")
    assert code == 2 and "file/place: cannot be made (Not a directory)" in err


def test_a_video_without_a_chosen_frame_is_left_out(command: Command, folder: Path) -> None:
    for index in (3, 4):
        (folder / f"frames/clip8/{index:05d}.png").unlink()
    split = json.loads((folder / "split.json").read_text())
    split["videos"][1].update(length=3, file_names=split["videos"][1]["file_names"][:3])
    (folder / "split.json").write_text(json.dumps(split))
    RunFolder.open(folder / "run").write_video(8, VideoOutcome([], 3, HEIGHT, WIDTH, {}))
    code, out, err = command("visualize", folder / "run", "--only-frames", "3:", "--as", "frames")
    assert code == 0, err
    assert "drew 1 video, 2 frames" in out
    assert {path.name for path in (folder / "run/pictures").iterdir()} == {"clip3_frames"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ids", "4"), "--ids 4: no such identity in the videos drawn, only 1, 2, 3"),
        (
            ("--ids", "3", "--score-thr", "0.5"),
            "--ids 3: no such identity in the videos drawn (score ≥ 0.50), only 1, 2",
        ),
        (("--ids", "x"), "--ids x: not a list of identities"),
        (("--classes", "rng"), "no class 'rng', only ring (7), star (9); did you mean 'ring'?"),
        (("--only-frames", "5"), "no frame of 5:6 is there; the longest video of"),
        (("--only-frames", "a"), "--only-frames a: 'a' is no frame"),
        (("--as", "png"), "--as png: there is no 'png', only mp4, gif, frames, sheet"),
        (("--draw", "mask"), "--draw mask: there is no 'mask', only fill, contour"),
        (("--gt", "{split}"), "test form without ground truth"),
        (("--gt", "nowhere.json"), "split nowhere.json"),
    ],
)
def test_what_is_not_there_is_one_line(command: Command, folder: Path, options: tuple[str, ...], message: str) -> None:
    given = [option.format(split=folder / "split.json") for option in options]
    code, _, err = command("visualize", folder / "run", *given)
    assert code == 2
    assert message in err and len(err.strip().splitlines()) == 1
    assert not (folder / "run/pictures").exists()


def test_the_frames_of_a_video_are_not_written_over(command: Command, folder: Path) -> None:
    (folder / "frames/clip3").rename(folder / "frames/clip3_frames")
    split = json.loads((folder / "split.json").read_text())
    split["videos"] = split["videos"][:1]
    split["videos"][0]["file_names"] = [f"clip3_frames/{index:05d}.png" for index in range(LENGTH)]
    (folder / "split.json").write_text(json.dumps(split))
    # The pictures of a video called `clip3_frames` have another name, but a folder of that name may lie there.
    (folder / "frames/clip3_frames_frames").symlink_to(folder / "frames/clip3_frames")
    options = ("--videos", "3", "--as", "frames", "--out", folder / "frames")
    code, _, err = command("visualize", folder / "run", *options)
    assert code == 2 and "its pictures would take its place; give another --out" in err


def test_one_object_has_a_choice_of_form_and_style(command: Command, folder: Path) -> None:
    entries = [
        {
            "frame": f"{index:05d}.png",
            "box": [10.0 + 4 * index, 10, 12, 12],
            "score": 0.5,
            "segmentation": _square(40, 28, {0})[0],
            "rotated_box": [[x + 4 * index, y] for x, y in ((10, 10), (22, 10), (22, 22), (10, 22))],
        }
        for index in range(LENGTH)
    ]
    content = {"frames": entries, "source": str(folder / "frames/clip3"), "height": HEIGHT, "width": WIDTH}
    (folder / "track.json").write_text(json.dumps(content))
    options = ("--as", "frames", "--only-frames", "::2")
    assert command("visualize", folder / "track.json", *options, "--draw", "trails")[0] == 0
    made = folder / "pictures/clip3_frames"
    assert sorted(path.name for path in made.iterdir()) == ["00000.png", "00002.png", "00004.png"]
    last = cv2.imread(str(made / "00004.png"))
    assert last is not None
    changed = (last[16] != GREY).any(axis=1)
    assert changed[16:33].all() and not changed[40:].any()
    assert (last[28:] == GREY).all()
    code, out, err = command("visualize", folder / "track.json", *options, "--draw", "fill", "--opacity", "1")
    assert code == 0 and f"3 frames -> {made}" in out, err
    filled = cv2.imread(str(made / "00004.png"))
    assert filled is not None
    assert (filled[28:40, 40:52] == filled[30, 44]).all() and (filled[:28] == GREY).all()
    code, _, err = command("visualize", folder / "track.json", "--ids", "1")
    assert code == 2 and "is a file; give that for a run's folder only" in err
