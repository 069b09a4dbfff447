"""Following the objects that a video's first frames give, all of a frame in one batch: video object segmentation.

A pixel is of one object at most. As the release's script for DAVIS and YouTube-VOS has it (`tools/test.py`,
`track_vos`): it goes to the object whose mask probability is the highest there, scores aside, if that is above the
threshold; in the frame in which an object begins its own mask stands as it was given.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.given_objects import Beginning, LabelledFrame, draw_given, first_boxes
from vis_pipeline.trackers.siammask.predictor import Prediction, SiamMaskPredictor, TargetStates


@dataclass(frozen=True)
class _Followed:
    """Objects under way: their numbers in ascending order, int64 [N], and what is known of them."""

    numbers: Tensor
    states: TargetStates

    def joined(self, others: "_Followed") -> "_Followed":
        numbers, order = torch.cat([self.numbers, others.numbers]).sort()
        return _Followed(numbers, TargetStates.concatenate([self.states, others.states]).select(order))


def follow_objects(
    tracker: SiamMaskPredictor, frames: Iterable[Frame], given: Mapping[int, Mapping[int, Beginning]]
) -> Iterator[LabelledFrame]:
    """Follow objects through the frames of a video, each from the frame in which it is given.

    Args:
        tracker: predicts all of them together.
        frames: the video.
        given: by the index of a frame the objects that begin there, by their numbers (1 to 255). Of a mask the
            Min-max box is taken, as in the release. An object given by a box has no mask in its first frame.

    Raises:
        DataError: a mask is empty or of another size than its frame, or a box lies outside it.
    """
    followed: _Followed | None = None
    for frame in frames:
        labels = np.zeros(frame.image.shape[:2], dtype=np.uint8)
        if followed is not None:
            prediction = tracker.predict(frame.on(tracker.device), followed.states)
            labels = exclusive_labels(prediction, followed.numbers).cpu().numpy()
            followed = replace(followed, states=prediction.states)
        if begun := given.get(frame.index):
            others = _begin(tracker, frame, begun)
            followed = others if followed is None else followed.joined(others)
            draw_given(labels, begun)
        yield LabelledFrame(frame, labels)


def exclusive_labels(prediction: Prediction, numbers: Tensor) -> Tensor:
    """The object of each pixel, uint8 [H, W]: of those whose mask covers it the one of the highest mask probability.

    Of equal ones it is the first. `numbers`, int64 [N], are the objects' in the order of the prediction.
    """
    masks, small = prediction.masks, prediction.small_masks
    assert masks is not None and small is not None, "followed by what makes masks"
    labels = masks.new_zeros(masks.shape[1:], dtype=torch.uint8)
    for number, mask in zip(numbers.to(torch.uint8), masks, strict=True):
        labels = torch.where(mask, number, labels)
    # Only who overlaps another needs probabilities in the frame; a mask is where its own are above the threshold.
    contested = masks.sum(dim=0, dtype=torch.uint8) > 1
    rivals = (masks & contested).flatten(1).any(dim=1).nonzero()[:, 0]
    if len(rivals):
        probabilities = small.warped(rivals, (masks.shape[1], masks.shape[2]))
        best = probabilities[:, contested].argmax(dim=0)
        labels[contested] = numbers.to(torch.uint8)[rivals[best]]
    return labels


def _begin(tracker: SiamMaskPredictor, frame: Frame, begun: Mapping[int, Beginning]) -> _Followed:
    boxes = first_boxes(frame, begun)
    states = tracker.initialise(frame.on(tracker.device), torch.from_numpy(np.stack(list(boxes.values()))))
    return _Followed(torch.tensor(list(boxes), device=tracker.device), states)
