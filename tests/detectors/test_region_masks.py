"""Masks of any box by the detector's own mask head: on a box that it found, those that it gave it."""

from pathlib import Path

import pytest
import torch
from test_mmdet_model import _frames, _network
from test_regions import resizing  # noqa: F401

from detectors.mmdet_config import read_config, register_mmdet, without_downloads
from detectors.mmdet_network import model_inputs
from detectors.mmdet_regions import MmdetRegionDetector, MmdetRegions, RegionTrunk
from vis_pipeline.errors import ConfigError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("htc") / "random.pth"
    torch.save({"state_dict": _network().state_dict(), "meta": {}}, path)
    return path


def test_a_box_that_was_found_has_its_mask(checkpoint: Path, resizing: str) -> None:  # noqa: F811
    frames = _frames(2, 96, 168)
    detector = MmdetRegionDetector(resizing, checkpoint, range(8))
    for frame, found in zip(frames, detector.detect(frames), strict=True):
        assert len(found) > 0
        masks = found.regions.masks(found.boxes)
        assert masks.dtype == torch.bool and masks.shape == found.masks.shape
        # Boxes go to pixels of the fitted frame and back; and the frames were a batch.
        assert (masks != found.masks).float().mean() < 1e-3
        (alone,) = MmdetRegions(resizing, checkpoint).regions([frame])
        assert (alone.masks(found.boxes) != found.masks).float().mean() < 1e-3
        assert found.regions.masks(found.boxes[:0]).shape == (0, 96, 168)


def _trunk(config: str, size: int = 64):
    register_mmdet()
    settings = without_downloads(read_config(config).model)
    from mmdet.registry import MODELS

    torch.manual_seed(0)
    model = MODELS.build(settings).eval()
    frames = _frames(1, size, size)
    inputs, samples = model_inputs(model, frames, None, torch.device("cpu"))
    trunk = RegionTrunk(model, config)
    with torch.inference_mode():
        return model, trunk.regions(*trunk.proposed(inputs, samples), samples)[0]


def test_a_head_with_a_mask_for_each_class_gives_that_of_the_class_it_sees() -> None:
    model, regions = _trunk("mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py")
    boxes = torch.tensor([[4.0, 4.0, 40.0, 50.0], [10.0, 20.0, 60.0, 60.0]])
    with torch.inference_mode():
        scores, _ = model.roi_head.bbox_head(regions.align(boxes))
    classes = scores[:, :80].argmax(dim=1)
    masks = regions.masks(boxes)
    seen = []
    predict = model.roi_head.mask_head.predict_by_feat

    def noted(*args, **kwargs):
        seen.extend(found.labels.tolist() for found in kwargs["results_list"])
        return predict(*args, **kwargs)

    model.roi_head.mask_head.predict_by_feat = noted
    assert torch.equal(regions.masks(boxes), masks)
    assert seen == [classes.tolist()]


def test_a_model_without_a_mask_head_says_so() -> None:
    _, regions = _trunk("mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py")
    with pytest.raises(ConfigError, match=r"faster-rcnn.*: its model has no mask head"):
        regions.masks(torch.zeros((1, 4)))
