import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.bench.boxes import box_corners
from vis_pipeline.masks.quadrilaterals import polygon_area, quadrilateral_iou, upright_corners

boxes = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 6), st.floats(0.5, 6), st.floats(-4, 4))


def half_planes(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which points lie on the same side of all four sides."""
    sides = np.roll(box, -1, axis=0) - box
    apart = points[:, None] - box
    return (sides[:, 0] * apart[..., 1] - sides[:, 1] * apart[..., 0] >= 0).all(axis=1)


@given(boxes, boxes, st.booleans())
@settings(max_examples=40, deadline=None)
def test_iou_is_that_of_counted_points(first, second, turned_round) -> None:
    one, other = box_corners(*first), box_corners(*second)
    steps = np.linspace(-10, 10, 400)
    points = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    in_one, in_other = half_planes(points, one), half_planes(points, other)
    expected = (in_one & in_other).sum() / (in_one | in_other).sum()
    given_as = (one[::-1], other[::-1]) if turned_round else (one, other)
    assert quadrilateral_iou(*given_as) == pytest.approx(expected, abs=0.05)
    assert quadrilateral_iou(one, other) == pytest.approx(quadrilateral_iou(other, one), abs=1e-9)


def test_known_overlaps() -> None:
    square, diamond = box_corners(0, 0, 2, 2, 0.0), box_corners(0, 0, 2, 2, np.pi / 4)
    octagon = 8 * (np.sqrt(2) - 1)
    assert quadrilateral_iou(square, diamond) == pytest.approx(octagon / (8 - octagon))
    assert quadrilateral_iou(square, square) == pytest.approx(1)
    assert quadrilateral_iou(square, square + 2) == pytest.approx(0)
    assert quadrilateral_iou(np.zeros((4, 2)), np.zeros((4, 2))) == 0
    assert polygon_area(upright_corners(diamond)) == pytest.approx(8)
