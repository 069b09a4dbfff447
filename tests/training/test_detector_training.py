"""Training a detector: the dataset, a few steps, resuming, and what stops it."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from detector_models import narrow, narrow_light
from mmdet.registry import MODELS
from safetensors import safe_open
from torch._utils import ExceptionWrapper

from detectors.class_maps import EVERYDAY
from detectors.mmdet_config import read_config
from detectors.mmdet_model import MmdetDetector
from detectors.mmdet_network import class_names
from evaluation.frame_metric import FrameAP
from vis_pipeline import masks
from vis_pipeline.backbones.efficientnet_lite import EfficientNetLite0
from vis_pipeline.errors import ConfigError, DataError, WeightsError
from vis_pipeline.files.whole_files import remove_unfinished, unfinished
from vis_pipeline.training.detector import MixedFrames, YouTubeVisFrames, record, runner, train_detector
from vis_pipeline.training.detector.checkpoints import checkpoints
from vis_pipeline.training.detector.runner import _StepSeed, _without_traceback
from vis_pipeline.training.detector.sampling import FrameDraw, SeededFrames
from vis_pipeline.training.detector.settings import prepare
from vis_pipeline.weights.files import read_state_dict
from vis_pipeline.weights.registry import resolve

SMALL = Path(read_config("detectors/htc_small_procedural").filename)
FINETUNE = Path(read_config("detectors/htc_small_finetune").filename)
HEIGHT, WIDTH, LENGTH = 64, 96, 4


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of four frames with two boxes each; one object is hidden in the second frame, one is a crowd."""
    root = tmp_path_factory.mktemp("split")
    generator = np.random.default_rng(0)
    videos, annotations = [], []
    for video_id in (4, 9):
        names = [f"{video_id}/{index:05d}.jpg" for index in range(LENGTH)]
        (root / "JPEGImages" / str(video_id)).mkdir(parents=True)
        for name in names:
            image = generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            cv2.imwrite(str(root / "JPEGImages" / name), image)
        videos.append({"id": video_id, "width": WIDTH, "height": HEIGHT, "length": LENGTH, "file_names": names})
        for position, category_id in enumerate((20, 10)):
            mask = np.zeros((1, HEIGHT, WIDTH), dtype=bool)
            mask[:, 8 : 8 + 20, 10 + 40 * position : 10 + 40 * position + 30] = True
            rle = masks.encode(mask)[0]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "video_id": video_id,
                    "category_id": category_id,
                    "segmentations": [rle, None if position == 0 else rle, rle, rle],
                    "iscrowd": int(video_id == 9 and position == 1),
                }
            )
    categories = [{"id": identifier, "name": f"class {identifier}"} for identifier in (20, 10, *range(30, 90, 10))]
    content = {"videos": videos, "categories": categories, "annotations": annotations}
    (root / "instances.json").write_text(json.dumps(content))
    return root


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = read_config(str(SMALL))
    narrow(config.model)
    path = tmp_path_factory.mktemp("config") / "tiny.py"
    config.dump(str(path))
    return path


