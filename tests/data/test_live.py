"""Cameras and streams: real ones over HTTP and RTSP on loopback, with PyAV as the sender."""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live_servers import HEIGHT, RATE, WIDTH, index_of, live_http, live_rtsp, picture

from vis_pipeline.data.frames import open_frames, prefetched
from vis_pipeline.data.limits import Limits
from vis_pipeline.data.live import LiveFrames, LiveOptions, SourceTime
from vis_pipeline.data.live_address import LiveAddress, live_address
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame, FrameSource, Remark


def told(footage: list[Any]) -> list[str]:
    return [item.text for item in footage if isinstance(item, Remark)]


def frames_of(footage: list[Any]) -> list[Frame]:
    frames = [item for item in footage if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == list(range(len(frames))), "numbered without gaps"
    return frames


def read(source: FrameSource) -> tuple[list[Frame], list[str]]:
    footage = list(prefetched(source))
    return frames_of(footage), told(footage)


def test_a_transport_stream_over_http() -> None:
    with live_http(frames=20, rate=100) as server:
        source = open_frames(server.url("cam.ts"), live=LiveOptions("all", 0))
        frames, words = read(source)
    assert (source.name, source.length) == ("cam", None)
    # The last one or two of a stream that just ends stay in it.
    assert [index_of(frame.image) for frame in frames] == list(range(len(frames))) and 18 <= len(frames) <= 20
    # It was sent four times as fast as its clock says.
    assert [frame.time for frame in frames] == pytest.approx([index / RATE for index in range(len(frames))], abs=1e-3)
    assert len(words) == 1 and "the connection broke" in words[0] and "--reconnect" in words[0]


def test_a_multipart_stream_has_the_times_of_its_arrival() -> None:
    with live_http(frames=10, rate=5) as server:
        frames, _ = read(open_frames(server.url("cam.mjpg"), live=LiveOptions("all", 0)))
    assert [index_of(frame.image) for frame in frames] == list(range(10))
    # What lay there before the source was opened comes at once; by FFmpeg's 25 a second it would be 0.36 s.
    assert 0.8 < frames[9].time < 4


def test_rtsp_and_that_its_password_goes_nowhere() -> None:
    with live_rtsp(frames=40) as server:
        source = open_frames(server.url, live=LiveOptions("all", 0))
        frames, words = read(source)
    shown = [index_of(frame.image) for frame in frames]
    assert len(shown) > 20 and shown == list(range(shown[0], shown[0] + len(shown)))
    gaps = np.diff([frame.time for frame in frames[2:]])
    assert gaps == pytest.approx(np.full(len(gaps), 1 / RATE), abs=1e-3)
    assert isinstance(source, LiveFrames)
    assert source.address.shown == f"rtsp://127.0.0.1:{server.server_address[1]}/cam"
    assert not any("secret" in text for text in words)


def test_frames_for_which_there_is_no_time_are_dropped_or_wait() -> None:
    with live_http(frames=60, rate=500, connections=2) as server:
        for keep, gaps in (("latest", True), ("all", False)):
            footage: list[Any] = []
            for item in open_frames(server.url("cam.mjpg"), live=LiveOptions(keep, 0)):
                footage.append(item)
                time.sleep(0.02)
            frames = frames_of(footage)
            shown = [index_of(frame.image) for frame in frames]
            assert shown == sorted(set(shown))
            assert (len(shown) < 60) == gaps
            assert any(f"{60 - len(shown)} frames were dropped to keep up" in text for text in told(footage)) == gaps


def test_a_break_is_mended_and_time_goes_on() -> None:
    with live_http(frames=5, rate=50, connections=2) as server:
        frames, words = read(open_frames(server.url("cam.mjpg"), live=LiveOptions("all", 2)))
        asked = server.requests
    assert [index_of(frame.image) for frame in frames] == [*range(5), *range(5)]
    assert 0.9 < frames[5].time - frames[4].time < 4
    assert words[0].startswith("the connection broke (") and words[0].endswith("it is back at try 1 of 2")
    # The last try after the second break comes two seconds later.
    assert words[1].endswith("did not come back: 2 tries in 3 s (--reconnect)") and len(words) == 2
    assert len(asked) == 3 and asked[2] - asked[1] > 1.9


def test_a_connection_that_gives_nothing_more_is_a_broken_one() -> None:
    with live_http(frames=5, rate=50, connections=2) as server:
        frames, words = read(open_frames(server.url("stall.mjpg"), live=LiveOptions("all", 1, timeout=0.5)))
    assert [index_of(frame.image) for frame in frames] == [*range(5), *range(5)]
    assert words[0] == "the connection broke (nothing came for 0.5 s); it is back at try 1 of 1"


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with live_http(frames=500, rate=100, connections=3) as server:
        url, options = server.url("cam.ts"), LiveOptions("all", 0)
        assert len(read(open_frames(url, limits=Limits(frames=3), live=options))[0]) == 3
        frames, words = read(open_frames(url, limits=Limits(seconds=0.4), live=options))
        assert len(frames) == 10 and not words
    with live_http(frames=5, rate=100) as server:
        # The seconds pass while nothing comes, too.
        began = time.monotonic()
        read(open_frames(server.url("cam.mjpg"), limits=Limits(seconds=0.5), live=LiveOptions("all", 50)))
        assert time.monotonic() - began < 3


def test_stopping_ends_it_with_what_was_seen() -> None:
    with live_http(frames=10_000) as server:
        source = open_frames(server.url("cam.mjpg"))
        assert isinstance(source, LiveFrames)
        seen = []
        for item in prefetched(source):
            seen.append(item)
            if len(seen) == 4:
                source.stop()
        assert len(frames_of(seen)) == 4
        time.sleep(0.3)
        assert not [thread for thread in threading.enumerate() if thread.name == "live"]


def test_a_recording_on_a_server_is_read_whole_and_once(tmp_path: Path) -> None:
    """Of an mp4 the end is known: nothing is dropped, however slow the reader."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from clips import GREYS, write_clip

    write_clip(tmp_path / "clip.mp4", GREYS, options={"movflags": "faststart"})

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        footage = []
        for item in open_frames(f"http://127.0.0.1:{server.server_address[1]}/clip.mp4"):
            footage.append(item)
            time.sleep(0.01)
    finally:
        server.shutdown()
        server.server_close()
    assert [frame.time for frame in frames_of(footage)] == pytest.approx([index / 10 for index in range(20)])
    assert told(footage) == []


def test_what_cannot_be_opened_is_one_line() -> None:
    with live_http(connections=0) as server, pytest.raises(DataError, match=r"cam\.ts: cannot be opened \(.*5XX"):
        list(open_frames(server.url("cam.ts")))
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1/x: cannot be opened \(Connection refused\)"):
        list(open_frames("http://viewer:secret@127.0.0.1:1/x?key=secret"))
    with (
        live_http() as server,
        pytest.raises(DataError, match=r"silent\.ts: cannot be opened \(nothing came for 0\.5 s"),
    ):
        list(open_frames(server.url("silent.ts"), live=LiveOptions(timeout=0.5)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("97", r"camera 97: no such camera \(/dev/video97 is missing; there (is none|are .*)\)"),
        ("/dev/video97", "camera 97: no such camera"),
        ("ftp://me:secret@host/clip.mp4", r"video ftp://host/clip\.mp4: of the addresses those with http, "),
        ("http:///clip", "video http:///clip: the address has no host"),
        ("rtsp://[::1/clip", "not an address"),
        ("rtsp://host:port/clip", "not an address"),
    ],
)
def test_addresses_that_are_none(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        open_frames(text)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["clip.mp4", "frames/0", "a:b", "http:/x", "٣"])
def test_paths_are_no_addresses(text: str) -> None:
    assert live_address(text) is None


def test_a_file_called_by_a_number_is_no_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("0").mkdir()
    assert live_address("0") is None


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("rtsp://me:secret@host:554/live/main.sdp?key=secret", "main", "rtsp://host:554/live/main.sdp"),
        ("HTTP://Host", "host", "http://host"),
        ("udp://@:5004", "stream", "udp://:5004"),
        ("https://[::1]:8/a b.m3u8#x", "a_b", "https://[::1]:8/a b.m3u8"),
    ],
)
def test_what_an_address_is_called(text: str, name: str, shown: str) -> None:
    address = live_address(text)
    assert address is not None
    assert (address.location, address.container, address.name, address.shown) == (text, None, name, shown)


class _Device(io.RawIOBase):
    """Gives bytes and cannot be wound back, like a device."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


def test_a_camera_is_opened_as_one_and_a_change_of_size_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine of ours has a camera: `av.open` is stood in for, all else is real."""
    asked: list[tuple[Any, ...]] = []
    really_open = av.open

    def opened(location: str, **how: Any) -> Any:
        asked.append((location, how["format"]))
        if len(asked) > 2:
            raise av.error.OSError(19, "No such device", location)
        made = io.BytesIO()
        with really_open(made, "w", format="mpegts") as container:
            stream = container.add_stream("mpeg2video", rate=RATE, options={"bf": "0"})
            stream.width, stream.height, stream.pix_fmt = WIDTH * len(asked), HEIGHT, "yuv420p"
            for index in range(4):
                image = np.repeat(picture(index), len(asked), axis=1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(stream.encode())
        return really_open(_Device(made.getvalue()), format="mpegts")

    monkeypatch.setattr("vis_pipeline.data.live.av.open", opened)
    address = LiveAddress("/dev/video7", "v4l2", "camera7", "camera 7")
    frames, words = read(LiveFrames(1, address, options=LiveOptions(reconnect=1)))
    assert asked[0] == ("/dev/video7", "v4l2")
    assert [index_of(frame.image) for frame in frames] == list(range(4))
    assert words[0].startswith("the connection broke (the source ended it); it is back at try 1 of 1")
    assert words[-1] == "4 frames of another size than the first were left out"


def _ticks(*times: float) -> Any:
    left: Iterator[float] = iter(times)
    return lambda: next(left)


def test_time_is_the_sources_own_until_a_break_or_a_set_back() -> None:
    times = SourceTime(_ticks(100.0, 100.5, 100.6, 107.0, 107.1, 108.0, 108.1, 109.0))
    assert times.of(5000.0) == 0.0
    assert times.of(5000.04) == pytest.approx(0.04)
    assert times.of(5000.08) == pytest.approx(0.08)
    times.broken()
    assert times.of(3.0) == pytest.approx(7.0)
    assert times.of(3.1) == pytest.approx(7.1)
    # Set back within a connection.
    assert times.of(1.0) == pytest.approx(8.0)
    # Set forth, and on from there.
    assert times.of(90_000.0) == pytest.approx(8.1)
    assert times.of(90_000.5) == pytest.approx(8.6)
