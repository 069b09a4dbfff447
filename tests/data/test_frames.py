from itertools import islice
from pathlib import Path
from threading import enumerate as running_threads

import av
import cv2
import numpy as np
import pytest
from clips import set_orientation

from vis_pipeline.data.frames import ImageFrames, VideoFrames, open_frames, prefetched, split_frames
from vis_pipeline.data.own_split import own_split
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import jpeg_is_whole, png_is_whole
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.structures.splits import Category, Video

HEIGHT, WIDTH = 48, 64


def picture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def video(tmp_path: Path) -> Video:
    names = tuple(f"bear/{index:05}.jpg" for index in range(4))
    (tmp_path / "bear").mkdir()
    for index, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), picture(index))
    return Video(3, WIDTH, HEIGHT, 4, names)


GREYS = [np.full((HEIGHT, WIDTH, 3), 20 * index, dtype=np.uint8) for index in range(10)]


def write_clip(path: Path, codec: str = "mpeg4", images: list[np.ndarray] = GREYS) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def test_frames_of_a_split_come_in_order(tmp_path: Path, video: Video) -> None:
    frames = list(split_frames(video, tmp_path))
    assert [(frame.video_id, frame.index, frame.name) for frame in frames] == [
        (3, index, f"{index:05}.jpg") for index in range(4)
    ]
    for frame in frames:
        assert isinstance(frame, Frame) and frame.image.dtype == np.uint8
        np.testing.assert_array_equal(frame.image, cv2.imread(str(tmp_path / "bear" / frame.name)))


STATED = {"huge": (65500, 65500), "large": (11600, 11600)}


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "size":
        cv2.imwrite(str(path), picture(0, HEIGHT + 8, WIDTH))
    elif how in STATED:
        height, width = STATED[how]
        frame = data.find(b"\xff\xc0") + 5  # of a baseline JPEG: height and width, two bytes each
        path.write_bytes(data[:frame] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[frame + 4 :])
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "other": b"no image" * 50}[how])


FAULTS = [
    ("missing", "cannot be read"),
    ("size", "is 64x56, expected 64x48"),
    ("cut", "cut short or damaged"),
    ("empty", "an empty file"),
    ("other", "not a readable image"),
    ("huge", "states a size of more than 134,217,728 pixels"),
    ("large", "states 11600x11600 pixels; more than 134,217,728 are not read"),
]


@pytest.mark.parametrize(("how", "reason"), FAULTS)
def test_a_bad_frame_is_an_error_that_names_it(tmp_path: Path, video: Video, how: str, reason: str) -> None:
    damage(tmp_path / "bear/00002.jpg", how)
    with pytest.raises(DataError) as raised:
        list(prefetched(split_frames(video, tmp_path)))
    text = str(raised.value)
    assert text.startswith("video 3 (bear), frame 00002.jpg: ") and reason in text and "\n" not in text


@pytest.mark.parametrize(("how", "reason"), FAULTS)
def test_a_bad_frame_can_be_skipped(tmp_path: Path, video: Video, how: str, reason: str) -> None:
    damage(tmp_path / "bear/00002.jpg", how)
    frames = list(prefetched(split_frames(video, tmp_path, "skip")))
    assert [isinstance(frame, BadFrame) for frame in frames] == [False, False, True, False]
    bad = frames[2]
    assert isinstance(bad, BadFrame) and bad.index == 2 and reason in bad.reason


def test_missing_folders_are_named(tmp_path: Path, video: Video) -> None:
    with pytest.raises(DataError, match="not a folder"):
        split_frames(video, tmp_path / "nowhere")
    with pytest.raises(DataError, match="video 3 \\(bear\\): no folder"):
        split_frames(video, tmp_path / "bear")


def test_a_folder_of_images_is_read_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    (tmp_path / "notes.txt").write_text("no image")
    source = open_frames(tmp_path)
    assert source.length == 3 and source.name == tmp_path.name
    frames = list(source)
    assert [frame.name for frame in frames] == ["1.png", "2.png", "10.png"]
    assert isinstance(frames[2], Frame)
    np.testing.assert_array_equal(frames[2].image, picture(10))


def test_the_first_frame_gives_the_size_where_none_is_declared(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), picture(0))
    cv2.imwrite(str(tmp_path / "1.png"), picture(1, HEIGHT, WIDTH + 8))
    with pytest.raises(DataError, match=r"frame 1\.png: is 72x48, expected 64x48"):
        list(open_frames(tmp_path))


