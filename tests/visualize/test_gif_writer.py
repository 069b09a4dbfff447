import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from vis_pipeline.errors import DataError
from vis_pipeline.visualize.gif_writer import GifWriter


def _frames(count, height=48, width=64):
    """A photograph-like ramp on which a square of a colour of its own moves."""
    ramp = np.linspace(0, 255, width)[None, :, None] * np.array([0.3, 0.7, 1.0])
    frames = []
    for index in range(count):
        frame = np.ascontiguousarray(np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8))
        frame[10:20, 4 * index : 4 * index + 12] = (230, 10, 200)
        frames.append(frame)
    return frames


def _read(path):
    """Frames, BGR, and how long each is shown in milliseconds."""
    with Image.open(path) as image:
        parts = [
            (np.asarray(part.convert("RGB"))[..., ::-1].astype(int), part.info["duration"])
            for part in ImageSequence.Iterator(image)
        ]
        return [part for part, _ in parts], [duration for _, duration in parts], image.info.get("loop")


def test_frames_come_back_in_order_in_their_colours(tmp_path):
    frames = _frames(6)
    with GifWriter(tmp_path / "new/clip.gif", 12.5) as writer:
        for frame in frames:
            writer.write(frame)
    found, durations, loop = _read(tmp_path / "new/clip.gif")
    assert len(found) == 6 and durations == [80] * 6 and loop == 0
    for frame, back in zip(frames, found, strict=True):
        assert np.abs(back - frame).mean() < 4
    # A colour that only a part of the frames have keeps a place in the palette.
    assert np.abs(found[5][14, 26] - (230, 10, 200)).max() < 12
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["clip.gif"]


def test_few_colours_come_back_as_they_are(tmp_path):
    frames = [np.full((5, 3, 3), shade, np.uint8) for shade in (0, 90, 255)]
    with GifWriter(tmp_path / "clip.gif", 10) as writer:
        for frame in frames:
            writer.write(frame)
    for frame, back in zip(frames, _read(tmp_path / "clip.gif")[0], strict=True):
        np.testing.assert_array_equal(back, frame)


@pytest.mark.parametrize(
    ("times", "durations"),
    [
        ([1.0, 1.1, 2.0, 3.5], [100, 900, 1500, 80]),
        # 1.105 is nearer than two hundredths to the one before, and no browser would show it that long.
        ([1.0, 1.1, 1.105, 2.0], [100, 900, 80]),
        # No time, and one that goes back: an interval after the one before.
        ([0.2, None, 0.25, 1.0], [80, 80, 640, 80]),
    ],
)
def test_frames_are_shown_at_their_times(tmp_path, times, durations):
    with GifWriter(tmp_path / "clip.gif", 12.5) as writer:
        for frame, time in zip(_frames(len(times)), times, strict=True):
            writer.write(frame, time)
    assert _read(tmp_path / "clip.gif")[1] == durations


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 300)])
def test_frames_of_any_size(tmp_path, size):
    with GifWriter(tmp_path / "clip.gif", 10) as writer:
        writer.write(np.full((*size, 3), 77, np.uint8))
    ((frame,), _, _) = _read(tmp_path / "clip.gif")
    assert frame.shape[:2] == size and (frame == 77).all()


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_frames(tmp_path):
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    height, width = 240, 400
    frame = np.zeros((height, width, 3), np.uint8)
    with GifWriter(tmp_path / "clip.gif", 10) as writer:
        for index in range(120):
            frame[:] = index
            writer.write(frame)
            if index == 20:
                before = resident()
        grown = resident() - before
    assert grown < 20 * frame.nbytes


def test_an_error_in_the_block_leaves_what_was_there(tmp_path):
    (tmp_path / "clip.gif").write_text("before")
    with pytest.raises(RuntimeError, match="stop"), GifWriter(tmp_path / "clip.gif", 10) as writer:
        writer.write(_frames(1)[0])
        raise RuntimeError("stop")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_no_frames_leave_no_file(tmp_path):
    with GifWriter(tmp_path / "clip.gif", 10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_faults_are_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"clip\.gif: cannot be written"), GifWriter(tmp_path / "file/clip.gif", 10):
        pass
    with (
        pytest.raises(DataError, match=r"clip\.gif: frames of 65536x1; a GIF goes to 65535 pixels a side"),
        GifWriter(tmp_path / "clip.gif", 10) as writer,
    ):
        writer.write(np.zeros((1, 65_536, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(3, 4\)"), GifWriter(tmp_path / "clip.gif", 10) as writer:
        writer.write(np.zeros((3, 3, 3), np.uint8))
        writer.write(np.zeros((3, 4, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
