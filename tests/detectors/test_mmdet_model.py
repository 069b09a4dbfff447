"""MmdetDetector against mmdet's own inference, on small networks with random weights."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from detectors.mmdet_config import read_config, register_mmdet
from detectors.mmdet_model import MmdetDetector, _keep_before_masks
from detectors.mmdet_network import class_names, resized
from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.weights.files import write_state_dict
from vis_pipeline.weights.registry import PUBLISHED, resolve

SMALL = "detectors/htc_small_procedural"
CLASS_COUNT = 8


def _frames(count: int, height: int, width: int) -> list[Frame]:
    generator = np.random.default_rng(5)
    frames = []
    for index in range(count):
        image = generator.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        frames.append(Frame(video_id=1, index=index, name=f"{index:05d}.jpg", image=image))
    return frames


def _network(config: str = SMALL) -> torch.nn.Module:
    from mmdet.registry import MODELS

    register_mmdet()
    torch.manual_seed(0)
    model = MODELS.build(read_config(config).model)
    for parameter in model.parameters():  # the default heads start at zero, which would make every score the same
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    return model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("htc") / "random.pth"
    torch.save({"state_dict": _network().state_dict(), "meta": {}}, path)
    return path


@pytest.fixture
def resizing(tmp_path: Path) -> str:
    path = tmp_path / "resizing.py"
    base = Path(read_config(SMALL).filename)
    path.write_text(
        f"_base_ = [{str(base)!r}]\n"
        "test_pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(150, 100), keep_ratio=True),\n"
        "                 dict(type='PackDetInputs')]\n"
    )
    return str(path)


def _stock(config: str, checkpoint: Path, frame: Frame) -> dict[str, np.ndarray]:
    """What mmdet's own pipeline and predict give for one image."""
    from mmcv.transforms import Compose

    settings = read_config(config)
    model = _network(config)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    model.eval()
    steps = [dict(step) for step in settings.test_pipeline]
    steps[0]["type"] = "mmdet.LoadImageFromNDArray"
    data = Compose(steps)({"img": frame.image, "img_id": 0})
    with torch.no_grad():
        found = model.test_step({"inputs": [data["inputs"]], "data_samples": [data["data_samples"]]})[0].pred_instances
    return {name: found[name].cpu().numpy() for name in ("bboxes", "scores", "labels", "masks")}


@pytest.mark.parametrize("size", [(192, 320), (192, 296)])
def test_same_as_stock_inference(checkpoint: Path, size: tuple[int, int]) -> None:
    frames = _frames(2, *size)
    detector = MmdetDetector(SMALL, checkpoint, range(1, CLASS_COUNT + 1), score_threshold=0.05, max_per_frame=30)
    for frame, found in zip(frames, detector.detect(frames), strict=True):
        stock = _stock(SMALL, checkpoint, frame)
        assert len(found) == len(stock["scores"]) > 0
        np.testing.assert_allclose(found.boxes, stock["bboxes"], atol=1e-2)
        np.testing.assert_allclose(found.scores, stock["scores"], atol=1e-4)
        assert (found.labels.numpy() == stock["labels"] + 1).all()
        assert (found.masks.numpy() != stock["masks"]).mean() < 1e-4


def test_resizes_as_stock_inference(checkpoint: Path, resizing: str) -> None:
    from mmcv.transforms import Resize

    frame = _frames(1, 96, 168)[0]
    expected = Resize(scale=(150, 100), keep_ratio=True)({"img": frame.image, "img_shape": (96, 168)})["img"]
    ours = resized(torch.from_numpy(frame.image).permute(2, 0, 1)[None], (150, 100))
    assert ours.shape[2:] == expected.shape[:2]
    assert np.abs(ours[0].permute(1, 2, 0).numpy() - expected.astype(float)).max() <= 1
    detector = MmdetDetector(resizing, checkpoint, range(1, CLASS_COUNT + 1))
    found, stock = detector.detect([frame])[0], _stock(resizing, checkpoint, frame)
    assert found.masks.shape[1:] == (96, 168)
    assert abs(float(found.scores[0]) - stock["scores"][0]) < 0.02


