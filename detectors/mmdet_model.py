"""HTC, and any other mmdet instance-segmentation model, as a :class:`~detectors.base.Detector`.

A batch of frames is resized and normalised as one tensor on the device and goes through the model's own predict path;
masks are pasted only for the detections that are kept. The results are those of mmdet's `inference_detector` on the
same images, whose per-image pipeline in Python costs more than the network (design notes, section 6).
"""

import inspect
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from safetensors import safe_open
from torch import Tensor, nn

from detectors.mmdet_config import class_count, find, read_config, register_mmdet, set_classes, without_downloads
from vis_pipeline.errors import ConfigError
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.settings.device import torch_device
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.weights.files import load_strictly, misfit, read_checkpoint, read_state_dict
from vis_pipeline.weights.misfits import other_config, require_detector

_GEOMETRY_FREE = {"LoadFrame", "LoadImageFromFile", "LoadImageFromNDArray", "LoadAnnotations", "PackDetInputs"}


class MmdetDetector:
    """Detects with an mmdet model.

    `config` is a path, a packaged name or `mmdet::folder/name.py`; `class_map` gives, for each class of the model, a
    category id of the split or None, and detections of that class are dropped. At most `max_per_frame` detections with
    a score of at least `score_threshold` are kept a frame, best first.

    Raises:
        ConfigError: the config cannot be used for detecting, or the class map is not as long as the model's classes.
        WeightsError: the checkpoint is missing, damaged, or does not fit the model.
    """

    def __init__(
        self,
        config: str,
        checkpoint: Path,
        class_map: Sequence[int | None],
        score_threshold: float = 0.05,
        max_per_frame: int = 100,
        device: torch.device | str = "cpu",
    ) -> None:
        settings = model_settings(config, checkpoint)
        self._device = torch_device(str(device))
        self._scale = _test_scale(settings, config)
        _widen_limits(settings, score_threshold, max_per_frame)
        self._model: Any = build_model(settings, config, checkpoint).to(self._device).eval()
        count = class_count(settings.model)
        if count is not None and count != len(class_map):
            raise ConfigError(f"config {config}: the model has {count} classes, the class map {len(class_map)}")
        self._categories = torch.tensor([-1 if entry is None else entry for entry in class_map], device=self._device)
        self._known = torch.tensor([entry is not None for entry in class_map], device=self._device)
        self._score_threshold = score_threshold
        self._max_per_frame = max_per_frame
        _keep_before_masks(self._model, self._kept)

    @classmethod
    def from_config(
        cls,
        config: str,
        checkpoint: Path,
        make_class_map: Callable[[Sequence[str]], Sequence[int | None]],
        score_threshold: float = 0.05,
        max_per_frame: int = 100,
        device: torch.device | str = "cpu",
    ) -> "MmdetDetector":
        """Build with a class map that is made from the names of the model's classes."""
        class_map = make_class_map(class_names(config, checkpoint))
        return cls(config, checkpoint, class_map, score_threshold, max_per_frame, device)

    @torch.inference_mode()
    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detect in frames of one size, in one pass through the network."""
        if not frames:
            return []
        images = torch.stack([frame.on(self._device) for frame in frames])
        height, width = images.shape[1:3]
        inputs = _resized(images.permute(0, 3, 1, 2), self._scale)
        samples = [_sample((height, width), (inputs.shape[2], inputs.shape[3])) for _ in frames]
        batch = self._model.data_preprocessor({"inputs": inputs, "data_samples": samples}, training=False)
        predictions = self._model.predict(batch["inputs"], batch["data_samples"], rescale=True)
        kept = self._kept([prediction.pred_instances for prediction in predictions])
        # Networks without boxes (SOLO) give zeros for them.
        boxed = torch.stack([instances.bboxes.any() for instances in kept]).tolist()
        return [self._detections(*one, height, width) for one in zip(kept, boxed, strict=True)]

    def _kept(self, found: Sequence[InstanceData]) -> list[InstanceData]:
        """What is to be kept of each frame, best first; the device is waited for once for all frames."""
        orders, counts = [], []
        for instances in found:
            # SOLO's labels are no integers where it finds nothing.
            wanted = (instances.scores >= self._score_threshold) & self._known[instances.labels.long()]
            orders.append(instances.scores.masked_fill(~wanted, -1.0).argsort(descending=True, stable=True))
            counts.append(wanted.sum())
        least = [min(count, self._max_per_frame) for count in torch.stack(counts).tolist()]
        return [instances[order[:count]] for instances, order, count in zip(found, orders, least, strict=True)]

    def _detections(self, kept: InstanceData, boxed: bool, height: int, width: int) -> Detections:
        if len(kept) == 0:
            return Detections.none(height, width, self._device)
        masks = kept.masks.to(device=self._device, dtype=torch.bool)
        boxes = kept.bboxes.float() if boxed else _corners(minmax_boxes(masks)).float()
        x, y = boxes[:, 0::2].clamp(0, width), boxes[:, 1::2].clamp(0, height)
        return Detections(
            boxes=torch.stack([x, y], dim=2).flatten(1),
            scores=kept.scores.float(),
            labels=self._categories[kept.labels],
            masks=masks,
        )


def class_names(config: str, checkpoint: Path) -> tuple[str, ...]:
    """The names of a model's classes in the order of its outputs: from the checkpoint, else from the config.

    Raises:
        ConfigError: neither names them.
        WeightsError: the checkpoint cannot be read, or names others than the config has.
    """
    register_mmdet()
    settings = model_settings(config, checkpoint)
    count = class_count(settings.model)
    if stated := checkpoint_classes(checkpoint):
        if count not in (None, len(stated)):
            raise other_config(config, checkpoint, f"they name {len(stated)} classes, it has {count}")
        return tuple(stated)
    dataset = find(settings.get("test_dataloader"), "dataset") or find(settings.get("train_dataloader"), "dataset")
    registered = DATASETS.get(dataset["type"]) if dataset and isinstance(dataset.get("type"), str) else None
    named = (
        settings.get("classes")
        or find(find(dataset, "metainfo"), "classes")
        or getattr(registered, "METAINFO", {}).get("classes")
    )
    if not named or count not in (None, len(named)):
        require_detector(read_state_dict(checkpoint), checkpoint)
        found = f"{len(named)} class names for {count} classes" if named else "no class names"
        raise ConfigError(f"config {config}: {found} in it, none in {checkpoint}; set `classes` in the config")
    return tuple(named)


def checkpoint_classes(checkpoint: Path) -> Sequence[str] | None:
    """The class names that a weight file states, in the order of the model's outputs; None where it states none.

    Raises:
        WeightsError: the file cannot be read.
    """
    if checkpoint.suffix == ".safetensors":
        read_state_dict(checkpoint)
        with safe_open(checkpoint, framework="pt") as file:
            classes = (file.metadata() or {}).get("classes")
        return list(json.loads(classes)) if classes else None
    meta = read_checkpoint(checkpoint).get("meta")
    dataset = find(meta, "dataset_meta")
    named: Sequence[str] | None = find(dataset, "classes") or find(dataset, "CLASSES") or find(meta, "CLASSES")
    return named


def model_settings(config: str, checkpoint: Path) -> Config:
    """The config with the heads of its `classes`; where it leaves them open, as for fine-tuning, the checkpoint's."""
    settings = read_config(config)
    if "classes" in settings and (names := settings.classes or checkpoint_classes(checkpoint)):
        set_classes(settings, names)
    return settings


