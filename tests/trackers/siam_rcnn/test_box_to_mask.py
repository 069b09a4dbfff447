"""Box2Seg: masks of boxes by SiamMask's second stage and by the detector; and which mask is on top."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from redetection_scenes import DrawnRegions

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siam_rcnn.box_to_mask import BoxesInFrame, covered_by_confirmed, smallest_on_top
from vis_pipeline.trackers.siam_rcnn.box_to_mask.mask_head import MaskHead
from vis_pipeline.trackers.siam_rcnn.box_to_mask.second_stage import SecondStage
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings


@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_each_pixel_is_the_smallest_masks(count: int, seed: int) -> None:
    masks = np.random.default_rng(seed).random((count, 4, 5)) < 0.5
    layered = smallest_on_top(torch.from_numpy(masks)).numpy()
    for y in range(4):
        for x in range(5):
            owners = [index for index in range(count) if masks[index, y, x]]
            top = min(owners, key=lambda index: (masks[index].sum(), index), default=None)
            assert [index for index in range(count) if layered[index, y, x]] == ([] if top is None else [top])


@given(st.integers(0, 5), st.sampled_from([0.0, 0.5, 0.9]), st.integers(0, 2**32 - 1))
def test_what_is_not_confirmed_is_covered_by_what_is(count: int, share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    masks, confirmed = random.random((count, 4, 5)) < 0.5, random.random(count) < 0.5
    found = covered_by_confirmed(torch.from_numpy(masks), torch.from_numpy(confirmed), share).tolist()
    for index in range(count):
        pixels = [place for place in np.ndindex(4, 5) if masks[index][place]]
        below = [place for place in pixels if any(masks[other][place] for other in np.flatnonzero(confirmed))]
        assert found[index] == (not confirmed[index] and len(below) > share * len(pixels))


def predictor(batch: int = 4) -> SiamMaskPredictor:
    torch.manual_seed(0)
    network = SiamMask(ARCHITECTURES["small"])
    return SiamMaskPredictor(network, SiamMaskSettings(stages=2, batch=batch, mask_threshold=0.5))


def frame(seed: int, boxes: list[list[float]]) -> BoxesInFrame:
    image = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return BoxesInFrame(torch.from_numpy(image), DrawnRegions(), torch.tensor(boxes).reshape(-1, 4))


BOXES = [[4.0, 6.0, 34.0, 40.0], [40.0, 8.0, 79.0, 59.0], [0.0, 0.0, 12.0, 9.0]]


def test_the_second_stage_gives_what_it_gives_where_siammask_locates_that_box() -> None:
    one = frame(0, BOXES)
    tracker = predictor()
    (masks,) = SecondStage(tracker).masks([one])
    assert masks.dtype == torch.bool and masks.shape == (3, 60, 80) and masks.any()
    for mask, (x1, y1, x2, y2) in zip(masks, BOXES, strict=True):
        box = torch.tensor([[x1, y1, x2 - x1, y2 - y1]], dtype=torch.float64)
        states = tracker.initialise(one.image, box)
        select = tracker._select

        def located(*given, at=box, select=select):
            found = select(*given)
            found.located_centres[:] = at[:, :2] + at[:, 2:] / 2
            found.located_sizes[:] = at[:, 2:]
            return found

        tracker._select = located
        expected = tracker.predict(one.image, states).masks[0]
        tracker._select = select
        assert torch.equal(mask, expected)


def test_frames_go_through_the_second_stage_together_and_apart_the_same() -> None:
    frames = [frame(1, BOXES), frame(2, []), frame(3, BOXES[:2])]
    together = SecondStage(predictor()).masks(frames)
    assert [len(masks) for masks in together] == [3, 0, 2]
    for one, masks in zip(frames, together, strict=True):
        (alone,) = SecondStage(predictor()).masks([one])
        assert torch.equal(alone, masks)


def test_a_detector_without_a_mask_head_says_so() -> None:
    with pytest.raises(ConfigError, match="the detector makes no masks of boxes; take SiamMask"):
        MaskHead().masks([frame(0, BOXES)])
