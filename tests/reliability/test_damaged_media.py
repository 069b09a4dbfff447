"""Damage inside pictures and videos is told, not passed in silence; what cannot be told is bounded here, too."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vis_pipeline.data import frames as frames_module
from vis_pipeline.data import video_decoding
from vis_pipeline.data.container_ends import cut_short
from vis_pipeline.data.frames import VideoFrames, prefetched
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import read_image
from vis_pipeline.files.jpeg_scan import scan_is_sound
from vis_pipeline.structures.frames import BadFrame, Footage, Frame, Remark


def scene(number: int, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """Noise of several sizes, and a square that moves."""
    rng = np.random.default_rng(5)
    image = np.zeros((height, width, 3), np.float32)
    for side in (2, 5, 15):
        coarse = rng.integers(0, 80, (height // side + 1, width // side + 1, 3)).astype(np.float32)
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    image[30:70, 20 + 3 * number : 60 + 3 * number] = (40, 200, 90)
    return image.clip(0, 255).astype(np.uint8)


def jpeg(image: NDArray[np.uint8], *options: int) -> bytes:
    sound, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90, *options])
    assert sound
    return data.tobytes()


@pytest.mark.parametrize("quality", [3, 75, 100])
@pytest.mark.parametrize(
    "options",
    [
        [],
        [cv2.IMWRITE_JPEG_RST_INTERVAL, 1],
        [cv2.IMWRITE_JPEG_RST_INTERVAL, 7],
        [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
        [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111],
        [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111],
    ],
)
def test_whole_jpegs_of_all_kinds_are_read(quality: int, options: list[int]) -> None:
    white = np.full((9, 9, 3), 255, np.uint8)
    stripes = np.tile(np.array([0, 255], np.uint8), (31, 20))
    for image in (scene(0), scene(0)[:101, :77], scene(0)[..., 0], white, 255 - white, stripes):
        assert scan_is_sound(jpeg(image, *options, cv2.IMWRITE_JPEG_QUALITY, quality))


def test_a_jpeg_padded_at_its_end_is_read() -> None:
    whole = jpeg(scene(0))
    for padding in (b"\0", b"\0\0\0", b"\xff", b"\xff\xff\xff"):
        assert scan_is_sound(whole[:-2] + padding + whole[-2:])
    assert scan_is_sound(whole + b"anything")


def scan_of(data: bytes) -> int:
    """Where the coded data begin."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def damaged(data: bytes, kind: str, rng: random.Random) -> bytes:
    changed, at = bytearray(data), rng.randrange(scan_of(data), len(data) - 130)
    if kind == "zeros":
        changed[at : at + 64] = bytes(64)
    elif kind == "noise":
        changed[at : at + 64] = bytes(rng.choices(range(1, 255), k=64))
    else:
        del changed[at : at + 100]
    return bytes(changed)


@pytest.mark.parametrize(("kind", "least"), [("zeros", 0.5), ("noise", 0.8), ("lost", 0.8)])
def test_damage_inside_a_scan_is_told(kind: str, least: float) -> None:
    """OpenCV gives a picture of each of these."""
    whole, rng = jpeg(scene(0), cv2.IMWRITE_JPEG_QUALITY, 75), random.Random(1)
    tries = [damaged(whole, kind, rng) for _ in range(60)]
    assert all(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None for data in tries[:5])
    assert sum(not scan_is_sound(data) for data in tries) >= least * len(tries)


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f.jpg"
    whole = jpeg(scene(0))
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_image(path), cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR))
    at = scan_of(whole) + 500
    path.write_bytes(whole[:at] + b"\x5a\xa5" * 32 + whole[at + 64 :])
    with pytest.raises(DataError, match=r"a JPEG that is damaged inside: .*f\.jpg"):
        read_image(path)


def test_any_text_for_a_jpeg_is_an_answer() -> None:
    rng, whole = random.Random(2), jpeg(scene(0), cv2.IMWRITE_JPEG_RST_INTERVAL, 3)
    for _ in range(300):
        data = bytearray(whole[: rng.randrange(20, len(whole))])
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        assert scan_is_sound(bytes(data)) in (True, False)


def clip(path: Path, codec: str = "libx264", frames: int = 20, **options: str) -> bytes:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"threads": "1", **options})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number), format="bgr24")))
        container.mux(stream.encode())
    return path.read_bytes()


def seen(path: Path, patience: float = 20) -> list[Footage]:
    return list(prefetched(VideoFrames(1, path, "skip"), patience=patience))


