"""Small splits with tracks for the tests of exchange: exclusive masks, and ones with holes, parts and overlaps."""

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

CATEGORIES = (Category(7, "person"), Category(2, "kite"), Category(40, "car"))
PLAIN = Conventions()


def video(identifier: int = 1, length: int = 2, size: tuple[int, int] = (12, 16), name: str | None = None) -> Video:
    folder = f"clip{identifier}" if name is None else name
    names = tuple(f"{folder}/{frame:05d}.jpg" for frame in range(length))
    return Video(identifier, size[1], size[0], length, names)


def rle(mask: NDArray[np.bool_]) -> masks.Rle:
    return masks.encode(mask[None])[0]


def track(
    place: Video, stack: Sequence[NDArray[np.bool_] | None], score: float = 0.5, category: int = 7
) -> TrackResult:
    return TrackResult(place.id, category, score, tuple(None if mask is None else rle(mask) for mask in stack))


def block(x1: int, y1: int, x2: int, y2: int, size: tuple[int, int] = (12, 16)) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


def results(found: Iterable[VideoTracks], categories: Sequence[Category] = CATEGORIES) -> SplitTracks:
    found = list(found)
    videos = tuple(one.video for one in found)
    return SplitTracks(Split(videos, tuple(categories), None), videos, found)


def truth(found: Iterable[VideoTracks], categories: Sequence[Category] = CATEGORIES) -> SplitTracks:
    """The same as ground truth: what the tracks' places say are crowds become crowds."""
    made, annotations = [], []
    for one in found:
        own = [
            Annotation(len(annotations) + place + 1, entry.video_id, entry.category_id, entry.segmentations, None,
                       place in one.crowds)
            for place, entry in enumerate(one.tracks)
        ]  # fmt: skip
        annotations += own
        made.append(VideoTracks(one.video, one.tracks, one.crowds, own))
    videos = tuple(one.video for one in made)
    return SplitTracks(Split(videos, tuple(categories), tuple(annotations)), videos, made)


def dense(entry: TrackResult) -> list[NDArray[np.bool_] | None]:
    return [None if mask is None else masks.decode(mask) for mask in entry.segmentations]


def as_sets(found: Iterable[VideoTracks]) -> dict[int, set[object]]:
    """By video what its tracks are, in no order: category, score, crowd, masks bit for bit."""
    return {
        one.video.id: {
            (entry.category_id, entry.score, place in one.crowds,
             tuple(mask and mask["counts"] for mask in entry.segmentations))
            for place, entry in enumerate(one.tracks)
        }
        for one in found
    }  # fmt: skip


@st.composite
def exclusive_scenes(draw: st.DrawFn) -> list[VideoTracks]:
    """Videos whose tracks share no pixel; each has a pixel somewhere, and its masks may be in several parts."""
    found = []
    for identifier in draw(st.lists(st.integers(0, 2**40), min_size=1, max_size=3, unique=True)):
        size = draw(st.integers(1, 9)), draw(st.integers(1, 9))
        place = video(identifier, draw(st.integers(1, 3)), size)
        count = draw(st.integers(0, 4))
        seed = draw(st.integers(0, 2**32 - 1))
        labels = np.random.default_rng(seed).integers(0, count + 1, (place.length, *size))
        tracks = []
        for number in range(1, count + 1):
            stack = [frame == number if (frame == number).any() else None for frame in labels]
            if any(mask is not None for mask in stack):
                score = draw(st.floats(0, 1, allow_nan=False))
                tracks.append(track(place, stack, score, draw(st.sampled_from([7, 2, 40]))))
        found.append(VideoTracks(place, tracks))
    return found


def notes() -> Notes:
    return Notes()
