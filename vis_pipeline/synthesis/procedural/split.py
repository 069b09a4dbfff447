"""A procedural split on disk."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from vis_pipeline import masks
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.common import split
from vis_pipeline.synthesis.common.split import MadeTrack, SplitFigures, WrittenVideo
from vis_pipeline.synthesis.procedural.settings import NORMAL, ReturnsSettings, SceneSettings
from vis_pipeline.synthesis.procedural.shapes import CATEGORY_NAMES
from vis_pipeline.synthesis.procedural.video import ProceduralVideo, generate_video


def write_split(
    out: Path,
    seed: int,
    videos: int,
    settings: SceneSettings | ReturnsSettings = NORMAL,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
) -> SplitFigures:
    """Write `videos` videos into `out`, which must be new or empty; the annotations come last.

    The bytes depend on `seed`, `videos` and `settings` only, not on `workers`. `on_progress` gets the number of
    videos done: 0 once the request is found good, then after each.

    Raises:
        DataError: a seed, or a number of videos or workers, out of range; `out` is not empty or cannot be written.
    """
    return split.write_split(
        out,
        split.video_indices(seed, videos),
        partial(_write_video, seed=seed, settings=settings),
        [Category(number, name) for number, name in enumerate(CATEGORY_NAMES, start=1)],
        "procedural videos of vis-pipeline synth",
        workers,
        on_progress,
    )


def _write_video(folder: Path, index: int, seed: int, settings: SceneSettings | ReturnsSettings) -> WrittenVideo:
    video = generate_video(seed, index, settings)
    file_names = split.write_frames(folder, index, video.frames)
    tracks = [_track(video, number) for number in range(len(video.category_ids))]
    return split.written_video(settings.height, settings.width, file_names, tracks, video.lookalikes)


def _track(video: ProceduralVideo, number: int) -> MadeTrack:
    stack = video.masks[number]
    shown = np.asarray(stack.any(axis=(1, 2)))
    return MadeTrack(
        category_id=video.category_ids[number],
        segmentations=tuple(rle if seen else None for rle, seen in zip(masks.encode(stack), shown, strict=True)),
        visible_fractions=video.visible_fractions[number],
        in_frame=video.in_frame[number],
    )
