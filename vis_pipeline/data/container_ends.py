"""Whether a video file ends before its container says that it does, told by the container's own sizes.

FFmpeg reads what is there and says nothing: of a transport stream or a Matroska file that lost its last seconds it
gives the length that is left.
"""

import os
from io import BufferedReader

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof", b"sidx", b"pdin")
_SYNC = 0x47
# A packet of a transport stream; with a time before it (Blu-ray), with error correction after it.
_PACKETS = ((188, 0), (192, 4), (204, 0))
_LOOKED_AT = 5


def cut_short(file: BufferedReader) -> str | None:
    """Why a file is known to be cut short; None where it is whole, or its container does not tell.

    Looked at are ISO media (mp4, mov), Matroska and WebM, AVI, and transport streams.
    """
    size = os.fstat(file.fileno()).st_size
    head = file.read(_PACKETS[-1][0] * _LOOKED_AT)
    if head[4:8] in _BOXES:
        return _by_end(_end_of_boxes(file, size), size)
    if head.startswith(_EBML):
        return _by_end(_end_of_segment(head), size)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _by_end(_end_of_avi(file, size), size)
    for length, before in _PACKETS:
        if len(head) == _PACKETS[-1][0] * _LOOKED_AT and all(
            head[before + length * number] == _SYNC for number in range(_LOOKED_AT)
        ):
            return f"{size % length} bytes of a packet of {length} at its end" if size % length else None
    return None


def _by_end(end: int | None, size: int) -> str | None:
    return None if end is None or end <= size else f"{size:,} of {end:,} bytes"


def _end_of_boxes(file: BufferedReader, size: int) -> int:
    """Where the last box that begins in the file ends."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:  # to the end of the file
            return size
        if length < 8 or not head[4:8].isalnum():
            return size  # what follows is no box
        at += length
    return at


def _end_of_segment(head: bytes) -> int | None:
    """Where Matroska's segment ends; None where it is written without knowing, as live ones are."""
    header = _number(head, len(_EBML))
    if header is None:
        return None
    at = header[1] + header[0]
    if head[at : at + len(_SEGMENT)] != _SEGMENT:
        return None
    segment = _number(head, at + len(_SEGMENT))
    if segment is None:
        return None
    length, begin = segment
    unknown = length == (1 << 7 * (begin - at - len(_SEGMENT))) - 1
    return None if unknown else begin + length


def _number(data: bytes, at: int) -> tuple[int, int] | None:
    """EBML's number of variable length at a place, and where it ends."""
    if at >= len(data) or data[at] == 0:
        return None
    length = 9 - data[at].bit_length()
    if at + length > len(data):
        return None
    value = int.from_bytes(data[at : at + length], "big")
    return value & ((1 << 7 * length) - 1), at + length


def _end_of_avi(file: BufferedReader, size: int) -> int:
    """Where the last of its lists ends; a long file has several."""
    at = 0
    while at + 12 <= size:
        file.seek(at)
        head = file.read(12)
        if head[:4] != b"RIFF":
            return size
        at += 8 + int.from_bytes(head[4:8], "little")
        at += at % 2
    return at