# Where the upper left corner of the stored pixels is shown, as (bottom, right); and whether the sides change places.
SHOWN = {1: (0, 0, 0), 2: (0, 1, 0), 3: (1, 1, 0), 4: (1, 0, 0), 5: (0, 0, 1), 6: (0, 1, 1), 7: (1, 1, 1), 8: (1, 0, 1)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_ones_own_photographs_are_upright_and_a_splits_frames_as_stored(tmp_path: Path, orientation: int) -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = 255
    (tmp_path / "bear").mkdir()
    cv2.imwrite(str(tmp_path / "bear/0.jpg"), image)
    set_orientation(tmp_path / "bear/0.jpg", orientation)
    bottom, right, turned = SHOWN[orientation]
    shape = (WIDTH, HEIGHT) if turned else (HEIGHT, WIDTH)
    for own in (tmp_path / "bear", tmp_path / "bear/*.jpg"):
        (frame,) = open_frames(own)
        assert isinstance(frame, Frame) and frame.image.shape[:2] == shape
        quarters = [np.array_split(half, 2, axis=1) for half in np.array_split(frame.image, 2)]
        assert quarters[bottom][right].mean() > 240 and frame.image.mean() < 70
    (stored,) = split_frames(Video(1, WIDTH, HEIGHT, 1, ("bear/0.jpg",)), tmp_path)
    assert isinstance(stored, Frame)
    np.testing.assert_allclose(stored.image, image, atol=12)
    # A split that is made of the folder describes the frames that a run on it will see.
    (described,) = own_split([tmp_path / "bear"], (Category(1, "bear"),), tmp_path / "unused").split.videos
    assert (described.height, described.width) == (HEIGHT, WIDTH)


@pytest.mark.parametrize("progressive", [0, 1])
def test_every_truncation_of_a_jpeg_is_seen(progressive: int) -> None:
    data = cv2.imencode(".jpg", picture(0), [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    assert jpeg_is_whole(data)
    assert jpeg_is_whole(data + b"\xff\xd8 trailing")
    assert not any(jpeg_is_whole(data[:length]) for length in range(len(data)))


def test_damage_to_a_png_is_seen() -> None:
    data = cv2.imencode(".png", picture(0))[1].tobytes()
    assert png_is_whole(data)
    assert not any(png_is_whole(data[:length]) for length in range(len(data)))
    middle = len(data) // 2
    assert not png_is_whole(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "mpeg4"), ("clip.avi", "mjpeg"), ("clip.mkv", "mpeg4")])
def test_a_video_file_is_decoded(tmp_path: Path, name: str, codec: str) -> None:
    write_clip(tmp_path / name, codec=codec)
    source = open_frames(tmp_path / name)
    assert isinstance(source, VideoFrames)
    assert (source.length, source.declared_length(), source.frame_rate(), source.name) == (None, 10, 10, "clip")
    frames = list(prefetched(source))
    assert [(frame.index, frame.name) for frame in frames] == [(index, str(index)) for index in range(10)]
    for index, frame in enumerate(frames):
        assert isinstance(frame, Frame) and frame.image.shape == (HEIGHT, WIDTH, 3)
        assert abs(float(frame.image.mean()) - 20 * index) < 8
        assert frame.time == pytest.approx(index / 10)


def test_a_clip_that_was_filmed_on_edge_is_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image[:, : WIDTH // 2] = 255
    write_clip(path, images=[image])
    clockwise = np.array([[0, 1, 0], [-1, 0, 0], [HEIGHT, 0, 1]]) * [2**16, 2**16, 2**30]
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = clockwise.astype(">i4").tobytes()
    path.write_bytes(data)
    (frame,) = VideoFrames(1, path)
    assert isinstance(frame, Frame) and frame.image.shape == (WIDTH, HEIGHT, 3)
    assert frame.image[: WIDTH // 2 - 2].mean() > 240 and frame.image[WIDTH // 2 + 2 :].mean() < 15


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video" * 100)
    with pytest.raises(DataError, match=r"clip\.mp4: cannot be opened"):
        list(open_frames(path))
    with pytest.raises(DataError, match="no such file or folder"):
        open_frames(tmp_path / "nowhere.mp4")


def test_a_damaged_packet_is_a_bad_frame(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_clip(path, codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data) - 1) if data[place : place + 3] == b"\xff\xd8\xff"]
    data[starts[4] : starts[5] - 16] = bytes(starts[5] - 16 - starts[4])
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"video 1 \(clip\), frame 4: "):
        list(VideoFrames(1, path))
    kinds = [type(frame) for frame in VideoFrames(1, path, "skip")]
    assert kinds == [Frame] * 4 + [BadFrame] + [Frame] * 5


def test_reading_ahead_stops_with_its_reader(tmp_path: Path, video: Video) -> None:
    frames = prefetched(split_frames(video, tmp_path), depth=2)
    assert [frame.index for frame in islice(frames, 2)] == [0, 1]
    frames.close()  # type: ignore[attr-defined]
    assert not [thread for thread in running_threads() if thread.name.startswith("frames")]


def test_reading_ahead_gives_what_the_source_gives(tmp_path: Path, video: Video) -> None:
    source = ImageFrames(3, "bear", tuple(tmp_path / name for name in video.file_names))
    for depth in (1, 3, 9):
        assert [frame.name for frame in prefetched(source, depth)] == [frame.name for frame in source]


@pytest.mark.parametrize(("name", "reason"), [("a\0.jpg", "null byte"), ("n" * 300 + ".jpg", "too long")])
def test_a_name_that_no_file_system_takes_is_a_bad_frame(tmp_path, name, reason):
    (bad,) = ImageFrames(1, "clip", [tmp_path / name], None, "skip")
    assert isinstance(bad, BadFrame) and reason in bad.reason
