"""Training a detector: the dataset, a few steps, resuming, and what stops it."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from detectors.htc import HTCDetector, class_names
from detectors.mmdet_config import read_config
from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError, WeightsError
from vis_pipeline.training.detector import YouTubeVisFrames, load_initial, train_detector
from vis_pipeline.weights.files import read_state_dict

SMALL = Path(read_config("detectors/htc_small_procedural").filename)
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


@pytest.fixture(autouse=True)
def _plain_config_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """mmengine lays its config out with yapf five times a run, which would take most of the time here."""
    monkeypatch.setattr("yapf.yapflib.yapf_api.FormatCode", lambda text, **_: (text, True))


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


def test_training_writes_losses_checkpoints_and_weights_and_resumes(data_root: Path, tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    weights = train_detector(SMALL, work_dir, cfg_options=_options(data_root, steps=2))
    resumed = train_detector(SMALL, work_dir, resume=True, cfg_options=_options(data_root, steps=3))
    lines = [json.loads(line) for line in (work_dir / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all(np.isfinite(line["loss"]) and "s2.loss_mask" in line and "loss_semantic_seg" in line for line in lines)
    assert lines[2]["lr"] > lines[1]["lr"] > lines[0]["lr"]
    assert resumed == weights
    assert class_names(str(SMALL), weights) == tuple(f"class {identifier}" for identifier in range(10, 90, 10))
    trained = torch.load(work_dir / "iter_3.pth", weights_only=False)["state_dict"]
    stored = read_state_dict(weights)
    assert stored.keys() == trained.keys()
    assert stored["neck.fpn_convs.0.conv.weight"].dtype == torch.float16
    torch.testing.assert_close(
        stored["neck.fpn_convs.0.conv.weight"].float(), trained["neck.fpn_convs.0.conv.weight"], atol=1e-3, rtol=1e-3
    )
    HTCDetector(str(SMALL), weights, range(8))


def test_a_loss_that_is_not_finite_stops_and_names_the_step(data_root: Path, tmp_path: Path) -> None:
    options = _options(data_root, steps=6, **{"optim_wrapper.optimizer.lr": 1e38})
    with pytest.raises(ConfigError, match=r"the loss is (nan|inf) at step [23];"):
        train_detector(SMALL, tmp_path, cfg_options=options)


def test_what_cannot_start(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint to resume from"):
        train_detector(SMALL, tmp_path, resume=True, cfg_options=_options(data_root, steps=1))
    with pytest.raises(ConfigError, match="did you mean"):
        train_detector(SMALL, tmp_path, cfg_options={"train_dataloader.batchsize": 2})
    with pytest.raises(DataError, match=r"instances\.json"):
        train_detector(SMALL, tmp_path, cfg_options=_options(tmp_path / "nowhere", steps=1))


def test_a_split_with_other_classes_than_the_model(data_root: Path, tmp_path: Path) -> None:
    content = json.loads((data_root / "instances.json").read_text())
    content["categories"] = content["categories"][:2]
    (tmp_path / "instances.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="the model has 8 classes, the split 2 categories"):
        train_detector(SMALL, tmp_path / "work", cfg_options=_options(tmp_path, steps=1))


def test_initial_weights_may_differ_in_their_heads_only() -> None:
    network = torch.nn.ModuleDict({"backbone": torch.nn.Linear(2, 2), "head": torch.nn.Linear(2, 3)})
    other = torch.nn.ModuleDict({"backbone": torch.nn.Linear(2, 2), "head": torch.nn.Linear(2, 5)})
    assert load_initial(network, other.state_dict(), Path("x.pth")) == ["head.weight", "head.bias"]
    torch.testing.assert_close(network["backbone"].weight, other["backbone"].weight)
    tensors = {**other.state_dict(), "backbone.weight": torch.zeros(4, 2)}
    with pytest.raises(WeightsError, match=r"x\.pth: backbone\.weight is \[4, 2\], the network has \[2, 2\]"):
        load_initial(network, tensors, Path("x.pth"))