def test_threshold_limit_and_dropped_classes_choose_before_masks(checkpoint: Path) -> None:
    frames = _frames(2, 192, 320)
    everything = MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT)).detect(frames)
    scores = torch.cat([found.scores for found in everything])
    threshold = float(scores.sort().values[len(scores) // 2])
    kept_class = int(everything[0].labels[0])
    class_map = [70 if label == kept_class else None for label in range(CLASS_COUNT)]
    few = MmdetDetector(SMALL, checkpoint, class_map, score_threshold=threshold, max_per_frame=3).detect(frames)
    for all_found, found in zip(everything, few, strict=True):
        rows = [
            row
            for row in range(len(all_found))
            if all_found.labels[row] == kept_class and all_found.scores[row] >= threshold
        ][:3]
        assert (found.labels == 70).all()
        torch.testing.assert_close(found.scores, all_found.scores[rows])
        torch.testing.assert_close(found.masks, all_found.masks[rows])


def test_the_configs_own_limits_do_not_cut(checkpoint: Path, tmp_path: Path) -> None:
    narrow = tmp_path / "narrow.py"
    narrow.write_text(
        f"_base_ = [{read_config(SMALL).filename!r}]\n"
        "model = dict(test_cfg=dict(rcnn=dict(score_thr=0.99, max_per_img=1)))\n"
    )
    frames = _frames(1, 192, 320)
    (usual,) = MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT), max_per_frame=30).detect(frames)
    (found,) = MmdetDetector(str(narrow), checkpoint, range(CLASS_COUNT), max_per_frame=30).detect(frames)
    assert len(found) == len(usual) > 1
    torch.testing.assert_close(found.scores, usual.scores)


def test_nothing_kept_gives_empty_detections_of_the_frames_size(checkpoint: Path) -> None:
    detector = MmdetDetector(SMALL, checkpoint, [None] * CLASS_COUNT)
    found = detector.detect(_frames(2, 192, 320))
    assert [len(one) for one in found] == [0, 0]
    assert found[0].masks.shape == (0, 192, 320)
    assert detector.detect([]) == []


@pytest.mark.parametrize("size", [(3000, 4), (4, 3000), (1, 1), (2, 2)])
def test_frames_of_any_shape_have_detections_of_their_size(
    checkpoint: Path, resizing: str, size: tuple[int, int]
) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    (found,) = MmdetDetector(resizing, checkpoint, range(CLASS_COUNT), 0.0, 5).detect([Frame(1, 0, "a", frame)])
    assert found.masks.shape[1:] == size
    corner = found.boxes.new_tensor([size[1], size[0]])
    assert bool((found.boxes >= 0).all()) and bool((found.boxes[:, 2:] <= corner).all())


def test_batch_gives_what_single_frames_give(checkpoint: Path) -> None:
    detector = MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT))
    frames = _frames(3, 192, 320)
    for together, frame in zip(detector.detect(frames), frames, strict=True):
        alone = detector.detect([replace(frame)])[0]
        torch.testing.assert_close(together.scores, alone.scores, atol=1e-4, rtol=0)
        torch.testing.assert_close(together.boxes, alone.boxes, atol=1e-2, rtol=0)


def test_checkpoint_of_another_network_names_the_first_key(tmp_path: Path, checkpoint: Path) -> None:
    tensors = torch.load(checkpoint, weights_only=True)["state_dict"]
    name = "backbone.layer1.0.conv1.weight"
    for broken, words in [
        ({**tensors, name: tensors[name][:16]}, ["[16, 32, 3, 3]", "[32, 32, 3, 3]"]),
        ({key: value for key, value in tensors.items() if key != name}, ["missing"]),
        ({**tensors, "extra.weight": torch.zeros(1)}, ["extra.weight"]),
    ]:
        path = tmp_path / "broken.pth"
        torch.save({"state_dict": broken}, path)
        with pytest.raises(WeightsError) as caught:
            MmdetDetector(SMALL, path, range(CLASS_COUNT))
        assert all(word in str(caught.value) for word in [*words, "broken.pth"])
        assert name in str(caught.value) or "extra.weight" in str(caught.value)


def test_classes_come_from_the_weights_then_from_the_config(tmp_path: Path, checkpoint: Path) -> None:
    assert class_names(SMALL, checkpoint)[:3] == ("disc", "ring", "square")
    named = tmp_path / "named.safetensors"
    names = [f"class {index}" for index in range(CLASS_COUNT)]
    write_state_dict(named, torch.load(checkpoint, weights_only=True)["state_dict"], {"classes": names})
    assert class_names(SMALL, named) == tuple(names)
    assert class_names("mmdet::htc/htc_r50_fpn_1x_coco.py", _without_meta(tmp_path))[79] == "toothbrush"
    write_state_dict(named, {"x": torch.zeros(1)}, {"classes": names[:5]})
    with pytest.raises(WeightsError, match=r"do not belong to config .*they name 5 classes, it has 8"):
        class_names(SMALL, named)


