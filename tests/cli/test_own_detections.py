"""One's own detections, and one's own videos: `run --detections` on a video or a split, and `split`."""

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vis_pipeline.data.splits import read_split

HEIGHT, WIDTH, LENGTH = 48, 64, 5


def picture(index: int, shift: int = 0) -> np.ndarray:
    """A bright square that moves to the right."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    image[10:26, 4 + 4 * index + shift : 20 + 4 * index + shift] = (40, 200, 240)
    return image


def square(index: int, **changes: Any) -> dict[str, Any]:
    """The detection of the square in a frame."""
    left = 4 + 4 * index
    polygon = [left, 10, left + 16, 10, left + 16, 26, left, 26]
    entry = {"frame_index": index, "category_id": 7, "score": 0.9, "segmentation": [polygon]}
    return entry | changes


def images(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for index in range(LENGTH):
        cv2.imwrite(str(folder / f"{index:05}.png"), picture(index))
    return folder


def clip(path: Path) -> Path:
    """An mp4 of the same pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for index in range(LENGTH):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
        container.mux(stream.encode())
    return path


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def on_video(video: Path, detections: Path, out: Path) -> list[object]:
    return ["run", "procedural_small", "--video", video, "--detections", detections, "--out", out, "--device", "cpu"]


def tracks(run: Path) -> list[dict[str, Any]]:
    return json.loads((run / "results.json").read_text())


def assert_refused(outcome: tuple[int, str, str], *named: str) -> None:
    code, _, err = outcome
    assert code == 2
    assert err.startswith("error: ") and len(err.strip().splitlines()) == 1
    for word in named:
        assert word in err


@pytest.mark.parametrize("make", [lambda folder: clip(folder / "clip.mp4"), lambda folder: images(folder / "clip")])
def test_a_video_with_ones_own_detections_and_classes(command, tmp_path: Path, make: Any) -> None:
    named = {
        "categories": [{"id": 7, "name": "box"}, {"id": 9, "name": "ball"}],
        "detections": [square(index) for index in range(LENGTH)],
    }
    detections = written(tmp_path / "found.json", named)
    code, out, err = command(*on_video(make(tmp_path), detections, tmp_path / "run"))
    assert code == 0, err
    assert "1 videos, 5 frames" in out
    assert "knows eight drawn shapes" not in err, "the bundled detector is not in use"
    (track,) = tracks(tmp_path / "run")
    assert (track["category_id"], len(track["segmentations"])) == (7, LENGTH)
    assert all(segmentation is not None for segmentation in track["segmentations"])
    split = read_split(tmp_path / "run/split.json")
    assert [(category.id, category.name) for category in split.categories] == [(7, "box"), (9, "ball")]
    assert command("visualize", tmp_path / "run")[0] == 0


def test_a_plain_list_numbers_its_classes_and_other_detections_are_another_run(command, tmp_path: Path) -> None:
    video = images(tmp_path / "clip")
    detections = written(tmp_path / "found.json", [square(index, video_id=1) for index in range(LENGTH)])
    arguments = on_video(video, detections, tmp_path / "run")
    assert command(*arguments)[0] == 0
    assert [category.name for category in read_split(tmp_path / "run/split.json").categories] == ["7"]
    written(detections, [square(0)])
    assert_refused(command(*arguments), "other settings (detections)", "--out")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"frame_index": LENGTH}, f"entry 1: frame {LENGTH}, but video 1 has {LENGTH} frames, numbered from 0"),
        ({"video_id": 3}, "entry 1: there is no video 3; the only one is 1"),
        ({"segmentation": {"size": [WIDTH, HEIGHT], "counts": [0, WIDTH * HEIGHT]}}, "entry 1: mask of size"),
    ],
)
def test_detections_that_do_not_fit_the_video(command, tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    detections = written(tmp_path / "found.json", [square(0), square(1, **changes)])
    outcome = command(*on_video(clip(tmp_path / "clip.mp4"), detections, tmp_path / "run"))
    assert_refused(outcome, f"found.json: {named}")
    assert not (tmp_path / "run").exists(), "nothing has begun"


def test_saved_detections_are_joined_and_serve_as_a_folder(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        images(tmp_path / "frames" / name)
    folders = [tmp_path / "frames/a", tmp_path / "frames/b"]
    assert command("split", *folders, "--categories", "ball,box", "--out", tmp_path / "s.json")[0] == 0
    found = [square(index, video_id=video, category_id=70) for index in range(LENGTH) for video in (1, 2)]
    written(tmp_path / "found.json", found)
    written(tmp_path / "map.json", {"70": "box"})
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "procedural_small", "--split", "s.json", "--frames", "frames", "--device", "cpu"]
    # Workers start in another folder: what is named from here must be found from there.
    code, _, err = command(
        *arguments, "--out", "first", "--detections", "found.json", "--class-map", "map.json", "--save-detections"
    )
    assert code == 0, err
    assert [track["category_id"] for track in tracks(tmp_path / "first")] == [2, 2]
    by_video = [json.loads((tmp_path / f"first/detections/{video}.json").read_text()) for video in (1, 2)]
    assert [len(entries) for entries in by_video] == [LENGTH, LENGTH]
    joined = (tmp_path / "first/detections.json").read_text()
    assert joined == json.dumps(by_video[0] + by_video[1])
    code, _, err = command(*arguments, "--out", "again", "--detections", "first")
    assert code == 0, err
    assert tracks(tmp_path / "again") == tracks(tmp_path / "first")
    # A video by itself has the id 1, and the classes of the run that detected.
    code, _, err = command(*on_video(tmp_path / "frames/a", Path("first"), Path("alone")))
    assert code == 0, err
    assert tracks(tmp_path / "alone") == tracks(tmp_path / "first")[:1]
    assert [category.name for category in read_split(tmp_path / "alone/split.json").categories] == ["ball", "box"]


def test_a_split_of_a_video_file(command, tmp_path: Path) -> None:
    arguments = ["split", clip(tmp_path / "clip.mp4"), "--out", tmp_path / "s.json"]
    assert_refused(command(*arguments, "--categories", "a", "--config", "procedural_small"), "--categories", "--config")
    code, out, err = command(*arguments)
    assert code == 0, err
    assert out.splitlines() == [
        f"{tmp_path / 's.json'}: 1 videos, {LENGTH} frames, 12 categories",
        f"frames  {tmp_path / 's_frames'}",
    ]
    split = read_split(tmp_path / "s.json")
    assert [category.name for category in split.categories][:3] == ["person", "bicycle", "car"]
    assert split.annotations is None and split.videos[0].length == LENGTH
    assert (tmp_path / "s_frames" / split.videos[0].file_names[0]).is_file()
    assert_refused(command(*arguments, "--categories", "a"), "clip", "are there already")
    code, _, err = command(*arguments, "--categories", "a", "--frames-out", tmp_path / "other")
    assert code == 0, err
    assert [category.name for category in read_split(tmp_path / "s.json").categories] == ["a"]