@pytest.fixture(autouse=True)
def _quick_mmengine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time would go into laying the config out with yapf and into collecting garbage for each dataset."""
    monkeypatch.setattr("yapf.yapflib.yapf_api.FormatCode", lambda text, **_: (text, True))
    monkeypatch.setattr("mmengine.dataset.base_dataset.gc", SimpleNamespace(collect=lambda: 0))


def _options(data_root: Path, steps: int, **more: Any) -> dict[str, Any]:
    return {
        "train_dataloader.dataset.data_root": str(data_root),
        "train_dataloader.batch_size": 2,
        "train_cfg.max_iters": steps,
        "default_hooks.checkpoint.interval": 1000,
        "custom_hooks.0.interval": 1,
        **more,
    }


def test_dataset_gives_each_frame_with_its_visible_instances(data_root: Path) -> None:
    dataset = YouTubeVisFrames(
        ann_file="instances.json", data_root=str(data_root), data_prefix={"img": "JPEGImages"}, pipeline=[]
    )
    assert dataset.metainfo["classes"] == tuple(f"class {identifier}" for identifier in range(10, 90, 10))
    assert len(dataset) == 8
    first, second, last = (dataset.get_data_info(index) for index in (0, 1, 7))
    assert Path(first["img_path"]).is_file()
    assert [entry["bbox_label"] for entry in first["instances"]] == [1, 0]
    assert first["instances"][0]["bbox"] == [10, 8, 40, 28]
    assert [entry["bbox_label"] for entry in second["instances"]] == [0]
    assert [entry["ignore_flag"] for entry in last["instances"]] == [0, 1]


def test_training_writes_losses_checkpoints_and_weights_and_resumes(
    tiny: Path, data_root: Path, tmp_path: Path
) -> None:
    work_dir = tmp_path / "work"
    weights = train_detector(tiny, work_dir, cfg_options=_options(data_root, steps=2))
    resumed = train_detector(tiny, work_dir, resume=True, cfg_options=_options(data_root, steps=3))
    lines = [json.loads(line) for line in (work_dir / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all(np.isfinite(line["loss"]) and "s2.loss_mask" in line and "loss_semantic_seg" in line for line in lines)
    assert lines[2]["lr"] > lines[1]["lr"] > lines[0]["lr"]
    assert resumed == weights
    assert class_names(str(tiny), weights) == tuple(f"class {identifier}" for identifier in range(10, 90, 10))
    trained = torch.load(work_dir / "iter_3.pth", weights_only=False)["state_dict"]
    stored = read_state_dict(weights)
    assert stored.keys() == trained.keys()
    assert stored["neck.fpn_convs.0.conv.weight"].dtype == torch.float16
    torch.testing.assert_close(
        stored["neck.fpn_convs.0.conv.weight"].float(), trained["neck.fpn_convs.0.conv.weight"], atol=1e-3, rtol=1e-3
    )
    MmdetDetector(str(tiny), weights, range(8))


class _KilledError(Exception):
    pass


def test_a_killed_training_resumes_to_the_same_bits(
    tiny: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = _options(
        data_root,
        steps=4,
        **{
            "default_hooks.checkpoint.interval": 2,
            "val_dataloader.dataset.data_root": str(data_root),
            "val_dataloader.dataset.every_n_frames": 2,
            "train_cfg.val_interval": 2,
            "custom_hooks.0.interval": 2,
        },
    )
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_detector(tiny, whole, cfg_options=options)

    append = record.append_line

    def kill_at_step_4(path: Path, line: dict[str, Any]) -> None:
        append(path, line)
        if line["step"] == 4:
            raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(record, "append_line", kill_at_step_4)
        with pytest.raises(_KilledError):
            train_detector(tiny, killed, cfg_options=options)
    assert [path.name for path in checkpoints(killed)] == ["iter_2.pth"]
    np.random.seed(99)  # what the new process happens to have
    torch.manual_seed(99)
    train_detector(tiny, killed, resume=True, cfg_options=options)

    expected, found = (torch.load(folder / "iter_4.pth", weights_only=False) for folder in (whole, killed))
    assert expected["state_dict"].keys() == found["state_dict"].keys()
    assert all(torch.equal(value, found["state_dict"][key]) for key, value in expected["state_dict"].items())
    moments = [content["optimizer"]["state"] for content in (expected, found)]
    assert all(torch.equal(moments[0][key]["exp_avg_sq"], moments[1][key]["exp_avg_sq"]) for key in moments[0])
    for name in ("losses.jsonl", "validation.jsonl"):
        assert (killed / name).read_text() == (whole / name).read_text() != ""


def test_a_moving_average_of_the_weights_is_what_is_written_and_is_resumed(
    tiny: Path, data_root: Path, tmp_path: Path
) -> None:
    config = read_config(str(tiny))
    average = {"type": "EMAHook", "ema_type": "ExpMomentumEMA", "momentum": 0.2, "gamma": 2, "priority": 80}
    config.custom_hooks = [*config.custom_hooks, average]
    config.dump(str(tmp_path / "averaged.py"))
    options = _options(data_root, steps=4, **{"default_hooks.checkpoint.interval": 2})
    weights = train_detector(tmp_path / "averaged.py", tmp_path / "whole", cfg_options=options)
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    (tmp_path / "killed" / "iter_4.pth").unlink()
    train_detector(tmp_path / "averaged.py", tmp_path / "killed", resume=True, cfg_options=options)
    expected, found = (torch.load(tmp_path / name / "iter_4.pth", weights_only=False) for name in ("whole", "killed"))
    for kind in ("state_dict", "ema_state_dict"):
        assert all(torch.equal(value, found[kind][key]) for key, value in expected[kind].items())
    key = "neck.fpn_convs.0.conv.weight"
    raw, averaged = expected["ema_state_dict"][f"module.{key}"], expected["state_dict"][key]
    assert not torch.equal(raw, averaged)
    assert torch.equal(read_state_dict(weights)[key], averaged.half())


def test_draws_do_not_depend_on_what_was_drawn_before(data_root: Path) -> None:
    dataset = YouTubeVisFrames(
        ann_file="instances.json",
        data_root=str(data_root),
        data_prefix={"img": "JPEGImages"},
        pipeline=[
            {"type": "LoadFrame"},
            {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
            {"type": "PhotoMetricDistortion"},
            {"type": "PackDetInputs"},
        ],
    )
    sampler = SeededFrames(dataset, seed=3)
    draws = [draw for draw, _ in zip(sampler, range(20), strict=False)]
    assert sorted(draw.index for draw in draws[:8]) == sorted(draw.index for draw in draws[8:16]) == list(range(8))
    sampler.skip(13)
    assert next(iter(sampler)) == draws[13]
    first = [dataset[draw]["inputs"] for draw in draws[:4]]
    again = [dataset[draw]["inputs"] for draw in reversed(draws[:4])][::-1]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    other_number = FrameDraw(draws[0].index, draws[0].seed, 100)
    assert not torch.equal(dataset[other_number]["inputs"], first[0])


def _mixed(splits: list[dict[str, Any]], **more: Any) -> MixedFrames:
    return MixedFrames(splits, ann_file="instances.json", data_prefix={"img": "JPEGImages"}, pipeline=[], **more)


@pytest.fixture(scope="module")
def others(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same frames; category 20 is called `class 90` there, and those from 40 on are missing."""
    root = tmp_path_factory.mktemp("others")
    content = json.loads((data_root / "instances.json").read_text())
    kept = {10: "class 10", 20: "class 90", 30: "class 30"}
    content["categories"] = [{"id": identifier, "name": name} for identifier, name in kept.items()]
    (root / "instances.json").write_text(json.dumps(content))
    (root / "JPEGImages").symlink_to(data_root / "JPEGImages")
    return root


