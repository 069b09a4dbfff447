"""HTC on the light trunk: what it learns where not every class is labelled, and mixed precision."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch import Tensor

from detectors.lite_htc import UNLABELLED, partial_cross_entropy
from detectors.mmdet_config import read_config, register_mmdet, without_downloads

SIZE = 128
CHANNELS = 8
CLASSES = 12


@settings(max_examples=60)
@given(st.data())
def test_partial_cross_entropy_is_that_of_its_definition(data: st.DataObject) -> None:
    rows, classes = data.draw(st.integers(0, 5)), data.draw(st.integers(1, 6))
    scores = [[data.draw(st.floats(-30, 30, width=32)) for _ in range(classes)] for _ in range(rows)]
    sets = st.sets(st.integers(0, classes - 1), min_size=1)
    possible = [data.draw(sets) for _ in range(rows)]
    losses = []
    for values, answers in zip(scores, possible, strict=True):
        if len(answers) < classes:
            weights = [math.exp(value - max(values)) for value in values]
            losses.append(-math.log(max(sum(weights[index] for index in answers) / sum(weights), 1e-300)))
    table = torch.tensor([[index in answers for index in range(classes)] for answers in possible]).bool()
    found = partial_cross_entropy(torch.tensor(scores).reshape(rows, classes), table.reshape(rows, classes))
    assert float(found) == pytest.approx(sum(losses) / len(losses) if losses else 0.0, rel=1e-4, abs=1e-5)


def tiny_config(**changes: Any) -> Any:
    """The model of `htc_lite_real` at an eighth of its width, on a trunk that does not learn."""
    register_mmdet()
    model = read_config("recipes/htc_lite_real").model
    model.backbone.frozen_stages = 5
    model.neck.out_channels = CHANNELS
    model.rpn_head.update(in_channels=CHANNELS, feat_channels=CHANNELS)
    for extractor in (model.roi_head.bbox_roi_extractor, model.roi_head.mask_roi_extractor):
        extractor.out_channels = CHANNELS
    for box, mask in zip(model.roi_head.bbox_head, model.roi_head.mask_head, strict=True):
        box.update(in_channels=CHANNELS, fc_out_channels=16)
        mask.update(in_channels=CHANNELS, conv_out_channels=CHANNELS)
    model.update(changes)
    return without_downloads(model)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    built = MODELS.build(tiny_config(train_dtype=None))
    built.init_weights()
    return built.train()


def sample(boxes: list[list[int]], labels: list[int], unlabelled: tuple[int, ...] | None) -> DetDataSample:
    masks = BitmapMasks([_box_mask(box) for box in boxes], SIZE, SIZE)
    size = {
        "img_shape": (SIZE, SIZE),
        "ori_shape": (SIZE, SIZE),
        "pad_shape": (SIZE, SIZE),
        "batch_input_shape": (SIZE, SIZE),
    }
    found = DetDataSample(metainfo=size if unlabelled is None else {**size, UNLABELLED: unlabelled})
    found.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), labels=torch.tensor(labels).long(), masks=masks
    )
    found.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0).long())
    return found


def _box_mask(box: list[int]) -> Any:
    mask = torch.zeros(SIZE, SIZE, dtype=torch.uint8).numpy()
    mask[box[1] : box[3], box[0] : box[2]] = 1
    return mask


def class_losses(model: Any, samples: list[DetDataSample], seed: int = 1) -> dict[str, float]:
    torch.manual_seed(seed)
    images = torch.randn(len(samples), 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    losses = {}
    for name, value in model.loss(images, samples).items():
        if "cls" in name:
            losses[name] = float(sum(value)) if isinstance(value, list) else float(value)
    return losses


def test_a_picture_without_any_label_teaches_nothing_where_nothing_is_known(model: Any) -> None:
    everything = tuple(range(CLASSES))
    assert set(class_losses(model, [sample([], [], everything)]).values()) == {0.0}
    known = class_losses(model, [sample([], [], None)])
    assert len(known) == 4
    assert min(known.values()) > 0.01


def test_a_labelled_object_teaches_its_class_where_nothing_else_is_known(model: Any) -> None:
    losses = class_losses(model, [sample([[20, 20, 90, 100]], [3], tuple(range(CLASSES)))])
    assert min(losses.values()) > 0.001


def test_no_anchor_is_background_where_a_class_is_unlabelled(model: Any) -> None:
    """Objectness of a picture with an object: pushed up at it, pushed down elsewhere only if all is labelled."""
    features = [torch.randn(1, CHANNELS, SIZE // stride, SIZE // stride) for stride in (8, 16, 32, 64, 128)]
    for unlabelled in ((7,), ()):
        shown = sample([[20, 20, 90, 100]], [0], unlabelled)
        scores, offsets = model.rpn_head(features)
        for score in scores:
            score.retain_grad()
        losses = model.rpn_head.loss_by_feat(
            scores, offsets, [shown.gt_instances], [shown.metainfo], [shown.ignored_instances]
        )
        sum(losses["loss_rpn_cls"]).backward()
        gradients = torch.cat([score.grad.flatten() for score in scores])
        assert (gradients < 0).any()
        assert (gradients > 0).any() == (unlabelled == ())


def test_background_and_an_unlabelled_class_are_one_answer(model: Any) -> None:
    """Which of the two a proposal is given to is not judged; in a picture where the class is labelled, it is."""
    head = model.roi_head.bbox_head[0]
    rois = torch.tensor([[0.0, 0, 0, 40, 40], [1.0, 0, 0, 40, 40]])
    background = torch.full((2,), CLASSES)
    targets = (background, torch.ones(2), torch.zeros(2, 4), torch.zeros(2, 4))
    head.set_unlabelled([(5,), ()])
    scores = torch.zeros(2, CLASSES + 1, requires_grad=True)
    head.loss(scores, torch.zeros(2, 4), rois, *targets)["loss_cls"].backward()
    open_row, closed_row = scores.grad
    assert open_row[5] == pytest.approx(float(open_row[CLASSES]))
    assert open_row[5] < 0 < open_row[4]
    assert closed_row[CLASSES] < 0 < closed_row[5]


def test_mixed_precision_learns_the_same_and_gives_roi_align_what_it_can_read() -> None:
    torch.manual_seed(0)
    exact = MODELS.build(tiny_config(train_dtype=None)).eval()
    exact.init_weights()
    mixed = MODELS.build(tiny_config(train_dtype="bfloat16")).eval()
    mixed.load_state_dict(exact.state_dict())
    shown = [sample([[20, 20, 90, 100]], [3], None), sample([[5, 5, 60, 60]], [0], (1, 2))]
    images = torch.randn(2, 3, SIZE, SIZE)
    for feature in mixed.extract_feat(images):
        assert feature.dtype == torch.float32
        assert feature.is_contiguous()
    one, other = class_losses(exact, shown), class_losses(mixed, shown)
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=0.05)
    assert one != other


def test_gradients_reach_every_part_that_learns(model: Any) -> None:
    images: Tensor = torch.randn(1, 3, SIZE, SIZE)
    losses = model.loss(images, [sample([[20, 20, 90, 100], [60, 10, 120, 50]], [3, 0], (11,))])
    total = sum(sum(value) if isinstance(value, list) else value for name, value in losses.items() if "loss" in name)
    model.zero_grad()
    total.backward()
    without = [name for name, value in model.named_parameters() if value.requires_grad and value.grad is None]
    assert without == []
