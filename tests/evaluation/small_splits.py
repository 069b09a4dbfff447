"""Splits of a few rectangles in tiny videos, made in memory."""

import numpy as np
from hypothesis import strategies as st

from vis_pipeline.masks import encode
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

CAT, DOG = Category(1, "cat"), Category(2, "dog")
SIDE = 20


def rectangle(x1, y1, x2, y2):
    mask = np.zeros((1, SIDE, SIDE), dtype=bool)
    mask[0, y1:y2, x1:x2] = True
    return encode(mask)[0]


WHOLE, HALF, AWAY = rectangle(0, 0, 10, 10), rectangle(0, 0, 10, 5), rectangle(10, 10, 20, 20)


def video(identifier=1, length=1):
    return Video(identifier, SIDE, SIDE, length, tuple(f"v{identifier}/{i:05d}.jpg" for i in range(length)))


def truth(identifier, *masks, video_id=1, category_id=1, **fields):
    fields = {"areas": None, "iscrowd": False, **fields}
    return Annotation(identifier, video_id, category_id, masks, **fields)


def found(score, *masks, video_id=1, category_id=1):
    return TrackResult(video_id, category_id, score, masks)


def split(*annotations, videos=None, categories=(CAT,)):
    return Split(tuple(videos or [video()]), tuple(categories), annotations)


@st.composite
def scenes(draw, occlusion=None):
    """A split with its results, in which equal scores are common; `occlusion` draws a level for a frame."""
    ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
    videos = [video(identifier, draw(st.integers(1, 2))) for identifier in ids]
    masks = st.sampled_from([WHOLE, HALF, AWAY, rectangle(0, 0, 10, 8), None])
    annotations, results = [], []
    for identifier in range(draw(st.integers(0, 6))):
        place, category = draw(st.sampled_from(videos)), draw(st.sampled_from((1, 2)))
        levels = None if occlusion is None else tuple(draw(occlusion) for _ in range(place.length))
        track = tuple(draw(masks) for _ in range(place.length))
        crowd = draw(st.integers(0, 3)) == 0
        annotations.append(
            truth(identifier, *track, video_id=place.id, category_id=category, iscrowd=crowd, occlusion=levels)
        )
    for _ in range(draw(st.integers(0, 8))):
        place, category = draw(st.sampled_from(videos)), draw(st.sampled_from((1, 2)))
        score = draw(st.sampled_from([0.25, 0.5, 1.0]))
        track = tuple(draw(masks) for _ in range(place.length))
        results.append(found(score, *track, video_id=place.id, category_id=category))
    return split(*annotations, videos=videos, categories=(CAT, DOG)), results