def test_mixed_splits_share_classes_by_name(data_root: Path, others: Path) -> None:
    mixed = _mixed([{"data_root": str(others)}, {"data_root": str(data_root)}])
    names = ["class 10", "class 90", "class 30", "class 20", *(f"class {number}" for number in range(40, 90, 10))]
    assert mixed.metainfo["classes"] == tuple(names)
    assert len(mixed) == 16
    labels = [[names[entry["bbox_label"]] for entry in mixed[index]["instances"]] for index in (0, 8)]
    assert labels == [["class 90", "class 10"], ["class 20", "class 10"]]
    with pytest.raises(DataError, match="category 'class 20' is none of the classes class 10, class 90, class 30"):
        _mixed([{"data_root": str(data_root)}], classes=names[:3])
    for splits in ([], [{"data_root": str(data_root), "weight": 0}]):
        with pytest.raises(ConfigError, match="one split or more, each with a weight over 0"):
            _mixed(splits)


def test_mixed_splits_are_drawn_by_weight_each_in_whole_passes(data_root: Path, others: Path) -> None:
    mixed = _mixed([{"data_root": str(others), "weight": 3}, {"data_root": str(data_root), "weight": 1}])
    sampler = SeededFrames(mixed, seed=5)
    draws = [draw for draw, _ in zip(sampler, range(2000), strict=False)]
    indices = np.array([draw.index for draw in draws])
    first, second = indices[indices < 8], indices[indices >= 8]
    assert 0.72 < len(first) / 2000 < 0.78
    for part, start in ((first, 0), (second, 8)):
        for begin in range(0, len(part) - 8, 8):
            assert sorted(part[begin : begin + 8] - start) == list(range(8))
    assert list(first[:8]) != list(second[:8] - 8)
    sampler.skip(1300)
    assert next(iter(sampler)) == draws[1300]


