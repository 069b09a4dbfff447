"""YouTube-VOS folders on disk, written chunk by chunk as their PNGs are, for the tests that read them."""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def palette_png(labels: np.ndarray, depth: int = 8) -> bytes:
    """A palette PNG (PNG specification, colour type 3) of `depth` bits a pixel whose indices are `labels` [H, W]."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = labels.shape
    rows = b""
    for row in labels.tolist():
        bits = "".join(format(value, f"0{depth}b") for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))
    colours = bytes(channel for index in range(2**depth) for channel in (255 - index, index * 7 % 256, 40))
    header = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"PLTE", colours) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def write_masks(folder: Path, video: str, maps: Mapping[str, np.ndarray], between: Sequence[str] = ()) -> None:
    """The masks of a video under their frames' names, and a JPEG of each and of the frames `between` them."""
    for kind in ("Annotations", "JPEGImages"):
        (folder / kind / video).mkdir(parents=True, exist_ok=True)
    height, width = next(iter(maps.values())).shape
    for name, labels in maps.items():
        (folder / f"Annotations/{video}/{name}.png").write_bytes(palette_png(labels))
    for name in (*maps, *between):
        cv2.imwrite(str(folder / f"JPEGImages/{video}/{name}.jpg"), np.full((height, width, 3), 70, np.uint8))


def write_meta(folder: Path, videos: Mapping[str, Mapping[str, Any]]) -> Path:
    """A `meta.json` with the objects of each video."""
    path = folder / "meta.json"
    path.write_text(json.dumps({"videos": {name: {"objects": objects} for name, objects in videos.items()}}))
    return path
