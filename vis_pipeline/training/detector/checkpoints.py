"""What a training leaves on disk to go on from and to use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from vis_pipeline.weights.files import read_checkpoint, write_state_dict

WEIGHTS_NAME = "detector.safetensors"


def checkpoints(work_dir: Path) -> list[Path]:
    """The checkpoints of a training, the latest one last."""
    numbered = {path.stem.removeprefix("iter_"): path for path in work_dir.glob("iter_*.pth")}
    return [numbered[step] for step in sorted((step for step in numbered if step.isdecimal()), key=int)]


def export_checkpoint(checkpoint: Path, destination: Path) -> None:
    """Write the network of a checkpoint as fp16 safetensors, with its classes and where it comes from."""
    content = read_checkpoint(checkpoint)
    export(content["state_dict"], content["meta"], destination)


def export(
    tensors: Mapping[str, Tensor], meta: Mapping[str, Any], destination: Path, scores: Mapping[str, float] | None = None
) -> None:
    """Write a network as fp16 safetensors; `meta` is that of a checkpoint, `scores` are those of a validation."""
    metadata: dict[str, Any] = {
        "architecture": "mmdet",
        "config": meta["experiment_name"].rsplit("_", 2)[0],
        "classes": list(meta["dataset_meta"]["classes"]),
        "training": {
            "iterations": meta["iter"],
            "seed": meta["seed"],
            "frames": meta["dataset_meta"]["frames"],
        },
    }
    if scores is not None:
        metadata["validation"] = dict(scores)
    write_state_dict(destination, tensors, metadata)


@HOOKS.register_module()
class Checkpoints(Hook):  # type: ignore[misc]
    """A checkpoint `iter_N.pth` every `interval` steps and at the end; of the older ones `max_keep_ckpts` - 1 stay.

    mmengine's `CheckpointHook` removes the old one first and writes in place, so a full disk may leave nothing.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int, max_keep_ckpts: int = 3) -> None:
        self.interval = interval
        self._keep = max(max_keep_ckpts, 1)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Write where one is due."""
        step = runner.iter + 1
        if step % self.interval and step != runner.max_iters:
            return
        runner.save_checkpoint(runner.work_dir, f"iter_{step}.pth", by_epoch=False)
        if not is_main_process():
            return
        for old in checkpoints(Path(runner.work_dir))[: -self._keep]:
            old.unlink()
