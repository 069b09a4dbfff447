import resource

import av
import numpy as np
import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.visualize.video_writer import Mp4Writer


def _frames(count, height, width):
    ramp = np.linspace(0, 200, width).astype(np.uint8)
    base = np.broadcast_to(ramp[None, :, None], (height, width, 3))
    return [np.ascontiguousarray(base + np.array([i * 10, 0, 20], np.uint8)) for i in range(count)]


@pytest.mark.parametrize(("height", "width"), [(96, 160), (95, 161), (1, 1), (4, 3000), (3000, 4), (3, 5)])
def test_a_browser_can_play_it(tmp_path, height, width):
    path = tmp_path / "new" / "clip.mp4"
    frames = _frames(5, height, width)
    with Mp4Writer(path, 12.5) as writer:
        for frame in frames:
            writer.write(frame)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (width + width % 2, height + height % 2)
        assert float(stream.average_rate) == 12.5
        decoded = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    assert len(decoded) == 5
    for frame, back in zip(frames, decoded, strict=True):
        assert np.abs(back[:height, :width].astype(int) - frame).mean() < 4
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ([0.0, 0.1, 0.5, 6.5], [0.0, 0.1, 0.5, 6.5]),
        ([0.0, 3600.0, 7200.0, 10800.0], [0.0, 3600.0, 7200.0, 10800.0]),
        # No time, or one that does not go on: an interval of 0.1 s after the one before.
        ([0.2, None, 0.25, 1.0], [0.0, 0.1, 0.2, 0.8]),
    ],
)
def test_frames_are_shown_at_their_times(tmp_path, times, shown):
    path = tmp_path / "clip.mp4"
    with Mp4Writer(path, 10) as writer:
        for frame, time in zip(_frames(4, 64, 64), times, strict=True):
            writer.write(frame, time)
    with av.open(str(path)) as container:
        found = [frame.time for frame in container.decode(video=0)]
    assert [time - found[0] for time in found] == pytest.approx([time - shown[0] for time in shown], abs=1e-3)


def test_an_error_in_the_block_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), Mp4Writer(tmp_path / "clip.mp4", 10) as writer:
        writer.write(_frames(1, 64, 64)[0])
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_no_frames_leave_no_file(tmp_path):
    with Mp4Writer(tmp_path / "clip.mp4", 10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_of_two_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(64, 66\)"), Mp4Writer(tmp_path / "clip.mp4", 10) as writer:
        writer.write(_frames(1, 64, 64)[0])
        writer.write(_frames(1, 64, 66)[0])


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"clip\.mp4: cannot be written"), Mp4Writer(tmp_path / "file" / "clip.mp4", 10):
        pass


def test_a_full_disk_is_named_and_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with (
            pytest.raises(DataError, match=r"clip\.mp4: cannot be written \(File too large\)"),
            Mp4Writer(path, 10) as w,
        ):
            w.write(_frames(1, 64, 64)[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_frames_larger_than_h264_allows_are_one_line(tmp_path):
    with (
        pytest.raises(DataError, match=r"clip\.mp4: frames of 16386x2; H\.264 goes to 16384 pixels a side"),
        Mp4Writer(tmp_path / "clip.mp4", 10) as writer,
    ):
        writer.write(np.zeros((2, 16386, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_key_frames_come_as_often_as_asked_and_nothing_waits_for_a_later_frame(tmp_path):
    with Mp4Writer(tmp_path / "out.mp4", 10, key_frames=4) as writer:
        for index in range(10):
            writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [packet.is_keyframe for packet in packets] == [index % 4 == 0 for index in range(10)]
    assert all(packet.dts == packet.pts for packet in packets)
