"""Objects followed each alone, by a tracker that knows one: where they overlap the higher score decides."""

import cv2
import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.one_by_one import follow_one_by_one
from vis_pipeline.trackers.single_object import ObjectInFrame

HEIGHT, WIDTH = 40, 60

SCORES = np.random.default_rng(0).random((5, 10))


def frames(count):
    return [Frame(1, index, str(index), np.full((HEIGHT, WIDTH, 3), index, np.uint8)) for index in range(count)]


def moved(box, steps):
    """Where an object is after so many frames: each goes right by three pixels."""
    x, y, w, h = box
    return np.array([x + 3 * steps, y, w, h])


def mask_of(box):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, w, h = box.astype(int)
    cv2.rectangle(mask, (x, y), (x + w - 1, y + h - 1), 1, -1)
    return mask.astype(np.bool_)


def follow(given, box):
    """A tracker that asks for a frame when its last word has been taken; its score is the frame's for its width."""
    for steps, frame in enumerate(given):
        where = moved(box, steps)
        score = 1.0 if steps == 0 else SCORES[frame.index, int(box[2]) % 10]
        mask = None if steps == 0 else masks.encode(mask_of(where)[None])[0]
        yield ObjectInFrame(frame, where, score, mask, np.zeros((4, 2)))


def test_each_is_followed_alone_and_the_higher_score_lies_on_top():
    boxes = {2: (0, [4, 4, 21, 20]), 1: (0, [10, 10, 25, 22]), 7: (2, [20, 8, 18, 14])}
    boxes = {number: (start, np.array(box, dtype=float)) for number, (start, box) in boxes.items()}
    given = {
        0: {2: mask_of(boxes[2][1]), 1: boxes[1][1]},
        2: {7: mask_of(boxes[7][1])},
    }
    found = list(follow_one_by_one(follow, iter(frames(5)), given))
    for index, entry in enumerate(found):
        expected = np.zeros((HEIGHT, WIDTH), np.uint8)
        there = [
            (SCORES[index, int(box[2]) % 10], number, moved(box, index - start))
            for number, (start, box) in boxes.items()
            if index > start
        ]
        for y in range(HEIGHT):
            for x in range(WIDTH):
                over = [(score, number) for score, number, box in there if mask_of(box)[y, x]]
                if over:
                    expected[y, x] = max(over)[1]
        for number, (start, box) in boxes.items():
            # Object 1 is given by a box, which has no mask.
            if index == start and number != 1:
                expected[mask_of(box)] = number
        np.testing.assert_array_equal(entry.labels, expected)
        assert entry.frame.index == index
    order = [[SCORES[index, place] for place in (1, 5, 8)] for index in (3, 4)]
    assert np.argmax(order[0]) != np.argmax(order[1]), "the same object lies on top all the time"


def test_of_equal_scores_the_lowest_number_lies_on_top():
    box = np.array([4.0, 4, 21, 20])
    found = list(follow_one_by_one(follow, frames(2), {0: {5: box, 3: box}}))
    assert set(np.unique(found[1].labels)) == {0, 3}


def test_a_tracker_without_masks_is_named():
    def blind(given, box):
        for frame in given:
            yield ObjectInFrame(frame, box, 1.0, None, np.zeros((4, 2)))

    with pytest.raises(ConfigError, match="makes no masks"):
        list(follow_one_by_one(blind, frames(2), {0: {1: np.array([4.0, 4, 20, 20])}}))


def test_an_object_that_is_not_there_has_no_mask():
    def away(given, box):
        for steps, frame in enumerate(given):
            mask = None if steps in (0, 2) else masks.encode(mask_of(box)[None])[0]
            yield ObjectInFrame(frame, box, 0.0 if steps == 2 else 1.0, mask, np.zeros((4, 2)))

    found = list(follow_one_by_one(away, frames(4), {0: {6: np.array([4.0, 4, 20, 20])}}))
    assert [int(entry.labels.max()) for entry in found] == [0, 6, 0, 6]
