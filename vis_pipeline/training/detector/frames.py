"""A YouTube-VIS split as single images with instances, for mmdet's transforms and mmengine's data loaders."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.dataset import BaseDataset
from torch.utils.data import ConcatDataset

from vis_pipeline import masks
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.images import read_image
from vis_pipeline.structures.splits import Annotation, Category
from vis_pipeline.training.detector.sampling import AUGMENTATION, FrameDraw, seed_from


@DATASETS.register_module()
class YouTubeVisFrames(BaseDataset):  # type: ignore[misc]
    """The frames 0, n, 2n, ... (n: `every_n_frames`) of each video of a split as single images with instances.

    Class index i is the i-th of `classes`, or else the i-th category of the split by id. Crowds are marked to be
    ignored. Boxes are the masks' Min-max boxes. `img_id` is that of
    :func:`~vis_pipeline.data.single_frames.as_single_frames`. Frames without a visible object teach nothing and are
    left out, except in `test_mode`. Paths as in mmengine: `ann_file` and `data_prefix["img"]` under `data_root`.
    """

    def __init__(
        self, *args: Any, every_n_frames: int = 1, classes: Sequence[str] | None = None, **kwargs: Any
    ) -> None:
        self._every_n_frames = every_n_frames
        self._classes = classes
        super().__init__(*args, **kwargs)

    @property
    def parts(self) -> Sequence[tuple[int, float]]:
        """As :class:`~vis_pipeline.training.detector.sampling.Frames` says: all in one."""
        return ((len(self), 1.0),)

    def __getitem__(self, index: int | FrameDraw) -> dict[str, Any]:
        """The frame after its pipeline; for a draw of :class:`SeededFrames`, with that draw's random numbers."""
        if isinstance(index, FrameDraw):
            seed_from(index.seed, AUGMENTATION, index.number)
            index = index.index
        item: dict[str, Any] = super().__getitem__(index)
        return item

    def load_data_list(self) -> list[dict[str, Any]]:
        """One dict a frame, in the form that mmdet's transforms take."""
        split = as_single_frames(read_split(Path(self.ann_file)), self._every_n_frames)
        if split.annotations is None:
            raise DataError(f"split {self.ann_file}: has no annotations to learn from")
        classes = self._classes or class_names([split.categories])
        labels = {category.id: self._label(category.name, classes) for category in split.categories}
        by_frame: dict[int, list[Annotation]] = defaultdict(list)
        for annotation in split.annotations:
            by_frame[annotation.video_id].append(annotation)
        folder = Path(self.data_prefix["img"])
        frames = [
            {
                "img_path": str(folder / frame.file_names[0]),
                "img_id": frame.id,
                "height": frame.height,
                "width": frame.width,
                "instances": _instances(by_frame[frame.id], labels),
            }
            for frame in split.videos
        ]
        if not self.test_mode:
            frames = [frame for frame in frames if frame["instances"]]
        if not frames:
            raise DataError(f"split {self.ann_file}: no frame has an object to learn from")
        self._metainfo.update(classes=tuple(classes), frames=len(frames), ann_file=str(self.ann_file))
        return frames

    def _label(self, name: str, classes: Sequence[str]) -> int:
        if name not in classes:
            raise DataError(f"split {self.ann_file}: category {name!r} is none of the classes {', '.join(classes)}")
        return classes.index(name)