def build_model(settings: Config, config: str, checkpoint: Path) -> nn.Module:
    """The model of a config with the weights of a checkpoint.

    Raises:
        ConfigError: mmdet cannot build it.
        WeightsError: the weights cannot be read, or do not fit it.
    """
    register_mmdet()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model: nn.Module = MODELS.build(without_downloads(settings.model))
    except (KeyError, TypeError, AssertionError, AttributeError) as error:
        raise ConfigError(f"config {config}: mmdet cannot build the model ({error})") from error
    tensors = read_state_dict(checkpoint)
    if fault := misfit(model, tensors):
        require_detector(tensors, checkpoint)
        raise other_config(config, checkpoint, fault)
    load_strictly(model, tensors, checkpoint)
    return model


def _widen_limits(settings: Config, score_threshold: float, max_per_frame: int) -> None:
    """Let the config's own limits not cut what ours would keep."""
    limits = find(find(settings.model, "test_cfg"), "rcnn")
    if limits is not None:
        limits["score_thr"] = min(limits.get("score_thr", 0.0), score_threshold)
        limits["max_per_img"] = max(limits.get("max_per_img", 0), max_per_frame)


def test_pipeline(settings: Config) -> list[Any]:
    """The steps that a config prepares a picture in, the reading of its file among them; none where it names none."""
    pipeline = find(find(settings.get("test_dataloader"), "dataset"), "pipeline") or settings.get("test_pipeline")
    return list(pipeline or ())


def _test_scale(settings: Config, config: str) -> tuple[int, int] | None:
    """(long, short) side in pixels that frames are fitted into, keeping their shape; None keeps their size."""
    scale: tuple[int, int] | None = None
    for transform in test_pipeline(settings):
        kind = str(transform["type"]).rsplit(".", 1)[-1]
        if kind == "Resize" and transform.get("keep_ratio") and "scale" in transform:
            scale = (max(transform["scale"]), min(transform["scale"]))
        elif kind not in _GEOMETRY_FREE:
            raise ConfigError(f"config {config}: test pipeline step {dict(transform)} is not supported")
    return scale


def _resized(images: Tensor, scale: tuple[int, int] | None) -> Tensor:
    """Fit uint8 [B, 3, H, W] into `scale` as mmcv's `imrescale` does, whole pixel values, [B, 3, h, w]."""
    if scale is None:
        return images
    height, width = images.shape[2:]
    factor = min(scale[0] / max(height, width), scale[1] / min(height, width))
    # A frame of 3000x4 would come out without a row.
    size = (max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5)))
    if size == (height, width):
        return images
    resized = nn.functional.interpolate(images.float(), size=size, mode="bilinear", align_corners=False)
    return resized.round_().clamp_(0, 255)


def _corners(boxes: Tensor) -> Tensor:
    """x, y, w, h as x1, y1, x2, y2 with exclusive ends, [N, 4]."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def _sample(original: tuple[int, int], resized: tuple[int, int]) -> DetDataSample:
    return DetDataSample(
        metainfo={
            "ori_shape": original,
            "img_shape": resized,
            "scale_factor": (resized[1] / original[1], resized[0] / original[0]),
        }
    )


def _keep_before_masks(model: nn.Module, keep: Callable[[Sequence[InstanceData]], list[InstanceData]]) -> None:
    """Have a two-stage model predict masks only for the detections that `keep` leaves; others keep their own order."""
    head = getattr(model, "roi_head", None)
    if head is None:
        return
    predict = head.predict_mask

    def predict_kept(*args: Any, **kwargs: Any) -> Any:
        call = inspect.signature(predict).bind(*args, **kwargs)  # heads differ in how they pass the results
        results = call.arguments["results_list"]
        # QueryInst finds its masks by their places among all results.
        if not any("topk_inds" in found for found in results):
            call.arguments["results_list"] = keep(results)
        return predict(*call.args, **call.kwargs)

    head.predict_mask = predict_kept