def test_weights_of_another_config_are_named_with_it_and_with_their_own(tmp_path: Path, checkpoint: Path) -> None:
    coco = "mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"
    bundled = resolve("bundled:htc_small")
    line = f"weights {bundled}: do not belong to config {coco} (they name 9 classes, it has 80); "
    with pytest.raises(WeightsError) as caught:
        class_names(coco, bundled)
    assert str(caught.value) == line + "they belong to detector.config=htc_small_mixed"
    tensors = torch.load(checkpoint, weights_only=True)["state_dict"]
    published = tmp_path / PUBLISHED["htc_r50_fpn_1x_coco"].file_name
    for path, remedy in [
        (
            tmp_path / "own.pth",
            "give the config that they were trained with, detector.config, or others, detector.checkpoint",
        ),
        (published, "they belong to detector.config=mmdet::htc/htc_r50_fpn_1x_coco.py"),
    ]:
        torch.save({"state_dict": {**tensors, "extra": torch.zeros(1)}}, path)
        with pytest.raises(WeightsError) as caught:
            MmdetDetector(SMALL, path, range(CLASS_COUNT))
        assert str(caught.value) == (
            f"weights {path}: do not belong to config {SMALL} (unexpected key extra); {remedy}"
        )


@pytest.mark.parametrize("config", [SMALL, "detectors/htc_small_finetune"])
def test_siammask_weights_are_no_detectors(config: str) -> None:
    path = resolve("bundled:siammask_small")
    with pytest.raises(WeightsError, match=r"these are SiamMask's \(tracker\.checkpoint\), not a detector's") as caught:
        MmdetDetector.from_config(config, path, lambda classes: range(len(classes)))
    assert str(path) in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_no_cuda_device(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="device cuda: torch sees 0 CUDA devices"):
        MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT), device="cuda")


def test_class_map_of_another_length(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="8 classes, the class map 3"):
        MmdetDetector(SMALL, checkpoint, [1, 2, 3])


def test_from_config_maps_by_name(checkpoint: Path) -> None:
    seen: list[str] = []
    MmdetDetector.from_config(SMALL, checkpoint, lambda classes: seen.extend(classes) or range(len(classes)))  # type: ignore[func-returns-value]
    assert seen[-1] == "arrow"


def _without_meta(folder: Path) -> Path:
    path = folder / "plain.pth"
    torch.save({"state_dict": {"x": torch.zeros(1)}}, path)
    return path


@pytest.mark.parametrize("count", [1, 4])
def test_beside_mmdet_a_batch_is_read_back_three_times(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    detector = MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT), score_threshold=0.05, max_per_frame=5)
    readers: list[str] = []
    for name in ("item", "cpu", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__", "nonzero"):
        plain = getattr(torch.Tensor, name)

        def read(*args: object, plain: object = plain, **kwargs: object) -> object:
            readers.append(Path(sys._getframe(1).f_code.co_filename).name)
            return plain(*args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(torch.Tensor, name, read)
    found = detector.detect(_frames(count, 192, 320))
    assert all(len(one) for one in found)
    assert readers.count("mmdet_model.py") == 3


class _PositionalHead(torch.nn.Module):
    """Calls `predict_mask` as mmdet's one-stage box heads do; HTC's passes keywords."""

    def predict_mask(
        self, x: None, batch_img_metas: None, results_list: list[InstanceData], rescale: bool = False
    ) -> list[InstanceData]:
        assert rescale
        return results_list


def test_results_are_chosen_however_a_head_passes_them() -> None:
    model = torch.nn.Module()
    model.roi_head = _PositionalHead()
    _keep_before_masks(model, lambda results: [found[found.scores > 1] for found in results])
    found = [InstanceData(scores=torch.tensor([1, 2, 3]))]
    assert model.roi_head.predict_mask(None, None, found, rescale=True)[0].scores.tolist() == [2, 3]
    kept = model.roi_head.predict_mask(x=None, batch_img_metas=None, results_list=found, rescale=True)
    assert kept[0].scores.tolist() == [2, 3]
    placed = [InstanceData(scores=torch.tensor([1, 2, 3]), topk_inds=torch.tensor([70, 2, 99]))]
    assert len(model.roi_head.predict_mask(None, None, placed, rescale=True)[0]) == 3


def test_a_network_that_finds_nothing_may_give_labels_of_any_kind(checkpoint: Path) -> None:
    detector = MmdetDetector(SMALL, checkpoint, range(CLASS_COUNT))
    assert len(detector._kept([InstanceData(scores=torch.zeros(0), labels=torch.zeros(0))])[0]) == 0