@DATASETS.register_module()
class MixedFrames(ConcatDataset[dict[str, Any]]):
    """Several splits as one dataset: the frames of the first, then of the second, ...

    `splits` are settings of :class:`YouTubeVisFrames`, each with its `weight` among the draws of
    :class:`~vis_pipeline.training.detector.sampling.SeededFrames` besides; `common` settings hold for all of them.
    Class index i is the i-th of `classes`, or else of :func:`class_names`.

    Raises:
        ConfigError: there is no split, or a weight is not positive.
        DataError: a split cannot be read, has nothing to learn from, or a category that is none of `classes`.
    """

    def __init__(
        self, splits: Sequence[Mapping[str, Any]], classes: Sequence[str] | None = None, **common: Any
    ) -> None:
        self._weights = [float(split.get("weight", 1.0)) for split in splits]
        if not self._weights or min(self._weights) <= 0:
            raise ConfigError("MixedFrames: give one split or more, each with a weight over 0")
        settings = [{**common, **{key: value for key, value in split.items() if key != "weight"}} for split in splits]
        if classes is None:
            classes = class_names([read_split(annotation_file(split)).categories for split in settings])
        self._splits = [YouTubeVisFrames(**split, classes=classes) for split in settings]
        super().__init__(self._splits)
        self.metainfo = {
            "classes": tuple(classes),
            "frames": len(self),
            "ann_file": [str(split.ann_file) for split in self._splits],
        }

    @property
    def parts(self) -> Sequence[tuple[int, float]]:
        """As :class:`~vis_pipeline.training.detector.sampling.Frames` says: one for each split."""
        return [(len(split), weight) for split, weight in zip(self._splits, self._weights, strict=True)]

    def __getitem__(self, index: int | FrameDraw) -> dict[str, Any]:
        """The frame after its split's pipeline; for a draw of `SeededFrames`, with that draw's random numbers."""
        if isinstance(index, FrameDraw):
            seed_from(index.seed, AUGMENTATION, index.number)
            index = index.index
        item: dict[str, Any] = super().__getitem__(index)  # type: ignore[no-untyped-call]
        return item


def annotation_file(dataset: Mapping[str, Any]) -> Path:
    """Where the settings of a :class:`YouTubeVisFrames` have their annotations."""
    return Path(str(dataset.get("data_root") or ""), str(dataset["ann_file"]))


def class_names(splits: Sequence[Sequence[Category]]) -> tuple[str, ...]:
    """The names of the splits' categories, each once, in the order of a detector's outputs: split by split, by id."""
    ordered = [sorted(categories, key=lambda category: category.id) for categories in splits]
    return tuple(dict.fromkeys(category.name for categories in ordered for category in categories))


def _instances(annotations: Sequence[Annotation], labels: Mapping[int, int]) -> list[dict[str, Any]]:
    visible = [(entry, rle) for entry in annotations if (rle := entry.segmentations[0]) is not None]
    boxes = masks.bounding_boxes([rle for _, rle in visible])
    return [
        {
            "bbox": [x, y, x + width, y + height],
            "bbox_label": labels[entry.category_id],
            "mask": rle,
            "ignore_flag": int(entry.iscrowd),
        }
        for (entry, rle), (x, y, width, height) in zip(visible, boxes.tolist(), strict=True)
        if width > 0 and height > 0
    ]


@TRANSFORMS.register_module()
class LoadFrame(BaseTransform):  # type: ignore[misc]
    """Read `img_path` as `img`, uint8 [H, W, 3] BGR, strictly and in the order of the stored pixels.

    mmcv's `LoadImageFromFile` fills what a damaged file lacks with grey, and turns the image by its orientation tag but
    not the masks.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add `img`, `img_shape` and `ori_shape`.

        Raises:
            DataError: the frame is missing or damaged, or has another size than the split says.
        """
        try:
            image = read_image(Path(results["img_path"]))
        except DataError as error:
            raise DataError(f"frame: {error}") from error
        if image.shape[:2] != (results["height"], results["width"]):
            raise DataError(
                f"frame {results['img_path']}: {image.shape[1]}x{image.shape[0]}, "
                f"the split says {results['width']}x{results['height']}"
            )
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class SemanticMapFromInstances(BaseTransform):  # type: ignore[misc]
    """Draw `gt_seg_map`, uint8 [H, W], from the instance masks: the class index there, `background` elsewhere."""

    def __init__(self, background: int) -> None:
        self.background = background

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add `gt_seg_map`; needs `gt_masks` and `gt_bboxes_labels`."""
        semantic = np.full(results["img"].shape[:2], self.background, dtype=np.uint8)
        for mask, label in zip(results["gt_masks"].masks, results["gt_bboxes_labels"], strict=True):
            semantic[mask > 0] = label
        results["gt_seg_map"] = semantic
        return results
