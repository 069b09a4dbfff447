"""Live streams on loopback: what PyAV makes, at its pace, over HTTP and RTSP."""

import http.server
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import av
import cv2
import numpy as np

HEIGHT, WIDTH = 48, 64
RATE = 25


def picture(index: int) -> np.ndarray:
    """A picture with its index in eight bars, one a bit."""
    bits = np.unpackbits(np.uint8(index % 256)) * np.uint8(255)
    return np.ascontiguousarray(np.broadcast_to(np.repeat(bits, WIDTH // 8)[None, :, None], (HEIGHT, WIDTH, 3)))


def index_of(image: np.ndarray) -> int:
    """Which of the pictures it was before it was coded, and perhaps made wider."""
    bars = np.array_split(image[:, :, 0].mean(axis=0), 8)
    return int(np.packbits([bar.mean() > 128 for bar in bars])[0])


def paced(frames: int, rate: float) -> Iterator[int]:
    """The indices of frames, each when its time has come."""
    began = time.monotonic()
    for index in range(frames):
        time.sleep(max(0.0, began + index / rate - time.monotonic()))
        yield index


class Sent:
    """What PyAV writes to, which goes to a client."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def write(self, data: Any) -> int:
        self._target.write(bytes(data))
        return len(data)


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, LiveHttp)
        server.requests.append(time.monotonic())
        number = len(server.requests)
        if number > server.connections:
            self.send_error(503)
            return
        self.send_response(200)
        with suppress(OSError, av.error.FFmpegError):
            answers = {"/cam.ts": self._transport_stream, "/cam.mjpg": self._multipart, "/silent.ts": self._nothing}
            answers.get(self.path, self._stalling)()

    def _transport_stream(self) -> None:
        server = self.server
        assert isinstance(server, LiveHttp)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        with av.open(Sent(self.wfile), "w", format="mpegts") as made:
            stream = made.add_stream("mpeg2video", rate=RATE, options={"bf": "0", "g": "5", "qscale": "2"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for index in paced(server.frames, server.rate):
                made.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
            made.mux(stream.encode())

    def _multipart(self) -> None:
        server = self.server
        assert isinstance(server, LiveHttp)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for index in paced(server.frames, server.rate):
            data = cv2.imencode(".jpg", picture(index))[1].tobytes()
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            self.wfile.write(head + data + b"\r\n")

    def _stalling(self) -> None:
        self._multipart()
        self.wfile.flush()
        time.sleep(3)

    def _nothing(self) -> None:
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        self.wfile.flush()
        time.sleep(3)


class LiveHttp(http.server.ThreadingHTTPServer):
    """Serves `/cam.ts` and `/cam.mjpg` of so many frames, so many times; afterwards it is unavailable.

    `/silent.ts` gives nothing, and `/stall.mjpg` nothing more after its frames, though the connection stays.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, frames: int, rate: float, connections: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.frames, self.rate, self.connections = frames, rate, connections
        self.requests: list[float] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def handle_error(self, *arguments: object) -> None:
        pass


@contextmanager
def live_http(frames: int = 25, rate: float = RATE, connections: int = 1) -> Iterator[LiveHttp]:
    server = LiveHttp(frames, rate, connections)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _RtspHandler(socketserver.StreamRequestHandler):
    """Enough of RTSP 1.0 (RFC 2326) for a client that plays over TCP."""

    def handle(self) -> None:
        while (request := self._request()) is not None:
            method, sequence = request
            extra, body = b"", b""
            if method == "OPTIONS":
                extra = b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                body = (
                    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
                    b"a=control:track1\r\n"
                )
                extra = b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(body)
            elif method == "SETUP":
                extra = b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif method == "PLAY":
                extra = b"Session: 1\r\n"
            with suppress(OSError):
                self.wfile.write(b"RTSP/1.0 200 OK\r\nCSeq: %s\r\n%s\r\n%s" % (sequence, extra, body))
            if method == "PLAY":
                with suppress(OSError, av.error.FFmpegError):
                    self._play()
                return

    def _request(self) -> tuple[str, bytes] | None:
        lines = []
        while (line := self.rfile.readline().strip()) or not lines:
            if not line:
                return None
            lines.append(line)
        sequence = re.search(rb"CSeq: *(\d+)", b"\n".join(lines))
        return lines[0].split()[0].decode(), sequence[1] if sequence else b"0"

    def _play(self) -> None:
        """RTP packets, which PyAV sends to a socket of ours, go on in frames of the connection."""
        server = self.server
        assert isinstance(server, LiveRtsp)
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as near:
            near.bind(("127.0.0.1", 0))
            near.setblocking(False)
            address = f"rtp://127.0.0.1:{near.getsockname()[1]}"
            with av.open(address, "w", format="rtp") as made:
                options = {"tune": "zerolatency", "preset": "ultrafast", "g": "5", "crf": "8"}
                stream = made.add_stream("libx264", rate=RATE, options=options)
                stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
                for index in paced(server.frames, RATE):
                    made.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
                    time.sleep(0.005)
                    with suppress(BlockingIOError):
                        while True:
                            data = near.recv(65536)
                            self.wfile.write(b"$\0" + len(data).to_bytes(2, "big") + data)


class LiveRtsp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, frames: int) -> None:
        super().__init__(("127.0.0.1", 0), _RtspHandler)
        self.frames = frames

    @property
    def url(self) -> str:
        return f"rtsp://viewer:secret@127.0.0.1:{self.server_address[1]}/cam"


@contextmanager
def live_rtsp(frames: int = 50) -> Iterator[LiveRtsp]:
    server = LiveRtsp(frames)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
