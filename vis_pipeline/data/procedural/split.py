"""A procedural split on disk: JPEG frames, `instances.json` in YouTube-VIS form, and figures of what was made."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vis_pipeline import masks
from vis_pipeline.data.procedural.scene import half_hidden, returns
from vis_pipeline.data.procedural.settings import NORMAL, SceneSettings
from vis_pipeline.data.procedural.shapes import CATEGORY_NAMES
from vis_pipeline.data.procedural.video import ProceduralVideo, generate_video
from vis_pipeline.errors import DataError

JPEG_QUALITY = 95
_LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class SplitFigures:
    """What a split holds.

    Attributes:
        categories: number of categories that have a track.
        half_hidden: number of tracks that show at most half of themselves in some frame where they show.
        returning: number of tracks that leave the frame wholly and come back.
        with_lookalike: number of videos with two tracks alike in category, texture and colours.
    """

    videos: int
    frames: int
    tracks: int
    categories: int
    fewest_objects: int
    most_objects: int
    half_hidden: int
    returning: int
    with_lookalike: int


@dataclass(frozen=True)
class _WrittenVideo:
    """A video's annotations without ids, and what the figures need."""

    file_names: list[str]
    annotations: list[dict[str, Any]]
    half_hidden: int
    returning: int
    has_lookalike: bool


def write_split(
    out: Path,
    seed: int,
    videos: int,
    settings: SceneSettings = NORMAL,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
) -> SplitFigures:
    """Write `videos` videos into `out`, which must be new or empty; the annotations come last.

    The bytes depend on `seed`, `videos` and `settings` only, not on `workers`. `on_progress` gets the number of
    videos done: 0 once the request is found good, then after each.

    Raises:
        DataError: a seed, or a number of videos or workers, out of range; `out` is not empty or cannot be written.
    """
    if not 0 <= seed <= _LARGEST_SEED:
        raise DataError(f"--seed {seed}: must be from 0 to {_LARGEST_SEED}")
    if videos < 1:
        raise DataError(f"--videos {videos}: must be at least 1")
    if workers < 1:
        raise DataError(f"--workers {workers}: must be at least 1")
    try:
        _claim(out)
        on_progress(0)
        written = []
        for video in _each(partial(_write_video, out / "JPEGImages", seed, settings), videos, workers):
            written.append(video)
            on_progress(len(written))
        text = json.dumps(_instances(written, settings), separators=(",", ":"))
        (out / "instances.json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"--out {out}: cannot be written ({error.strerror}); give another folder") from error
    return _figures(written)


def _claim(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise DataError(f"--out {out}: the folder is not empty; give a new one")
    (out / "JPEGImages").mkdir()


def _each(make: Callable[[int], _WrittenVideo], videos: int, workers: int) -> Iterator[_WrittenVideo]:
    if workers == 1:
        yield from map(make, range(videos))
        return
    # Spawned, not forked: OpenCV's threads do not survive a fork, and a child that needs them hangs.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(make, range(videos))


def _write_video(folder: Path, seed: int, settings: SceneSettings, index: int) -> _WrittenVideo:
    video = generate_video(seed, index, settings)
    name = f"{index:05d}"
    (folder / name).mkdir()
    file_names = [f"{name}/{frame:05d}.jpg" for frame in range(len(video.frames))]
    for file_name, image in zip(file_names, video.frames, strict=True):
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert encoded
        (folder / file_name).write_bytes(data.tobytes())
    shown = np.asarray(video.visible_fractions.any(axis=1))
    return _WrittenVideo(
        file_names=file_names,
        annotations=[_annotation(video, track) for track in np.flatnonzero(shown).tolist()],
        half_hidden=int(half_hidden(video.visible_fractions).sum()),
        returning=int(returns(~video.in_frame, video.visible_fractions > 0).sum()),
        has_lookalike=int(shown[list(video.lookalikes)].sum()) >= 2,
    )


def _annotation(video: ProceduralVideo, track: int) -> dict[str, Any]:
    stack = video.masks[track]
    shown = stack.any(axis=(1, 2))
    rles = masks.encode(stack)
    boxes = masks.bounding_boxes(rles)
    areas = masks.area(rles)
    height, width = stack.shape[1:]
    return {
        "category_id": video.category_ids[track],
        "segmentations": [rle if seen else None for rle, seen in zip(rles, shown, strict=True)],
        "bboxes": [box.tolist() if seen else None for box, seen in zip(boxes, shown, strict=True)],
        "areas": [int(area) if seen else None for area, seen in zip(areas, shown, strict=True)],
        "visible_fractions": [round(float(part), 4) for part in video.visible_fractions[track]],
        "iscrowd": 0,
        "height": height,
        "width": width,
        "length": len(stack),
    }


def _instances(written: list[_WrittenVideo], settings: SceneSettings) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for video_id, video in enumerate(written, start=1):
        for annotation in video.annotations:
            annotations.append({"id": len(annotations) + 1, "video_id": video_id, **annotation})
    return {
        "info": {"description": "procedural videos of vis-pipeline synth"},
        "videos": [
            {
                "id": video_id,
                "width": settings.width,
                "height": settings.height,
                "length": len(video.file_names),
                "file_names": video.file_names,
            }
            for video_id, video in enumerate(written, start=1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CATEGORY_NAMES, start=1)],
        "annotations": annotations,
    }


def _figures(written: list[_WrittenVideo]) -> SplitFigures:
    counts = [len(video.annotations) for video in written]
    return SplitFigures(
        videos=len(written),
        frames=sum(len(video.file_names) for video in written),
        tracks=sum(counts),
        categories=len({annotation["category_id"] for video in written for annotation in video.annotations}),
        fewest_objects=min(counts),
        most_objects=max(counts),
        half_hidden=sum(video.half_hidden for video in written),
        returning=sum(video.returning for video in written),
        with_lookalike=sum(video.has_lookalike for video in written),
    )