def test_a_training_on_mixed_splits_takes_their_classes(
    tiny: Path, data_root: Path, others: Path, tmp_path: Path
) -> None:
    config = read_config(str(tiny))
    dataset = dict(config.train_dataloader.dataset)
    dataset.update(type="MixedFrames", splits=[{"data_root": str(others)}, {"data_root": str(data_root)}])
    config.train_dataloader.dataset, config.classes = dataset, None
    config.dump(str(tmp_path / "mixed.py"))
    options = _options(data_root, steps=1)
    del options["train_dataloader.dataset.data_root"]
    weights = train_detector(tmp_path / "mixed.py", tmp_path / "work", cfg_options=options)
    names = class_names(str(tmp_path / "mixed.py"), weights)
    assert len(names) == 9 and names[:3] == ("class 10", "class 90", "class 30")
    MmdetDetector(str(tmp_path / "mixed.py"), weights, range(9))


def test_a_full_disk_loses_no_earlier_checkpoint(
    tiny: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = _options(
        data_root, steps=3, **{"default_hooks.checkpoint.interval": 1, "default_hooks.checkpoint.max_keep_ckpts": 1}
    )
    unfinished(tmp_path / "iter_1.pth").write_bytes(b"what a killed process left")

    def cleared_then_full(folder: Path) -> None:
        remove_unfinished(folder)
        unfinished(folder / "iter_2.pth").symlink_to("/dev/full")

    monkeypatch.setattr(runner, "remove_unfinished", cleared_then_full)
    with pytest.raises(
        WeightsError, match=r"iter_2\.pth: cannot be written \(.*No space left.*earlier checkpoints are kept"
    ):
        train_detector(tiny, tmp_path, cfg_options=options)
    assert [path.name for path in checkpoints(tmp_path)] == ["iter_1.pth"]
    monkeypatch.undo()
    train_detector(tiny, tmp_path, resume=True, cfg_options=options)
    assert [path.name for path in checkpoints(tmp_path)] == ["iter_3.pth"]


def test_validation_keeps_the_best_weights(
    tiny: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([0.25, 0.5, 0.375])
    monkeypatch.setattr(FrameAP, "compute_metrics", lambda self, results: {"AP": next(figures), "seen": len(results)})
    options = _options(
        data_root,
        steps=3,
        **{
            "val_dataloader.dataset.data_root": str(data_root),
            "val_dataloader.dataset.every_n_frames": 3,
            "train_cfg.val_interval": 1,
        },
    )
    train_detector(tiny, tmp_path, cfg_options=options)
    lines = [json.loads(line) for line in (tmp_path / "validation.jsonl").read_text().splitlines()]
    assert [(line["step"], line["frame/AP"], line["frame/seen"]) for line in lines] == [
        (1, 0.25, 4),
        (2, 0.5, 4),
        (3, 0.375, 4),
    ]
    with safe_open(tmp_path / "best.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["training"])["iterations"] == 2
        assert json.loads(file.metadata()["validation"])["frame/AP"] == 0.5
    assert cv2.imread(str(tmp_path / "curves.png")).shape[0] > 100


def test_a_loss_that_is_not_finite_stops_and_names_the_step_and_the_images(
    tiny: Path, data_root: Path, tmp_path: Path
) -> None:
    options = _options(data_root, steps=6, **{"optim_wrapper.optimizer.lr": 1e38})
    images = r"JPEGImages/[49]/0000\d\.jpg, .*JPEGImages/[49]/0000\d\.jpg"
    with pytest.raises(
        ConfigError, match=rf"^training step [23]: the loss is not finite \(.*loss (nan|inf).*\); lower .*{images}$"
    ):
        train_detector(tiny, tmp_path, cfg_options=options)


def test_a_damaged_frame_is_named(tiny: Path, data_root: Path, tmp_path: Path) -> None:
    shutil.copytree(data_root, tmp_path / "split")
    for path in (tmp_path / "split" / "JPEGImages").rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"^frame: a JPEG that is cut short or damaged: .*\.jpg$"):
        train_detector(tiny, tmp_path / "work", cfg_options=_options(tmp_path / "split", steps=1))


def test_an_error_of_a_loaders_process_is_one_line_again() -> None:
    try:
        raise DataError("frame: an empty file: a/b.jpg")
    except DataError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(DataError) as caught:
        wrapped.reraise()
    assert len(str(caught.value).splitlines()) > 3
    assert _without_traceback(str(caught.value)) == "frame: an empty file: a/b.jpg"


def test_the_networks_random_choices_depend_on_the_step_alone() -> None:
    def drawn(seed: int, step: int) -> float:
        _StepSeed().before_train_iter(SimpleNamespace(seed=seed, iter=step), step)
        return torch.rand(()).item()

    assert drawn(1, 5) == drawn(1, 5)
    assert len({drawn(1, 5), drawn(1, 6), drawn(2, 5)}) == 3


def test_what_cannot_start(tiny: Path, data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint to resume from"):
        train_detector(tiny, tmp_path, resume=True, cfg_options=_options(data_root, steps=1))
    with pytest.raises(ConfigError, match="did you mean"):
        train_detector(tiny, tmp_path, cfg_options={"train_dataloader.batchsize": 2})
    with pytest.raises(DataError, match=r"instances\.json"):
        train_detector(tiny, tmp_path, cfg_options=_options(tmp_path / "nowhere", steps=1))


def test_a_split_with_other_classes_than_the_model(tiny: Path, data_root: Path, tmp_path: Path) -> None:
    content = json.loads((data_root / "instances.json").read_text())
    content["categories"] = content["categories"][:2]
    (tmp_path / "instances.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="the model has 8 classes, the split 2 categories"):
        train_detector(tiny, tmp_path / "work", cfg_options=_options(tmp_path, steps=1))


def test_keys_that_this_machine_or_each_other_contradict(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(words: str, config: Path = SMALL, **more: Any) -> None:
        with pytest.raises(ConfigError, match=words):
            train_detector(config, tmp_path, cfg_options=_options(data_root, steps=1, **more))

    large = Path(read_config("detectors/htc_r50_youtube_vis_2019").filename)
    fails(r"frozen_stages=1 would freeze random layers", large)
    fails("leave out init_backbone", init_weights="a.pth", init_backbone="b.pth")
    fails(
        r"differ in their categories \(class 1: class 20, square\)",
        **{"val_dataloader.dataset.data_root": str(_renamed(data_root, tmp_path / "other"))},
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    fails("amp needs CUDA", amp=True)
    monkeypatch.setattr("vis_pipeline.training.detector.settings.find_spec", lambda name: None)
    fails(r"needs the package tensorboard; run .*vis_pipeline\[tensorboard\]", tensorboard=True)


def _renamed(data_root: Path, folder: Path) -> Path:
    content = json.loads((data_root / "instances.json").read_text())
    content["categories"][0]["name"] = "square"
    folder.mkdir()
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def test_fine_tuning_takes_its_classes_from_the_split_and_its_tensors_from_the_bundled_weights(
    data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((data_root / "instances.json").read_text())
    content["categories"] = [{"id": 10, "name": "Star"}, {"id": 20, "name": "whale"}]
    (tmp_path / "instances.json").write_text(json.dumps(content))
    (tmp_path / "JPEGImages").symlink_to(data_root / "JPEGImages")
    options = _options(tmp_path, steps=1, **{"optim_wrapper.optimizer.lr": 0.0})
    weights = train_detector(FINETUNE, tmp_path / "work", cfg_options=options)

    told = " ".join(capsys.readouterr().err.split())
    assert "1 of 2 classes start from htc_small.safetensors, in 4 layers: Star <- star" in told
    assert "1 classes start afresh: whale" in told
    found, bundled = read_state_dict(weights), read_state_dict(resolve("bundled:htc_small"))
    for key in ("backbone.conv1.weight", "roi_head.mask_head.2.conv_logits.weight", "roi_head.bbox_head.1.fc_reg.bias"):
        assert torch.equal(found[key], bundled[key])
    star = 4  # of disc, ring, square, triangle, star, ...
    for head in ("bbox_head.0.fc_cls", "bbox_head.1.fc_cls", "bbox_head.2.fc_cls", "semantic_head.conv_logits"):
        rows, sources = found[f"roi_head.{head}.weight"], bundled[f"roi_head.{head}.weight"]
        assert len(rows) == 3
        assert torch.equal(rows[0], sources[star])
        assert torch.equal(rows[-1], sources[-1])
        assert not (rows[1] == sources).flatten(1).all(1).any()
    MmdetDetector(str(tmp_path / "work" / FINETUNE.name), weights, range(2))


def test_a_backbone_may_start_from_weights_that_learned_on_images(
    tiny: Path, data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resnet = MODELS.build(read_config(str(tiny)).model.backbone)
    torch.save({**resnet.state_dict(), "fc.weight": torch.zeros(10, 64)}, tmp_path / "resnet.pth")
    options = _options(
        data_root, steps=1, init_backbone=str(tmp_path / "resnet.pth"), **{"optim_wrapper.optimizer.lr": 0.0}
    )
    found = read_state_dict(train_detector(tiny, tmp_path / "work", cfg_options=options))
    for key, value in resnet.named_parameters():
        assert torch.equal(found[f"backbone.{key}"], value.half())
    assert "loaded 100 of 100 tensors" in " ".join(capsys.readouterr().err.split())


def test_photographs_train_the_light_htc_from_its_trunk(tmp_path: Path) -> None:
    """A few steps of `htc_lite_real`, narrowed: the dataset, the backbone's weights, and what it detects with."""
    trunk = EfficientNetLite0(levels=(3, 4, 5))
    published = _as_published(trunk)
    torch.save(published, tmp_path / "lite0.pth")
    picture = np.zeros((60, 80, 3), dtype=np.uint8)
    mask = np.zeros((1, 60, 80), dtype=bool)
    mask[0, 10:50, 20:60] = True
    picture[mask[0]] = (0, 200, 0)
    cv2.imwrite(str(tmp_path / "1.png"), picture)
    content = {
        "images": [{"id": 1, "width": 80, "height": 60, "file_name": "1.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 17, "iscrowd": 0, "segmentation": masks.encode(mask)[0]}
        ],
        "categories": [{"id": 17, "name": "cat"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    config = read_config("recipes/htc_lite_real")
    narrow_light(config.model)
    dataset = config.train_dataloader.dataset
    dataset.sources = [{"annotations": str(tmp_path / "instances.json"), "images": str(tmp_path), "labelled": ["cat"]}]
    dataset.scene.size = 96
    config.train_dataloader.batch_size = 2
    config.train_cfg.max_iters = 2
    config.custom_hooks[0].interval = 1
    config.init_backbone = str(tmp_path / "lite0.pth")
    config.dump(str(tmp_path / "light.py"))
    weights = train_detector(tmp_path / "light.py", tmp_path / "work")
    lines = [json.loads(line) for line in (tmp_path / "work" / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert class_names(str(tmp_path / "light.py"), weights) == EVERYDAY
    stored = read_state_dict(weights)
    folded = trunk.eval().fold_norms().state_dict()
    assert torch.equal(stored["backbone.trunk.stem.conv.weight"], folded["stem.conv.weight"].half())
    MmdetDetector(str(tmp_path / "light.py"), weights, range(12))


def _as_published(trunk: EfficientNetLite0) -> dict[str, torch.Tensor]:
    """The tensors of a trunk under the names of the published file."""
    parts = {
        "expand": ("_expand_conv", "_bn0"),
        "depthwise": ("_depthwise_conv", "_bn1"),
        "project": ("_project_conv", "_bn2"),
    }
    first = (0, 1, 3, 5, 11)
    names = {}
    for key, value in trunk.state_dict().items():
        words = key.split(".")
        if words[0] == "stem":
            names[f"{'_conv_stem' if words[1] == 'conv' else '_bn0'}.{words[2]}"] = value
        else:
            _, level, block, part, kind, tensor = words
            names[f"_blocks.{first[int(level)] + int(block)}.{parts[part][kind == 'norm']}.{tensor}"] = value
    return names


def test_half_precision_and_tensorboard_where_they_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("vis_pipeline.training.detector.settings.find_spec", lambda name: name)
    settings = read_config(str(SMALL), {"amp": True, "tensorboard": True})
    before = dict(settings.optim_wrapper)
    prepare(settings, "x", resume=False)
    assert settings.optim_wrapper == {
        **before,
        "type": "AmpOptimWrapper",
        "dtype": "float16",
        "loss_scale": "dynamic",
    }
    assert [backend["type"] for backend in settings.visualizer.vis_backends] == [
        "LocalVisBackend",
        "TensorboardVisBackend",
    ]
    assert settings.default_hooks.logger.log_metric_by_epoch is False
    assert settings.val_dataloader is settings.val_evaluator is settings.val_cfg is None
