"""A made split on disk: JPEG frames, `instances.json` in YouTube-VIS form, and figures of what was made."""

import json
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.interrupt import telling
from vis_pipeline.masks import Rle
from vis_pipeline.process_pool import process_pool
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.common.visibility import half_hidden, returns

JPEG_QUALITY = 95
_FRAMES = "JPEGImages"
_LARGEST_SEED = 2**32 - 1

RequestT = TypeVar("RequestT")


@dataclass(frozen=True)
class SplitFigures:
    """What a split holds.

    Attributes:
        categories: number of categories that have a track.
        hidden_frames: share of the tracks' frames in which they cannot be seen, in or out of the frame.
        half_hidden: number of tracks that show at most half of themselves in some frame where they show.
        returning: number of tracks that leave the frame wholly and come back.
        with_lookalike: number of videos with two tracks that look alike.
    """

    videos: int
    frames: int
    tracks: int
    categories: int
    fewest_objects: int
    most_objects: int
    hidden_frames: float
    half_hidden: int
    returning: int
    with_lookalike: int


@dataclass(frozen=True)
class MadeTrack:
    """One object over the T frames of a video.

    Attributes:
        segmentations: T masks of its visible pixels, None where it is hidden.
        visible_fractions: float64 [T], visible part of its whole area (frame edges hide too), 0 where it is hidden.
        in_frame: bool [T], where it is in the frame, hidden or not.
    """

    category_id: int
    segmentations: tuple[Rle | None, ...]
    visible_fractions: NDArray[np.float64]
    in_frame: NDArray[np.bool_]


@dataclass(frozen=True)
class WrittenVideo:
    """A video's annotations without ids, and what the figures need; frames are `height` x `width` pixels."""

    height: int
    width: int
    file_names: tuple[str, ...]
    annotations: tuple[dict[str, Any], ...]
    half_hidden: int
    returning: int
    has_lookalike: bool


def write_split(
    out: Path,
    requests: Sequence[RequestT],
    write: Callable[[Path, RequestT], WrittenVideo],
    categories: Sequence[Category],
    description: str,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
) -> SplitFigures:
    """Write a video for each request (at least one) into `out`, which must be new or empty; the annotations come last.

    `write` gets the folder that all frames go into and a request; both must be picklable where there are several
    `workers`. `on_progress` gets the number of videos done: 0 once `out` is claimed, then after each.

    Raises:
        DataError: too few workers; `out` is not empty or cannot be written.
    """
    if workers < 1:
        raise DataError(f"--workers {workers}: must be at least 1")
    try:
        _claim(out)
        on_progress(0)
        written: list[WrittenVideo] = []
        with telling(
            lambda: f"{len(written)} videos are drawn, without their annotations; remove {out} and begin again"
        ):
            for video in _each(partial(write, out / _FRAMES), requests, workers):
                written.append(video)
                on_progress(len(written))
        text = json.dumps(_instances(written, categories, description), separators=(",", ":"))
    except OSError as error:
        raise DataError(f"--out {out}: cannot be written ({error.strerror}); give another folder") from error
    write_text(out / "instances.json", text)
    return _figures(written)


def video_indices(seed: int, videos: int) -> range:
    """The indices of the videos of a split.

    Raises:
        DataError: the seed or the number of videos is out of range.
    """
    if not 0 <= seed <= _LARGEST_SEED:
        raise DataError(f"--seed {seed}: must be from 0 to {_LARGEST_SEED}")
    if videos < 1:
        raise DataError(f"--videos {videos}: must be at least 1")
    return range(videos)


def write_frames(folder: Path, index: int, frames: Iterable[NDArray[np.uint8]]) -> tuple[str, ...]:
    """Write frames, uint8 [H, W, 3] BGR each, as JPEGs of video `index`; file names are relative to `folder`."""
    name = f"{index:05d}"
    (folder / name).mkdir()
    file_names = []
    for frame, image in enumerate(frames):
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert encoded
        file_names.append(f"{name}/{frame:05d}.jpg")
        (folder / file_names[-1]).write_bytes(data.tobytes())
    return tuple(file_names)


def written_video(
    height: int, width: int, file_names: tuple[str, ...], tracks: Sequence[MadeTrack], lookalikes: Iterable[int]
) -> WrittenVideo:
    """What is kept of a video whose frames are written; tracks never seen are dropped."""
    shown = [bool(track.visible_fractions.any()) for track in tracks]
    fractions = np.array([track.visible_fractions for track in tracks]).reshape(len(tracks), len(file_names))
    in_frame = np.array([track.in_frame for track in tracks], dtype=np.bool_).reshape(fractions.shape)
    return WrittenVideo(
        height=height,
        width=width,
        file_names=file_names,
        annotations=tuple(_annotation(track, height, width) for track, seen in zip(tracks, shown, strict=True) if seen),
        half_hidden=int(half_hidden(fractions).sum()),
        returning=int(returns(~in_frame, fractions > 0).sum()),
        has_lookalike=sum(shown[track] for track in lookalikes) >= 2,
    )


def _claim(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise DataError(f"--out {out}: the folder is not empty; give a new one")
    (out / _FRAMES).mkdir()


def _each(
    task: Callable[[RequestT], WrittenVideo], requests: Iterable[RequestT], workers: int
) -> Iterator[WrittenVideo]:
    if workers == 1:
        yield from map(task, requests)
        return
    with process_pool(workers, _begin_child) as pool:
        yield from pool.map(task, requests)


def _begin_child() -> None:
    cv2.setNumThreads(1)
    # Ctrl-C goes to every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _annotation(track: MadeTrack, height: int, width: int) -> dict[str, Any]:
    rles = [rle for rle in track.segmentations if rle is not None]
    boxes = iter(masks.bounding_boxes(rles).tolist())
    areas = iter(masks.area(rles).tolist())
    return {
        "category_id": track.category_id,
        "segmentations": list(track.segmentations),
        "bboxes": [None if rle is None else next(boxes) for rle in track.segmentations],
        "areas": [None if rle is None else int(next(areas)) for rle in track.segmentations],
        "visible_fractions": [round(float(part), 4) for part in track.visible_fractions],
        "iscrowd": 0,
        "height": height,
        "width": width,
        "length": len(track.segmentations),
    }


def _instances(written: list[WrittenVideo], categories: Sequence[Category], description: str) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for video_id, video in enumerate(written, start=1):
        for annotation in video.annotations:
            annotations.append({"id": len(annotations) + 1, "video_id": video_id, **annotation})
    return {
        "info": {"description": description},
        "videos": [
            {
                "id": video_id,
                "width": video.width,
                "height": video.height,
                "length": len(video.file_names),
                "file_names": list(video.file_names),
            }
            for video_id, video in enumerate(written, start=1)
        ],
        "categories": [{"id": category.id, "name": category.name} for category in categories],
        "annotations": annotations,
    }


def _figures(written: list[WrittenVideo]) -> SplitFigures:
    counts = [len(video.annotations) for video in written]
    annotations = [annotation for video in written for annotation in video.annotations]
    hidden = [rle is None for annotation in annotations for rle in annotation["segmentations"]]
    return SplitFigures(
        videos=len(written),
        frames=sum(len(video.file_names) for video in written),
        tracks=sum(counts),
        categories=len({annotation["category_id"] for annotation in annotations}),
        fewest_objects=min(counts),
        most_objects=max(counts),
        hidden_frames=float(np.mean(hidden)) if hidden else 0.0,
        half_hidden=sum(video.half_hidden for video in written),
        returning=sum(video.returning for video in written),
        with_lookalike=sum(video.has_lookalike for video in written),
    )
