import cv2
import numpy as np

from vis_pipeline.trackers.siammask.rotated_box import rotated_box

BOX = np.array([5.5, 6.0, 20.0, 10.0])
CORNERS = [[5.5, 6.0], [25.5, 6.0], [25.5, 16.0], [5.5, 16.0]]


def test_an_empty_mask_gives_the_state_box():
    assert rotated_box(np.zeros((40, 60), dtype=bool), BOX).tolist() == CORNERS


def test_an_area_of_100_is_not_enough():
    mask = np.zeros((40, 60), dtype=bool)
    mask[3:14, 3:14] = True  # the contour runs through pixel centres and encloses 10 x 10
    assert rotated_box(mask, BOX).tolist() == CORNERS
    mask[3:14, 14] = True
    assert rotated_box(mask, BOX).tolist() != CORNERS


def test_the_largest_part_is_boxed_as_it_lies():
    canvas = np.zeros((120, 160), dtype=np.uint8)
    turned = cv2.boxPoints(((80, 60), (60, 24), 30.0))
    cv2.fillConvexPoly(canvas, turned.round().astype(np.int32), 1)
    canvas[2:16, 2:16] = 1
    found = rotated_box(canvas.astype(bool), BOX)
    distances = np.linalg.norm(found[:, None] - turned[None], axis=2)
    assert (distances.min(axis=1) < 2).all()
