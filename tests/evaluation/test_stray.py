import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from evaluation.stray import stray_share
from vis_pipeline import masks
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

FRAMES, HEIGHT, WIDTH = 3, 4, 6
CATEGORIES = (Category(1, "one"), Category(2, "two"))


def tracks(stack):
    """One track a row of bool [N, F, H, W]; an empty mask is null."""
    for frames in stack:
        rles = masks.encode(frames)
        yield tuple(rle if mask.any() else None for rle, mask in zip(rles, frames, strict=True))


clips = hnp.arrays(np.bool_, (2, FRAMES, HEIGHT, WIDTH))


@given(clips, clips)
def test_a_mask_is_astray_where_less_than_half_of_it_lies_on_objects_of_any_class(shown, true):
    results = [TrackResult(5, 1, 0.5, track) for track in tracks(shown)]
    annotations = tuple(
        Annotation(number, 5, number, track, None, False)
        for number, track in enumerate(tracks(true), start=1)
        if any(track)
    )
    split = Split((Video(5, WIDTH, HEIGHT, FRAMES, ("a", "b", "c")),), CATEGORIES, annotations)
    stray, counted = 0, 0
    for track in shown:
        for frame, mask in enumerate(track):
            if mask.any():
                counted += 1
                on_objects = sum(true[:, frame, row, column].any() for row, column in np.argwhere(mask))
                stray += on_objects < mask.sum() / 2
    assert stray_share(results, split) == (stray / counted if counted else 0)
