"""Videos that cut away: which frame is where, and whose masks."""

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.cut_away import cut_away
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

SIZE = 6, 9


def pixel(column: int) -> masks.Rle:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[2, column] = True
    return masks.encode(mask[None])[0]


def video(identifier: int, name: str, length: int, width: int = SIZE[1]) -> Video:
    names = tuple(f"{name}/{index:05}.jpg" for index in range(length))
    times = tuple(float(index) for index in range(length))
    return Video(identifier, width, SIZE[0], length, names, times)


def split() -> Split:
    """A bear in all five frames; of two hens one is there in the first frame of four, the other in the last."""
    shown = {1: (1, [0, 1, 2, 3, 4]), 2: (2, [7, None, None, None]), 3: (2, [None, None, None, 8])}
    objects = []
    for identifier, (owner, columns) in shown.items():
        found = tuple(None if column is None else pixel(column) for column in columns)
        areas = tuple(None if column is None else 1.0 for column in columns)
        objects.append(Annotation(identifier, owner, 1, found, areas, iscrowd=False))
    videos = video(1, "bear", 5), video(2, "hens", 4)
    return Split(videos, (Category(1, "object"),), tuple(objects))


def test_the_next_one_is_shown_in_the_middle() -> None:
    bear, hens = cut_away(split(), 3).videos
    assert [name.split(".")[0] for name in bear.file_names] == [
        *("bear/00000", "bear/00001"),
        *("hens/00000", "hens/00001", "hens/00002"),
        *("bear/00002", "bear/00003", "bear/00004"),
    ]
    assert (bear.length, bear.times, bear.id) == (8, None, 1)
    assert [name[:4] for name in hens.file_names] == ["hens"] * 2 + ["bear"] * 3 + ["hens"] * 2


def test_masks_stay_with_their_frames() -> None:
    made = cut_away(split(), 3)
    assert made.annotations is not None
    where = [
        (
            entry.id,
            entry.video_id,
            [None if mask is None else int(masks.decode(mask)[2].argmax()) for mask in entry.segmentations],
        )
        for entry in made.annotations
    ]
    # The second hen is in none of the three frames to which the bear's video cuts away.
    assert where == [
        (1, 1, [0, 1, None, None, None, 2, 3, 4]),
        (2, 1, [None, None, 7, None, None, None, None, None]),
        (3, 2, [None, None, 0, 1, 2, None, None]),
        (4, 2, [7, None, None, None, None, None, None]),
        (5, 2, [None, None, None, None, None, None, 8]),
    ]
    for entry in made.annotations:
        assert entry.areas is not None
        assert [area is None for area in entry.areas] == [mask is None for mask in entry.segmentations]


def test_without_annotations_there_are_none() -> None:
    plain = Split(split().videos, split().categories, None)
    assert cut_away(plain, 1).annotations is None


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ((video(1, "bear", 5),), "one video alone has no other to cut away to"),
        ((video(1, "bear", 5), video(2, "hens", 5, width=7)), "video bear: 9x6, and hens, .* 7x6"),
        ((video(1, "bear", 5), video(2, "hens", 2)), "video hens: has 2 frames, too few to cut away to for 3"),
    ],
)
def test_what_cannot_be_cut_together_is_named(videos: tuple[Video, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        cut_away(Split(videos, split().categories, ()), 3)
