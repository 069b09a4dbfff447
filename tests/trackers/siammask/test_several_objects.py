"""Objects followed together are what each is alone, put over each other as the release does it."""

import numpy as np
import pytest
import torch
from siammask_oracle import plain_paste
from siammask_scenes import moving_squares, random_network

from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.paste import SmallMasks
from vis_pipeline.trackers.siammask.predictor import Prediction, SiamMaskPredictor, TargetStates
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings
from vis_pipeline.trackers.siammask.several_objects import exclusive_labels, follow_objects

HEIGHT, WIDTH = 120, 160


def filled(box):
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    x, y, w, h = box.astype(int)
    mask[y : y + h, x : x + w] = True
    # A hole and a lone pixel at a corner: only the extent counts.
    mask[y + 1 : y + h - 1, x + 1 : x + 4] = False
    return mask


def plain_labels(tracker, images, begins, threshold):
    """Each object alone, its probabilities beside the others', the highest above the threshold: uint8 [F, H, W]."""
    numbers = sorted(begins)
    probabilities = np.full((len(numbers), len(images), HEIGHT, WIDTH), -1.0)
    for row, number in enumerate(numbers):
        start, mask = begins[number]
        ys, xs = np.nonzero(mask)
        box = [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]
        states = tracker.initialise(torch.from_numpy(images[start]), torch.tensor([box]))
        probabilities[row, start][mask] = 1
        for index in range(start + 1, len(images)):
            prediction = tracker.predict(torch.from_numpy(images[index]), states)
            states = prediction.states
            small = prediction.small_masks
            pasted = plain_paste(small.probabilities[0].numpy(), *small.squares[0].tolist(), WIDTH, HEIGHT)
            probabilities[row, index] = pasted
    winner = np.array(numbers)[probabilities.argmax(axis=0)]
    return np.where(probabilities.max(axis=0) > threshold, winner, 0), probabilities


@pytest.mark.parametrize("stages", [1, 2])
def test_labels_are_the_highest_of_each_object_alone(stages):
    images, boxes = moving_squares(4)
    tracker = SiamMaskPredictor(random_network("small"), SiamMaskSettings(stages=stages, mask_threshold=0.5))
    # Two begin later, in the order opposite to their numbers.
    begins = {
        9: (0, filled(boxes[0])),
        2: (0, filled(boxes[1])),
        7: (1, filled(boxes[2])),
        4: (2, filled(boxes[3])),
    }
    given = {}
    for number, (start, mask) in begins.items():
        given.setdefault(start, {})[number] = mask
    frames = [Frame(1, index, f"{index}.png", image) for index, image in enumerate(images)]
    found = list(follow_objects(tracker, iter(frames), given))
    expected, probabilities = plain_labels(tracker, images, begins, 0.5)
    assert [entry.frame for entry in found] == frames
    for entry, labels in zip(found, expected, strict=True):
        assert entry.labels.dtype == np.uint8
        np.testing.assert_array_equal(entry.labels, labels)
    contested = (probabilities > 0.5).sum(axis=0) > 1
    assert contested[1:].any(axis=(1, 2)).all()
    assert set(np.unique(found[3].labels)) == {0, 2, 4, 7, 9}


def test_of_equal_probabilities_the_first_object_has_the_pixel():
    small = SmallMasks(torch.full((3, 63, 63), 0.8), torch.tensor([[0.0, 0.0, 20.0]] * 3, dtype=torch.float64))
    empty = torch.zeros(3)
    masks = small.warped(torch.arange(3), (30, 40)) > 0.35
    states = TargetStates(empty, empty[:, None], empty[:, None], empty, empty[:, None])
    labels = exclusive_labels(Prediction(states, empty, empty, empty, masks, small), torch.tensor([3, 5, 8]))
    assert masks[0].any() and not masks[0].all()
    torch.testing.assert_close(labels, 3 * masks[0].to(torch.uint8))


def test_an_object_given_by_its_box_is_followed_as_one_given_by_a_mask_of_that_box():
    images, boxes = moving_squares(3)
    tracker = SiamMaskPredictor(random_network("small"), SiamMaskSettings(mask_threshold=0.5))
    frames = [Frame(1, index, str(index), image) for index, image in enumerate(images)]
    by_box = list(follow_objects(tracker, frames, {0: {1: boxes[0], 3: filled(boxes[1])}}))
    by_mask = list(follow_objects(tracker, frames, {0: {1: filled(boxes[0]), 3: filled(boxes[1])}}))
    assert set(np.unique(by_box[0].labels)) == {0, 3}
    for one, other in zip(by_box[1:], by_mask[1:], strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)


def test_before_the_first_object_there_is_nothing():
    images, boxes = moving_squares(3)
    tracker = SiamMaskPredictor(random_network("small"), SiamMaskSettings(mask_threshold=0.5))
    frames = [Frame(1, index, str(index), image) for index, image in enumerate(images)]
    found = list(follow_objects(tracker, frames, {2: {1: filled(boxes[0])}}))
    assert [int(entry.labels.max()) for entry in found] == [0, 0, 1]


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        (np.zeros((HEIGHT, WIDTH), dtype=np.bool_), "object 4: its mask in frame a.jpg, where it begins, has no pixel"),
        (np.ones((HEIGHT, 80), dtype=np.bool_), "object 4: its mask is 80x120, frame a.jpg is 160x120"),
        (np.array([200.0, 0, 10, 10]), "object 4: .*outside frame a.jpg"),
    ],
)
def test_what_cannot_be_followed_is_named(beginning, said):
    images, _ = moving_squares(1)
    tracker = SiamMaskPredictor(random_network("small"), SiamMaskSettings())
    with pytest.raises(DataError, match=said):
        list(follow_objects(tracker, [Frame(1, 0, "a.jpg", images[0])], {0: {4: beginning}}))
