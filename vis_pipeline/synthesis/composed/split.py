"""A composed split on disk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.common import split
from vis_pipeline.synthesis.common.split import MadeTrack, SplitFigures, WrittenVideo
from vis_pipeline.synthesis.composed.backgrounds import Background
from vis_pipeline.synthesis.composed.render import ComposedFrame, Sight, render
from vis_pipeline.synthesis.composed.scene import Cast, draw_cast, plan_scene
from vis_pipeline.synthesis.composed.settings import NORMAL, ComposeSettings
from vis_pipeline.synthesis.composed.sources import Library

_ONE = 1


def write_split(
    out: Path,
    library: Library,
    backgrounds: Sequence[Background],
    seed: int,
    videos: int,
    settings: ComposeSettings = NORMAL,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
    one_class: str | None = None,
) -> SplitFigures:
    """Write `videos` composed videos into `out`, which must be new or empty; the annotations come last.

    With `one_class` every object is written under the one category of this name, id 1; what is drawn stays the same.

    The bytes depend on `library`, `backgrounds`, `seed` and `settings` only, not on `workers`; those of a video do not
    depend on how many there are. One frame at a time is held, and the compressed masks. `on_progress` gets the number
    of videos done: 0 once the request is found good, then after each.

    Raises:
        DataError: a seed, or a number of videos or workers, out of range; a file cannot be read; `out` is not empty or
            cannot be written.
    """
    casts = [
        draw_cast(_stream(seed, index, settings, 0), settings, library, backgrounds, index)
        for index in split.video_indices(seed, videos)
    ]
    return split.write_split(
        out,
        casts,
        partial(_write_video, seed=seed, settings=settings, one_class=one_class is not None),
        library.categories if one_class is None else (Category(_ONE, one_class),),
        "composed videos of vis-pipeline compose",
        workers,
        on_progress,
    )


def _stream(seed: int, index: int, settings: ComposeSettings, part: int) -> np.random.Generator:
    """A random stream of each video's own: one for its cast, another for the rest."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index, settings.stream, part])))


def _write_video(folder: Path, cast: Cast, seed: int, settings: ComposeSettings, one_class: bool) -> WrittenVideo:
    rng = _stream(seed, cast.index, settings, 1)
    scene = plan_scene(rng, settings, cast)
    seen: list[dict[int, tuple[Rle | None, float]]] = []
    file_names = split.write_frames(folder, cast.index, _noting(render(scene, settings, rng), seen))
    ids = [source.category_id for source in cast.sources] + [item.category_id for item in cast.background.objects]
    tracks = [_track(track, _ONE if one_class else identifier, seen) for track, identifier in enumerate(ids)]
    return split.written_video(settings.height, settings.width, file_names, tracks, cast.lookalikes)


def _noting(
    frames: Iterable[ComposedFrame], seen: list[dict[int, tuple[Rle | None, float]]]
) -> Iterator[NDArray[np.uint8]]:
    """The images of the frames; what shows in each is put into `seen` on the way, for no frame is kept."""
    for frame in frames:
        seen.append(_compressed(frame.sights))
        yield frame.image


def _compressed(sights: dict[int, Sight]) -> dict[int, tuple[Rle | None, float]]:
    """The mask and the visible fraction of each object in a frame."""
    shown = {track: sight.pixels for track, sight in sights.items() if sight.pixels is not None}
    rles = dict(zip(shown, masks.encode(np.stack(list(shown.values()))) if shown else [], strict=True))
    return {track: (rles.get(track), sight.fraction) for track, sight in sights.items()}


def _track(track: int, category_id: int, seen: Sequence[dict[int, tuple[Rle | None, float]]]) -> MadeTrack:
    absent = (None, 0.0)
    return MadeTrack(
        category_id=category_id,
        segmentations=tuple(frame.get(track, absent)[0] for frame in seen),
        visible_fractions=np.array([frame.get(track, absent)[1] for frame in seen]),
        in_frame=np.array([track in frame for frame in seen]),
    )
