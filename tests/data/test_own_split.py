"""Splits of one's own videos: what they say, where the frames lie, and that a run on them sees the video's frames."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import GREYS, HEIGHT, WIDTH, set_matrix, write_clip

from vis_pipeline.data.frames import VideoFrames, split_frames
from vis_pipeline.data.own_split import named_categories, own_split
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.structures.splits import Category

CLASSES = (Category(1, "cat"), Category(2, "dog"))


def images(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    return folder


def test_folders_stay_where_they_are(tmp_path: Path) -> None:
    a = images(tmp_path / "x/a", ["10.png", "9.png", "._9.png"])
    b = images(tmp_path / "x/y/b", ["0.jpg"])
    made = own_split([a, b], CLASSES, tmp_path / "unused")
    assert (made.frames, made.notes, made.split.categories, made.split.annotations) == (
        tmp_path / "x",
        (),
        CLASSES,
        None,
    )
    first, second = made.split.videos
    assert (first.id, first.width, first.height, first.length) == (1, WIDTH, HEIGHT, 2)
    assert (first.file_names, second.file_names) == (("a/9.png", "a/10.png"), ("y/b/0.jpg",))
    assert own_split([b], CLASSES, tmp_path / "unused").split.videos[0].file_names == ("b/0.jpg",)
    assert own_split([tmp_path / "x/a/?.png"], CLASSES, tmp_path / "unused").split.videos[0].file_names == ("a/9.png",)
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("rows", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, 1)])
def test_the_frames_of_a_file_are_those_that_a_run_on_it_sees(tmp_path: Path, rows: tuple[int, ...]) -> None:
    ramp = np.linspace(0, 250, WIDTH, dtype=np.uint8)[None, :, None]
    write_clip(tmp_path / "clip.mp4", [np.maximum(image, ramp) for image in GREYS[:4]])
    set_matrix(tmp_path / "clip.mp4", rows)
    told: list[tuple[int, int]] = []
    made = own_split([tmp_path / "clip.mp4"], CLASSES, tmp_path / "out", on_frame=lambda *news: told.append(news))
    assert made.frames == tmp_path / "out"
    assert told == [(1, 1), (1, 2), (1, 3), (1, 4)]
    (video,) = made.split.videos
    assert video.file_names == tuple(f"clip/{index:05}.jpg" for index in range(4))
    assert (video.width, video.height) == ((HEIGHT, WIDTH) if rows[0] == 0 else (WIDTH, HEIGHT))
    pairs = zip(split_frames(video, made.frames), VideoFrames(1, tmp_path / "clip.mp4"), strict=True)
    for stored, decoded in pairs:
        assert isinstance(stored, Frame) and isinstance(decoded, Frame)
        assert stored.index == decoded.index
        assert np.abs(stored.image.astype(int) - decoded.image).mean() < 2


def test_files_and_folders_share_the_nearest_folder_above_them(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_clip(tmp_path / folder / "clip.mp4", GREYS[:2])
    a = images(tmp_path / "a", ["0.png"])
    made = own_split([tmp_path / "one/clip.mp4", a, tmp_path / "two/clip.mp4"], CLASSES, tmp_path / "out")
    assert made.frames == tmp_path
    names = [video.file_names[0] for video in made.split.videos]
    assert names == ["out/clip/00000.jpg", "a/0.png", "out/clip_2/00000.jpg"]
    assert all((tmp_path / name).is_file() for name in names)


def test_a_file_needs_a_new_folder_for_its_frames(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", GREYS[:2])
    images(tmp_path / "out/clip", ["0.jpg"])
    with pytest.raises(DataError, match="clip: are there already; remove them, or give another --frames-out"):
        own_split([tmp_path / "clip.mp4"], CLASSES, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        own_split([tmp_path / "clip.mp4"], CLASSES, tmp_path / "file/out")


def test_a_damaged_frame_leaves_nothing_or_its_place(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_clip(path, GREYS[:5], codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data) - 1) if data[place : place + 3] == b"\xff\xd8\xff"]
    data[starts[2] : starts[3] - 16] = bytes(starts[3] - 16 - starts[2])
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"video 1 \(clip\), frame 2: "):
        own_split([path], CLASSES, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    made = own_split([path], CLASSES, tmp_path / "out", "skip")
    (video,) = made.split.videos
    assert video.length == 5
    assert sorted(file.name for file in (tmp_path / "out/clip").iterdir()) == [
        "00000.jpg", "00001.jpg", "00003.jpg", "00004.jpg",
    ]  # fmt: skip
    (note,) = made.notes
    assert note.startswith("video 1 (clip), frame 2: ")
    kinds = [type(frame) for frame in split_frames(video, made.frames, "skip")]
    assert kinds == [Frame, Frame, BadFrame, Frame, Frame]


def test_a_name_that_no_split_can_hold(tmp_path: Path) -> None:
    folder = images(tmp_path / "a", ["0.png"])
    (folder / "0.png").rename(folder / "\udcff.png")
    with pytest.raises(DataError, match="not UTF-8"):
        own_split([folder], CLASSES, tmp_path / "unused")


def test_categories_from_words_or_a_file(tmp_path: Path) -> None:
    assert named_categories("cat, dog") == CLASSES
    assert named_categories("cat") == CLASSES[:1]
    names = tmp_path / "names.txt"
    names.write_text("\ufeffcat\n\n dog \n", encoding="utf-8")
    assert named_categories(str(names)) == CLASSES
    assert len(named_categories(",".join(f"class {number}" for number in range(400)))) == 400


@pytest.mark.parametrize(
    ("text", "words"),
    [("none.txt", "cannot be read"), (",", "no names"), ("cat,dog,cat", "'cat' is there more than once")],
)
def test_categories_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        named_categories(text)
