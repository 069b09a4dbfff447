"""SiamMask as the engine asks for it, and no prediction at all."""

import torch
from siammask_scenes import moving_squares, random_network

from vis_pipeline.trackers.base import Propagated
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import PRESETS


def siammask():
    return SiamMaskPredictor(random_network("small"), PRESETS["davis"])


def test_renewed_tracks_look_for_what_is_in_their_boxes_now_and_the_others_for_what_they_began_with():
    tracker = siammask()
    propagator = SiamMaskPropagator(tracker)
    images, boxes = moving_squares(2, 3)
    first, later = (torch.from_numpy(image) for image in images[:2])
    moved = torch.from_numpy(boxes) + torch.tensor([2.0, 1, 3, 0], dtype=torch.float64)
    states = propagator.start(first, torch.from_numpy(boxes))
    after = propagator.advance(later, states, moved, torch.tensor([2, 0]))
    afresh = tracker.initialise(later, moved)
    torch.testing.assert_close(after.boxes, moved)
    torch.testing.assert_close(after.templates[[2, 0]], afresh.templates[[2, 0]])
    torch.testing.assert_close(after.padding[[2, 0]], afresh.padding[[2, 0]])
    torch.testing.assert_close(after.templates[1], states.templates[1])
    torch.testing.assert_close(after.padding[1], states.padding[1])
    unchanged = propagator.advance(later, states, moved, torch.tensor([], dtype=torch.int64))
    torch.testing.assert_close(unchanged.templates, states.templates)
    torch.testing.assert_close(unchanged.boxes, moved)


def test_a_small_box_is_searched_for_in_ten_pixels_renewed_or_not():
    propagator = SiamMaskPropagator(siammask())
    image = torch.from_numpy(moving_squares(1, 3)[0][0])
    small = torch.tensor([[20.0, 20, 4, 4], [40, 40, 4, 4]], dtype=torch.float64)
    states = propagator.advance(image, propagator.start(image, small), small, torch.tensor([1]))
    assert states.sizes.tolist() == [[10, 10], [10, 10]]


def test_no_tracks_can_be_started_and_predicted():
    propagator = SiamMaskPropagator(siammask())
    image = torch.zeros((40, 60, 3), dtype=torch.uint8)
    states = propagator.start(image, torch.zeros((0, 4), dtype=torch.float64))
    assert propagator.predict(image, states).masks.shape == (0, 40, 60)


def test_predictions_are_spread_among_all_tracks():
    found = Propagated(
        torch.ones((2, 3, 4), dtype=torch.bool),
        torch.tensor([0.5, 0.7]),
        torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8]], dtype=torch.float64),
        torch.tensor([[4.0, 3, 2, 1], [8, 7, 6, 5]], dtype=torch.float64),
    )
    everyone = found.spread(torch.tensor([2, 0]), 3)
    assert everyone.masks.flatten(1).any(1).tolist() == [True, False, True]
    torch.testing.assert_close(everyone.scores, torch.tensor([0.7, 0, 0.5]))
    assert everyone.boxes.tolist() == [[5, 6, 7, 8], [0, 0, 0, 0], [1, 2, 3, 4]]
    assert everyone.located[2].tolist() == [4, 3, 2, 1]


def test_without_prediction_nothing_is_anywhere():
    none = NoPrediction()
    image = torch.zeros((4, 6, 3), dtype=torch.uint8)
    states = none.concatenate([none.start(image, torch.ones((2, 4))), none.select(5, torch.tensor([1]))])
    found = none.predict(image, none.advance(image, states, torch.ones((3, 4)), torch.tensor([0])))
    assert found.masks.shape == (3, 4, 6) and not found.masks.any()
    assert found.scores.tolist() == [0, 0, 0]
