from typing import Any

import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.masks import polygons

TRIANGLE = [1.5, 2, 8, 2, 8, 8]


@pytest.mark.parametrize("sound", [[], [TRIANGLE], [TRIANGLE, [-5, -5, 40, 0, 3, 3, 1e5, 7]]])
def test_sound_polygons_pass(sound: list[Any]) -> None:
    polygons.require_sound(sound)


@pytest.mark.parametrize(
    ("polygon", "fault"),
    [
        ([], "0 numbers"),
        ([1, 2, 3, 4], "4 numbers"),
        ([*TRIANGLE, 3], "7 numbers"),
        ([float("nan"), 2, 8, 2, 8, 8], "not finite"),
        ([float("-inf"), 2, 8, 2, 8, 8], "not finite"),
        ([1e9, 2, 8, 2, 8, 8], "more than 100000 pixels away"),
        ([-(10**400), 2, 8, 2, 8, 8], "more than 100000 pixels away"),
        ([0, 0, 1e5, 0] * 6, "an outline of more than 1000000 pixels"),
        ([None, 2, 8, 2, 8, 8], "not a list of numbers"),
        ([True, 2, 8, 2, 8, 8], "not a list of numbers"),
        (["1", 2, 8, 2, 8, 8], "not a list of numbers"),
        ([[1, 2], [3, 4], [5, 6]], "not a list of numbers"),
        ("abcdef", "not a list of numbers"),
        ({"counts": "", "size": [1, 1]}, "not a list of numbers"),
    ],
)
def test_what_crashes_pycocotools_or_fills_the_memory_is_named(polygon: Any, fault: str) -> None:
    with pytest.raises(DataError, match=f"polygon 1: .*{fault}"):
        polygons.require_sound([TRIANGLE, polygon])
