"""Damage done to files of every kind, and what became of it: the table of docs/reliability.md.

Each fault is done to a fresh copy of a sound file that is made here. An outcome is one of four: `told`, an error in a
line or a bad frame; `harmless`, the file reads as before; `silent`, it reads as something else and nothing is said;
`crashed`, any other error.
"""

import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.data.results import read_results
from vis_pipeline.errors import UserError
from vis_pipeline.files.images import read_image
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.weights.files import read_state_dict, write_tensors

HEIGHT, WIDTH, FRAMES = 120, 160, 20
OUTCOMES = ("told", "harmless", "silent", "crashed")

_ENCODING = {
    "libx264": {"x264-params": "log-level=none"},
    "libx265": {"x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}

Damage = Callable[[bytes, random.Random], bytes]
Read = Callable[[Path], Any]


@dataclass(frozen=True)
class Told:
    """That what was read said of itself that something is wrong with it."""


@dataclass(frozen=True)
class Kind:
    """A kind of file, made sound at a path; `read` gives what is compared, or :class:`Told`."""

    name: str
    make: Callable[[Path], None]
    read: Read
    damages: tuple[str, ...]


@dataclass
class Row:
    """What became of one damage to one kind of file."""

    kind: str
    damage: str
    outcomes: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """As one entry of the result file."""
        return {"kind": self.kind, "damage": self.damage, **{name: self.outcomes[name] for name in OUTCOMES}}


def faults(folder: Path, tries: int, seed: int) -> Iterator[Row]:
    """The rows of the table, each of so many tries; `folder` is for the files."""
    for kind in KINDS:
        path = folder / kind.name.partition(" ")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        kind.make(path)
        whole, sound = path.read_bytes(), kind.read(path)
        for name in kind.damages:
            row, rng = Row(kind.name.partition(" ")[0].replace("_", " "), name), random.Random(f"{seed} {kind.name}")
            for _ in range(tries):
                path.write_bytes(DAMAGES[name](whole, rng))
                row.outcomes[_outcome(kind.read, path, sound)] += 1
            yield row


def _outcome(read: Read, path: Path, sound: Any) -> str:
    try:
        found = read(path)
    except UserError as error:
        return "crashed" if "\n" in str(error) else "told"
    except Exception:  # whatever is raised beside our own errors would be a traceback
        return "crashed"
    if isinstance(found, Told):
        return "told"
    return "harmless" if found == sound else "silent"


def _one_bit(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _noise(data: bytes, rng: random.Random) -> bytes:
    # Heads are damaged by single bits; here it is the bulk.
    at = rng.randrange(len(data) // 4, max(len(data) - 80, len(data) // 4 + 1))
    return data[:at] + bytes(rng.choices(range(256), k=64)) + data[at + 64 :]


def _lost(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) // 4, max(len(data) - 110, len(data) // 4 + 1))
    return data[:at] + data[at + 100 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


DAMAGES: dict[str, Damage] = {"one bit": _one_bit, "64 bytes": _noise, "100 lost": _lost, "cut short": _cut}


def _scene(number: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(5)
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for side in (2, 5, 15):
        coarse = rng.integers(0, 80, (HEIGHT // side + 1, WIDTH // side + 1, 3)).astype(np.float32)
        image += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    image[30:70, 20 + 3 * number : 60 + 3 * number] = (40, 200, 90)
    return image.clip(0, 255).astype(np.uint8)


def _make_jpeg(path: Path) -> None:
    cv2.imwrite(str(path), _scene(0), [cv2.IMWRITE_JPEG_QUALITY, 75])


def _make_mask(path: Path) -> None:
    cv2.imwrite(str(path), (_scene(0)[..., 1] > 150).astype(np.uint8))


def _make_video(codec: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=10, options={"threads": "1", **_ENCODING.get(codec, {})})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for number in range(FRAMES):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(_scene(number), format="bgr24")))
            container.mux(stream.encode())

    return make


def _outcome_of_video() -> VideoOutcome:
    mask = masks.encode((_scene(0)[..., 1] > 150)[None])[0]
    return VideoOutcome((TrackResult(1, 1, 0.5, (mask, None)),), 2, HEIGHT, WIDTH, {"detect": 1.5}, ())


def _make_stored(path: Path) -> None:
    RunFolder.create(path.parents[1], {}, "a").write_video(1, _outcome_of_video())


def _make_results(path: Path) -> None:
    mask = masks.encode((_scene(0)[..., 1] > 150)[None])[0]
    path.write_text(json.dumps([{"video_id": 1, "category_id": 1, "score": 0.5, "segmentations": [mask, None]}]))


def _make_pth(path: Path) -> None:
    torch.manual_seed(0)
    torch.save({"state_dict": torch.nn.Linear(30, 30).state_dict()}, path)


def _make_safetensors(path: Path) -> None:
    torch.manual_seed(0)
    write_tensors(path, torch.nn.Linear(30, 30).state_dict(), {})


def _read_pixels(path: Path) -> int:
    return zlib.crc32(read_image(path).tobytes())


def _read_mask(path: Path) -> int:
    return zlib.crc32(read_stored(path)[0].tobytes())


def _read_video(path: Path) -> tuple[int, ...] | Told:
    seen = list(VideoFrames(1, path, "skip"))
    if not all(isinstance(item, Frame) for item in seen):
        return Told()
    return tuple(zlib.crc32(item.image.tobytes()) for item in seen if isinstance(item, Frame))


def _read_stored(path: Path) -> VideoOutcome:
    folder = RunFolder(path.parents[1], "a")
    if folder.finished() != {1}:
        raise UserError("not finished: it is done again")
    return folder.read_video(1)


def _read_results(path: Path) -> tuple[TrackResult, ...]:
    video = Video(1, WIDTH, HEIGHT, 2, ("1/0.jpg", "1/1.jpg"))
    return read_results(path, Split((video,), (Category(1, "a"),), None))


def _read_tensors(path: Path) -> dict[str, Any]:
    return {name: value.tolist() for name, value in read_state_dict(path).items()}


_ALL = tuple(DAMAGES)
# The name of the row, and where the file lies in the folder.
KINDS = (
    Kind("JPEG_frame frame.jpg", _make_jpeg, _read_pixels, _ALL),
    Kind("PNG_mask mask.png", _make_mask, _read_mask, _ALL),
    Kind("H.264_in_mp4 clip.mp4", _make_video("libx264"), _read_video, _ALL),
    Kind("H.264_in_Matroska clip.mkv", _make_video("libx264"), _read_video, _ALL),
    Kind("H.264_in_a_transport_stream clip.ts", _make_video("libx264"), _read_video, _ALL),
    Kind("MPEG-4_in_AVI clip.avi", _make_video("mpeg4"), _read_video, _ALL),
    Kind("HEVC_in_mp4 hevc.mp4", _make_video("libx265"), _read_video, _ALL),
    Kind("VP9_in_WebM clip.webm", _make_video("libvpx-vp9"), _read_video, _ALL),
    Kind("finished_video run/videos/1.json", _make_stored, _read_stored, _ALL),
    Kind("results results.json", _make_results, _read_results, _ALL),
    Kind("checkpoint w.pth", _make_pth, _read_tensors, _ALL),
    Kind("safetensors w.safetensors", _make_safetensors, _read_tensors, _ALL),
)
