"""Video files as they come: turned and mirrored, with cover art, cut short, trimmed, damaged in the middle."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import GREYS, HEIGHT, WIDTH, set_matrix, write_clip
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.data.video_decoding import lacks_frames, upright
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame, Remark


def shown_at(x, y, width, height, a, b, c, d):
    """Where a stored pixel is shown, by the matrix, pushed into the positive quarter."""
    corners = [(a * u + c * v, b * u + d * v) for u in (0, width - 1) for v in (0, height - 1)]
    return a * x + c * y - min(u for u, _ in corners), b * x + d * y - min(v for _, v in corners)


ORIENTATIONS = [
    (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1), (0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0),
    (0, -1, -1, 0),
]  # fmt: skip


@given(st.sampled_from(ORIENTATIONS), st.integers(1, 4), st.integers(1, 5))
def test_every_pixel_goes_where_the_matrix_says(rows, height, width):
    image = np.arange(3 * height * width, dtype=np.uint8).reshape(height, width, 3)
    a, b, c, d = rows
    turned = upright(image, np.array([[a, b, 0], [c, d, 0], [0, 0, 1]]))
    for y, x in np.ndindex(height, width):
        shown_x, shown_y = shown_at(x, y, width, height, *rows)
        assert turned[shown_y, shown_x].tolist() == image[y, x].tolist()


@pytest.mark.parametrize("rows", ORIENTATIONS)
def test_a_clip_is_shown_as_its_display_matrix_says(tmp_path, rows):
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = 255
    path = tmp_path / "clip.mp4"
    write_clip(path, [image])
    set_matrix(path, rows)
    (frame,) = VideoFrames(1, path)
    assert isinstance(frame, Frame)
    x, y = shown_at(WIDTH // 4, HEIGHT // 4, WIDTH, HEIGHT, *rows)
    assert frame.image.shape[:2] == ((HEIGHT, WIDTH) if rows[0] else (WIDTH, HEIGHT))
    assert frame.image[y, x].min() > 240
    assert np.mean(frame.image > 128) == pytest.approx(0.25, abs=0.05)


def test_cover_art_is_not_the_video(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, cover=np.full((32, 32, 3), 255, dtype=np.uint8))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 2
    frames = list(VideoFrames(1, path))
    assert len(frames) == 20
    assert all(isinstance(frame, Frame) and frame.image.shape == (HEIGHT, WIDTH, 3) for frame in frames)


def test_a_file_of_cover_art_alone_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        art = container.add_stream("mjpeg", rate=1)
        art.width, art.height, art.pix_fmt = 32, 32, "yuvj420p"
        art.disposition = av.stream.Disposition.attached_pic
        container.mux(art.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="bgr24")))
    with pytest.raises(DataError, match="has no video stream"):
        list(VideoFrames(1, path))


def test_a_file_that_ends_early_is_an_error_or_a_remark(tmp_path):
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    rng = np.random.default_rng(0)
    write_clip(whole, [rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(20)])
    data = whole.read_bytes()
    cut.write_bytes(data[: int(0.6 * len(data))])
    assert len(list(VideoFrames(1, whole))) == 20
    with pytest.raises(DataError, match=r"cut\.mkv: ends after \d+ of the 20 frames that it states; was it cut short"):
        list(VideoFrames(1, cut))
    *frames, remark = VideoFrames(1, cut, "skip")
    assert 0 < len(frames) < 18 and not any(isinstance(frame, Remark) for frame in frames)
    assert isinstance(remark, Remark) and "of the 20 frames" in remark.text


@pytest.mark.parametrize(
    ("found", "stated", "lacks"),
    [(20, 20, False), (19, 20, False), (18, 20, True), (100, 104, False), (100, 107, True), (7, None, False)],
)
def test_clearly_fewer_frames_than_stated(found, stated, lacks):
    assert lacks_frames(found, stated) == lacks


def test_an_uneven_rate_is_no_early_end(tmp_path):
    """A matroska states a rate and a duration, which together give 65 frames; it has 12, up to its end."""
    path, times = tmp_path / "clip.mkv", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    write_clip(path, GREYS[:12], times=times)
    frames = list(VideoFrames(1, path))
    assert [frame.time for frame in frames] == pytest.approx(times)
    assert VideoFrames(1, path).declared_length() > 60


def test_pixels_that_are_not_square_are_remarked(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, ratio=Fraction(4, 3))
    *frames, remark = VideoFrames(1, path)
    assert len(frames) == 20
    assert isinstance(remark, Remark) and "not square (4/3)" in remark.text


def test_times_are_those_of_the_file(tmp_path):
    path, times = tmp_path / "clip.mp4", [0.0, 0.1, 0.5, 2.0]
    write_clip(path, GREYS[:4], times=times)
    assert [frame.time for frame in VideoFrames(1, path)] == pytest.approx(times)


def test_a_damaged_frame_that_others_are_shown_before_has_its_own_index(tmp_path):
    """With B-frames a packet is read before frames that are shown earlier; the index is that of its time."""
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(12)]
    path = tmp_path / "clip.mkv"
    write_clip(path, images, options={"bf": "2", "b-adapt": "0", "g": "100"})
    with av.open(str(path)) as container:
        order = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert order != sorted(order), "no B-frames, so nothing is tested"
    for number in (1, 4):
        damaged = tmp_path / f"{number}.mkv"
        _copy_damaging(path, damaged, number)
        expected = sorted(order).index(order[number])
        bad = [frame.index for frame in VideoFrames(1, damaged, "skip") if isinstance(frame, BadFrame)]
        assert bad[0] == expected


def _copy_damaging(source: Path, target: Path, number: int) -> None:
    """The same packets, but the one with this number holds nonsense."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for index, packet in enumerate(old.demux(video=0)):
            if packet.pts is None:
                continue
            copied = packet
            if index == number:
                copied = av.Packet(b"\0\0\0\x08\x41" + b"\xff" * 7)
                copied.pts, copied.dts, copied.time_base = packet.pts, packet.dts, packet.time_base
            copied.stream = stream
            new.mux(copied)
