"""SiamMask as the engine asks for it, and no prediction at all."""

import torch
from siammask_scenes import moving_squares, random_network

from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle.propagation import Changes, Needs, Propagated
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.memory import Questions
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import PRESETS

NOTHING = Questions.none(torch.device("cpu"))


def siammask():
    return SiamMaskPredictor(random_network("small"), PRESETS["davis"])


def answered(predictor, needs):
    propagator = SiamMaskPropagator(predictor)
    (answer,) = LifecycleTracker(propagator, TrackingSettings(), torch.device("cpu")).answer([needs])
    return answer


def changes(image, kept, boxes, fresh=(), born=0):
    places = torch.as_tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    return Changes(image, torch.tensor(kept), places, torch.tensor(fresh, dtype=torch.int64), born)


def test_renewed_tracks_look_for_what_is_in_their_boxes_now_and_the_others_for_what_they_began_with():
    predictor = siammask()
    images, boxes = moving_squares(3, 3)
    boxes = boxes[:3]
    first, later, now = (torch.from_numpy(image) for image in images)
    states = predictor.initialise(first, torch.from_numpy(boxes))
    moved = torch.from_numpy(boxes) + torch.tensor([2.0, 1, 3, 0], dtype=torch.float64)
    afresh = predictor.initialise(later, moved)
    after = answered(predictor, Needs(now, states, changes(later, [0, 1, 2], moved, [2, 0]), None, NOTHING)).states
    torch.testing.assert_close(after.boxes, moved)
    torch.testing.assert_close(after.templates[[2, 0]], afresh.templates[[2, 0]])
    torch.testing.assert_close(after.padding[[2, 0]], afresh.padding[[2, 0]])
    torch.testing.assert_close(after.templates[1], states.templates[1])
    torch.testing.assert_close(after.padding[1], states.padding[1])
    unchanged = answered(predictor, Needs(now, states, changes(later, [0, 1, 2], moved), None, NOTHING)).states
    torch.testing.assert_close(unchanged.templates, states.templates)
    torch.testing.assert_close(unchanged.boxes, moved)


def test_some_go_on_some_begin_and_only_those_asked_for_are_searched_for():
    predictor = siammask()
    images, boxes = moving_squares(3, 3)
    boxes = boxes[:3]
    first, later, now = (torch.from_numpy(image) for image in images)
    states = predictor.initialise(first, torch.from_numpy(boxes))
    places = torch.from_numpy(boxes)[[2, 0, 1]]
    needs = Needs(now, states, changes(later, [2, 0], places, [2], born=1), torch.tensor([0, 2]), NOTHING)
    answer = answered(predictor, needs)
    torch.testing.assert_close(answer.states.templates[:2], states.templates[[2, 0]])
    torch.testing.assert_close(answer.states.templates[2], predictor.initialise(later, places[2:]).templates[0])
    torch.testing.assert_close(answer.states.boxes, places)
    plain = predictor.predict(now, answer.states.select([0, 2]))
    assert torch.equal(answer.found.masks, plain.masks)
    torch.testing.assert_close(answer.found.boxes, plain.boxes)
    torch.testing.assert_close(answer.found.located, plain.located_boxes)


def test_a_small_box_is_searched_for_in_ten_pixels_renewed_or_not():
    image = torch.from_numpy(moving_squares(1, 3)[0][0])
    predictor = siammask()
    small = torch.tensor([[20.0, 20, 4, 4], [40, 40, 4, 4]], dtype=torch.float64)
    begun = predictor.initialise(image, small)
    states = answered(predictor, Needs(image, begun, changes(image, [0, 1], small, [1]), None, NOTHING)).states
    assert states.sizes.tolist() == [[10, 10], [10, 10]]


def test_no_tracks_can_be_started_and_predicted():
    image = torch.zeros((40, 60, 3), dtype=torch.uint8)
    answer = answered(siammask(), Needs(image, None, changes(image, [], []), None, NOTHING))
    assert answer.found.masks.shape == (0, 40, 60)
    assert len(answer.states) == 0


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
    states = none.concatenate([*none.start([(image, torch.ones((2, 4)))]), none.select(5, torch.tensor([1]))])
    (found,) = none.predict([(image, none.replace(none.move(states, torch.ones((3, 4))), torch.tensor([0]), 1))])
    assert found.masks.shape == (3, 4, 6) and not found.masks.any()
    assert found.scores.tolist() == [0, 0, 0]
