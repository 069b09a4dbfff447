"""Frames of a split as videos of length 1."""

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

A, B, C, D = masks.encode(np.eye(4, dtype=np.bool_).reshape(4, 2, 2))
SPLIT = Split(
    videos=(Video(7, 2, 2, 3, ("a/0.jpg", "a/1.jpg", "a/2.jpg")), Video(3, 2, 2, 2, ("b/0.jpg", "b/1.jpg"))),
    categories=(Category(5, "cat"),),
    annotations=(
        Annotation(9, 3, 5, (C, None), (40.0, None), False),
        Annotation(4, 7, 5, (A, None, B), (10.0, 0.0, None), True, ("none", "none", "slight")),
        Annotation(2, 7, 5, (None, D, None), None, False),
    ),
)


@pytest.mark.parametrize(
    "every, frames, shown",
    [
        (1, {1: "a/0.jpg", 2: "a/1.jpg", 3: "a/2.jpg", 4: "b/0.jpg", 5: "b/1.jpg"}, [(1, A), (2, D), (3, B), (4, C)]),
        (2, {1: "a/0.jpg", 3: "a/2.jpg", 4: "b/0.jpg"}, [(1, A), (3, B), (4, C)]),
        (3, {1: "a/0.jpg", 4: "b/0.jpg"}, [(1, A), (4, C)]),
    ],
)
def test_every_nth_frame_with_what_shows_in_it(every: int, frames: dict[int, str], shown: list[object]) -> None:
    found = as_single_frames(SPLIT, every)
    assert {video.id: video.file_names[0] for video in found.videos} == frames
    assert all(video.length == 1 for video in found.videos)
    assert [(entry.video_id, entry.segmentations[0]) for entry in found.annotations or ()] == shown
    assert [entry.id for entry in found.annotations or ()] == list(range(1, len(shown) + 1))


def test_areas_levels_and_crowds_are_those_of_the_frame() -> None:
    first, second, third, fourth = as_single_frames(SPLIT).annotations or ()
    assert (first.areas, first.occlusion, first.iscrowd) == ((10.0,), ("none",), True)
    assert (second.areas, second.occlusion, second.iscrowd) == (None, None, False)
    assert (third.areas, third.occlusion) == (None, ("slight",))
    assert fourth.areas == (40.0,)


def test_without_annotations() -> None:
    assert as_single_frames(Split(SPLIT.videos, SPLIT.categories, None)).annotations is None
