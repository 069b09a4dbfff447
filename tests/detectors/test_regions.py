"""A frame's regions: from the pass that detects, in pixels of the frame, as the detector's own box heads see them."""

from pathlib import Path

import pytest
import torch
from mmengine.structures import InstanceData
from test_mmdet_model import SMALL, _frames, _network

from detectors.choices import MmdetChoice
from detectors.joined_regions import WithRegions
from detectors.mmdet_config import read_config, register_mmdet, without_downloads
from detectors.mmdet_model import MmdetDetector
from detectors.mmdet_network import data_sample, resized
from detectors.mmdet_regions import MmdetRegionDetector, MmdetRegions, RegionTrunk
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame

CLASSES = range(8)
SIZE = (96, 168)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("htc") / "random.pth"
    torch.save({"state_dict": _network().state_dict(), "meta": {}}, path)
    return path


@pytest.fixture(scope="module")
def resizing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Frames of `SIZE` are fitted into 86x150 pixels."""
    path = tmp_path_factory.mktemp("config") / "resizing.py"
    path.write_text(
        f"_base_ = [{read_config(SMALL).filename!r}]\n"
        "test_pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(150, 100), keep_ratio=True),\n"
        "                 dict(type='PackDetInputs')]\n"
    )
    return str(path)


def test_detections_are_the_same_and_the_trunk_runs_once(checkpoint: Path) -> None:
    frames = _frames(2, 96, 160)
    plain = MmdetDetector(SMALL, checkpoint, CLASSES).detect(frames)
    detector = MmdetRegionDetector(SMALL, checkpoint, CLASSES)
    runs: list[str] = []
    for name in ("backbone", "neck", "rpn_head"):
        part = getattr(detector._model, name)
        part.register_forward_hook(lambda *_, name=name: runs.append(name))
    found = detector.detect(frames)
    for detections in found:
        assert detections.regions is not None
        detections.regions.align(detections.regions.proposals)
    assert runs == ["backbone", "neck", "rpn_head"]
    for with_regions, without in zip(found, plain, strict=True):
        assert len(without) > 0 and without.regions is None
        for field in ("boxes", "scores", "labels", "masks"):
            assert torch.equal(getattr(with_regions, field), getattr(without, field))
    assert detector.detect([]) == []


def test_regions_are_those_of_a_slow_pass_over_the_fitted_frame(checkpoint: Path, resizing: str) -> None:
    frames = _frames(2, *SIZE)
    source = MmdetRegions(resizing, checkpoint)
    model = source.trunk.model
    boxes = torch.tensor([[3.0, 5.0, 40.5, 60.0], [100.0, 10.0, 167.0, 95.0], [0.0, 0.0, 168.0, 96.0]])
    for frame, regions in zip(frames, source.regions(frames), strict=True):
        fitted = resized(torch.from_numpy(frame.image).permute(2, 0, 1)[None], (150, 100)).float()
        height, width = fitted.shape[2:]
        meta = {"img_shape": (height, width), "scale_factor": (width / SIZE[1], height / SIZE[0])}
        normalised = (fitted.flip(1) - model.data_preprocessor.mean) / model.data_preprocessor.std
        padded = torch.nn.functional.pad(normalised, (0, -width % 32, 0, -height % 32))
        with torch.no_grad():
            levels = model.extract_feat(padded)
            (proposed,) = model.rpn_head.predict_by_feat(*model.rpn_head(levels), batch_img_metas=[meta])
            scale = torch.tensor([width / SIZE[1], height / SIZE[0]] * 2)
            rois = torch.cat([torch.zeros(len(boxes), 1), boxes * scale], dim=1)
            features = model.roi_head.bbox_roi_extractor[0](levels[:3], rois)
        assert regions.size == SIZE
        assert regions.channels == 48
        assert 0 < len(regions.proposals) <= 100
        torch.testing.assert_close(regions.proposals, proposed.bboxes / scale, atol=0.05, rtol=0)
        assert bool((regions.proposals >= 0).all())
        assert bool((regions.proposals <= torch.tensor([168.0, 96.0, 168.0, 96.0])).all())
        torch.testing.assert_close(regions.align(boxes), features, atol=1e-3, rtol=1e-3)
        assert regions.align(boxes[:0]).shape == (0, 48, 7, 7)


def test_a_batch_has_the_regions_of_single_frames(checkpoint: Path) -> None:
    frames = _frames(3, 96, 160)
    source = MmdetRegions(SMALL, checkpoint)
    boxes = torch.tensor([[10.0, 10.0, 60.0, 70.0]])
    for together, frame in zip(source.regions(frames), frames, strict=True):
        (alone,) = source.regions([frame])
        torch.testing.assert_close(together.align(boxes), alone.align(boxes), atol=1e-4, rtol=1e-4)
    assert source.regions([]) == []


def test_recorded_detections_ride_with_the_regions_of_a_trunk(checkpoint: Path) -> None:
    class Corner:
        def detect(self, frames: list[Frame]) -> list[Detections]:
            masks = torch.zeros((2, 96, 160), dtype=torch.bool)
            boxes = torch.tensor([[0.0, 0, 9, 9], [1.0, 1, 5, 5]])
            return [Detections(boxes, torch.ones(2), torch.tensor([3, 4]), masks) for _ in frames]

    source = MmdetRegions(SMALL, checkpoint)
    found = WithRegions(Corner(), source).detect(_frames(2, 96, 160))  # type: ignore[arg-type]
    assert [len(one) for one in found] == [2, 2]
    expected = [regions.proposals for regions in source.regions(_frames(2, 96, 160))]
    for detections, proposals in zip(found, expected, strict=True):
        chosen = detections.select(torch.tensor([1]))
        assert chosen.regions is detections.regions is not None
        assert torch.equal(chosen.regions.proposals, proposals)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("mmdet::solo/solo_r50_fpn_1x_coco.py", "SOLO is not a plain two-stage detector"),
        ("mmdet::sparse_rcnn/sparse-rcnn_r50_fpn_1x_coco.py", "SparseRCNN has no region proposal network"),
        ("mmdet::faster_rcnn/faster-rcnn_r50-caffe-c4_ms-1x_coco.py", "its box heads take features of 14x14"),
    ],
)
def test_models_without_regions_say_so(config: str, words: str) -> None:
    from mmdet.registry import MODELS

    register_mmdet()
    with torch.device("meta"):
        model = MODELS.build(without_downloads(read_config(config).model))
    with pytest.raises(ConfigError) as caught:
        RegionTrunk(model, config)
    assert words in str(caught.value) and config in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_two_stage_models_have_regions() -> None:
    from mmdet.registry import MODELS

    register_mmdet()
    for config, channels in [
        ("recipes/htc_lite_real", 64),
        ("detectors/htc_r50_coco", 256),
        ("mmdet::gn+ws/faster-rcnn_r101_fpn_gn-ws-all_1x_coco.py", 256),
        ("mmdet::gn/mask-rcnn_r101_fpn_gn-all_2x_coco.py", 256),
    ]:
        with torch.device("meta"):
            model = MODELS.build(without_downloads(read_config(config).model))
        levels = [torch.zeros((1, channels, 32 >> level, 32 >> level)) for level in range(4)]
        trunk = RegionTrunk(model, config)
        nothing = InstanceData(bboxes=torch.zeros((0, 4)))
        (regions,) = trunk.regions(levels, [nothing], [data_sample((64, 64), (128, 128))])
        assert regions.channels == channels
        assert regions.align(torch.tensor([[0.0, 0, 30, 30]])).shape == (1, channels, 7, 7)


def test_a_pipelines_detector_with_regions_and_without_its_heads() -> None:
    choice = MmdetChoice("recipes/htc_small_mixed", "bundled:htc_small", overlap_iou=0.9)
    device = torch.device("cpu")
    frames = _frames(1, 96, 160)
    (found,) = choice.build_with_regions(choice.categories(), device).detect(frames)
    (plain,) = choice.build(choice.categories(), device).detect(frames)
    (regions,) = choice.region_source(device).regions(frames)
    assert plain.regions is None
    assert found.regions is not None
    assert torch.equal(found.regions.proposals, regions.proposals)
    assert torch.equal(found.masks, plain.masks)