@pytest.mark.parametrize(
    ("name", "codec", "options", "least"),
    [
        ("c.mp4", "libx264", {"x264-params": "log-level=none"}, 0.4),
        ("c.mkv", "libx264", {"x264-params": "slices=4:log-level=none"}, 0.4),
        ("c.avi", "mpeg4", {}, 0.5),
    ],
)
def test_damaged_slices_are_told(tmp_path: Path, name: str, codec: str, options: dict[str, str], least: float) -> None:
    """The frame that its decoder patches up comes as a bad one."""
    path, rng = tmp_path / name, random.Random(3)
    whole = clip(path, codec, **options)
    assert [type(item) for item in seen(path)] == [Frame] * 20
    told = 0
    for _ in range(12):
        at = rng.randrange(len(whole) // 4, len(whole) * 3 // 4)
        path.write_bytes(whole[:at] + bytes(rng.choices(range(256), k=200)) + whole[at + 200 :])
        told += any(isinstance(item, BadFrame) for item in seen(path))
    assert told >= least * 12


def test_a_concealed_frame_ends_a_run_that_wants_all(tmp_path: Path) -> None:
    path = tmp_path / "c.avi"
    whole = clip(path, "mpeg4")
    at = len(whole) // 2
    path.write_bytes(whole[:at] + b"\x55" * 300 + whole[at + 300 :])
    with pytest.raises(DataError, match=r"c\).*frame \d+: .*damaged in the file \(.*--on-bad-frame skip"):
        list(VideoFrames(1, path))


@pytest.mark.parametrize(
    ("name", "codec"), [("c.mp4", "libx264"), ("c.mkv", "libx264"), ("c.ts", "libx264"), ("c.avi", "mpeg4")]
)
def test_a_container_that_is_cut_short_is_told(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    whole = clip(path, codec, **({"x264-params": "log-level=none"} if codec == "libx264" else {}))
    with path.open("rb") as file:
        assert cut_short(file) is None
    for share in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share) | 1])
        with path.open("rb") as file:
            assert cut_short(file) is not None
        try:
            found = seen(path)
        except DataError:
            continue  # without its table mp4 holds nothing
        assert any(isinstance(item, Remark | BadFrame) for item in found)
        with pytest.raises(DataError):
            list(VideoFrames(1, path))


def test_what_is_read_in_part_need_not_be_whole(tmp_path: Path) -> None:
    from vis_pipeline.data.limits import Limits

    path = tmp_path / "c.mkv"
    whole = clip(path, **{"x264-params": "log-level=none"})
    path.write_bytes(whole[: len(whole) * 9 // 10])
    assert len(list(VideoFrames(1, path, limits=Limits(5, None)))) == 5


def test_a_matroska_written_live_states_no_end(tmp_path: Path) -> None:
    path = tmp_path / "c.mkv"
    whole = bytearray(clip(path, **{"x264-params": "log-level=none"}))
    at = whole.index(b"\x18\x53\x80\x67") + 4
    whole[at : at + 8] = b"\x01" + b"\xff" * 7
    path.write_bytes(whole[:-10])
    with path.open("rb") as file:
        assert cut_short(file) is None


class Hanging:
    """A source of which one frame comes, and then nothing."""

    video_id, name, length = 7, "clip", None

    def __init__(self) -> None:
        self.wakened = Event()

    def __iter__(self) -> Iterator[Footage]:
        yield Frame(7, 0, "0", np.zeros((2, 2, 3), np.uint8))
        self.wakened.wait(60)


def test_a_video_whose_decoding_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "_FAREWELL", 0.1)
    source = Hanging()
    frames = prefetched(source, patience=0.2)
    assert isinstance(next(frames), Frame)
    with pytest.raises(DataError, match=r"video 7 \(clip\): nothing came of frame 1 for 0\.2 s"):
        next(frames)
    source.wakened.set()


def test_a_container_that_fails_on_and_on_comes_to_an_end() -> None:
    class Stuck:
        def demux(self, stream: object) -> Iterator[object]:
            return self

        def __iter__(self) -> Iterator[object]:
            return self

        def __next__(self) -> object:
            raise av.error.InvalidDataError(1, "damaged")

    found = list(video_decoding._as_decoded(Stuck(), None))
    assert 1 <= len(found) <= 200


def test_frames_of_a_giant_size_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.avi"
    clip(path, "mpeg4", 2)
    monkeypatch.setattr(frames_module, "MOST_PIXELS", 160 * 120 - 1)
    with pytest.raises(DataError, match=r"c\.avi: states frames of 160x120; more than 19,199 pixels"):
        list(VideoFrames(1, path))


def test_a_stream_that_nothing_decodes_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "c.mp4"
    whole = clip(path, **{"x264-params": "log-level=none"})
    path.write_bytes(whole.replace(b"avc1", b"zzz1"))
    with pytest.raises(DataError, match=r"c\.mp4: is coded in a way that nothing here decodes"):
        list(VideoFrames(1, path))


@pytest.mark.parametrize(
    "text",
    ["ffconcat version 1.0\nfile pipe\n", "#EXTM3U\n#EXTINF:1\npipe\n", "v=0\nm=video 5004 RTP/AVP 96\n"],
)
def test_a_list_in_place_of_a_video_opens_nothing(tmp_path: Path, text: str) -> None:
    """FFmpeg would wait for somebody to write to the pipe."""
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "c.mp4"
    path.write_text(text)
    video = VideoFrames(1, path)
    for read in (video.declared_length, video.frame_rate, lambda: list(video)):
        with pytest.raises(DataError, match=r"c\.mp4: a list of other files"):
            read()
