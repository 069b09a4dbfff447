"""What names a live source: the index of a camera, or the address of a stream."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vis_pipeline.errors import DataError

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "tcp", "udp")


@dataclass(frozen=True)
class LiveAddress:
    """Where frames come from that nobody can ask for again.

    Attributes:
        location: what the decoder opens; an address may hold a password, so it goes nowhere else.
        container: FFmpeg's name of the format, None where the stream says it.
        name: for files, of letters, digits, `.`, `_` and `-`.
        shown: for messages and the run's config, without user, password and query.
    """

    location: str
    container: str | None
    name: str
    shown: str


def live_address(text: str) -> LiveAddress | None:
    """The live source that a text names; None where it is a path, or a number that is the name of something there.

    Raises:
        DataError: there is no such camera, or the address is of a kind that cannot be read.
    """
    path = Path(text)
    if text.isdecimal() and text.isascii() and not path.exists():
        return _camera(int(text))
    if (device := re.fullmatch(r"/dev/video(\d+)", text)) is not None:
        return _camera(int(device[1]))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return _stream(text)
    return None


def _camera(index: int) -> LiveAddress:
    device = Path(f"/dev/video{index}")
    if not device.exists():
        there = sorted(int(path.name[5:]) for path in Path("/dev").glob("video*") if path.name[5:].isdecimal())
        others = f"there are {', '.join(map(str, there))}" if there else "there is none"
        raise DataError(f"camera {index}: no such camera ({device} is missing; {others})")
    return LiveAddress(str(device), "v4l2", f"camera{index}", f"camera {index}")


def _stream(text: str) -> LiveAddress:
    scheme = text.partition(":")[0].lower()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise DataError(f"video {scheme}://...: not an address ({error})") from error
    where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    shown = f"{scheme}://{where}{parts.path}"
    if scheme not in SCHEMES:
        raise DataError(f"video {shown}: of the addresses those with {', '.join(SCHEMES)} can be read")
    # Of UDP one may listen to a port of one's own.
    if not host and not (scheme == "udp" and port):
        raise DataError(f"video {shown}: the address has no host")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(parts.path).stem or host).strip(".")
    return LiveAddress(text, None, name or "stream", shown)
