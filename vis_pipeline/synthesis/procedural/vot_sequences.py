"""Drawn sequences for VOT, one object each, with the exact rotated boxes of its outline."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline.data.vot import claim, longest_run, write_list, write_sequence
from vis_pipeline.errors import DataError
from vis_pipeline.synthesis.common.split import JPEG_QUALITY, video_indices
from vis_pipeline.synthesis.procedural.settings import NORMAL, SceneSettings
from vis_pipeline.synthesis.procedural.shapes import CATEGORY_NAMES
from vis_pipeline.synthesis.procedural.video import ProceduralVideo, generate_video

# What of an object shows where a sequence begins, and below what it is called occluded.
_CLEAR = 0.6


def write_vot_sequences(
    out: Path,
    seed: int,
    videos: int,
    settings: SceneSettings = NORMAL,
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[str, ...]:
    """Write a sequence of each video into `out`, which must be new or empty; their names.

    It follows the object that stays in the frame longest after it is first clearly seen, for so long. The truth is the
    rectangle of least area around its whole outline, hidden or not. The attribute `occlusion` is of the frames in which
    less than 0.6 of the object shows.

    Raises:
        DataError: a seed or a number of videos out of range; `out` is not empty or cannot be written.
    """
    indices = video_indices(seed, videos)
    claim(out)
    names = []
    for index in indices:
        on_progress(index)
        video = generate_video(seed, index, settings)
        track, frames = _longest(video)
        names.append(f"{index:05}_{CATEGORY_NAMES[video.category_ids[track] - 1]}")
        occluded = video.visible_fractions[track, frames] < _CLEAR
        write_sequence(
            out / names[-1],
            (_jpeg(image) for image in video.frames[frames]),
            ".jpg",
            (settings.width, settings.height),
            video.boxes[track, frames],
            {"occlusion": occluded},
        )
    write_list(out, names)
    return tuple(names)


def _longest(video: ProceduralVideo) -> tuple[int, slice]:
    runs = []
    for fractions, inside in zip(video.visible_fractions, video.in_frame, strict=True):
        run = longest_run(inside)
        clear = np.flatnonzero(fractions[run] >= _CLEAR)
        runs.append(slice(run.start + int(clear[0]), run.stop) if len(clear) else slice(0, 0))
    lengths = [run.stop - run.start for run in runs]
    best = int(np.argmax(lengths))
    if lengths[best] == 0:
        raise DataError("a video in which no object is ever clearly seen; take another --seed")
    return best, runs[best]


def _jpeg(image: np.ndarray) -> bytes:
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert encoded
    return bytes(data.tobytes())
