import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.errors import DataError

GOOD = {"size": [10, 10], "counts": [22, 6, 72]}
DAMAGED_LISTS = ([22, 6, 4, 600], [22, 6], [], [22, 50, -20, 48], [22, 6.0, 72], ["a"])
DAMAGED_TEXTS = ("", "f0", "f06h", "é", "~~", " ", "oooooooooooo0")


@pytest.mark.parametrize("counts", [*DAMAGED_LISTS, *DAMAGED_TEXTS, 7, None])
def test_damaged_runs_are_an_error(counts):
    with pytest.raises(DataError, match="damaged RLE"):
        masks.from_segmentation({"size": [10, 10], "counts": counts}, 10, 10)


def test_one_segmentation_a_frame():
    good = masks.from_segmentation(GOOD, 10, 10)
    assert masks.from_segmentations([GOOD, None, [], GOOD], 10, 10) == (good, None, None, good)
    assert masks.from_segmentations([None, None], 10, 10) == (None, None)


def test_the_damaged_frame_is_named():
    with pytest.raises(DataError, match="frame 2: damaged RLE: the runs do not add up to the 100 pixels"):
        masks.from_segmentations([GOOD, None, {"size": [10, 10], "counts": [22, 6]}, GOOD], 10, 10)
    with pytest.raises(DataError, match=r"frame 1: mask of size \[10, 11\], expected \[10, 10\]"):
        masks.from_segmentations([GOOD, {"size": [10, 11], "counts": [110]}], 10, 10)


def test_any_number_of_masks_has_areas():
    assert masks.area(masks.encode(np.ones((600, 2, 3), dtype=bool))).tolist() == [6.0] * 600
