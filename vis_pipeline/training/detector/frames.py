"""A YouTube-VIS split as single images with instances, for mmdet's transforms and mmengine's data loaders."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms.base import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.dataset import BaseDataset
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from vis_pipeline import masks
from vis_pipeline.data.images import read_image
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.data.youtube_vis import Annotation, Category, read_split
from vis_pipeline.errors import DataError

AUGMENTATION, NETWORK = range(2)
"""Streams of random numbers, see :func:`seed_from`."""


def seed_from(*key: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators from a few numbers (seed, stream, place in it)."""
    first, second, third = (int(word) for word in np.random.SeedSequence(key).generate_state(3))
    random.seed(first)
    np.random.seed(second)
    torch.manual_seed(third)


@dataclass(frozen=True)
class FrameDraw:
    """The `number`-th draw of a training with this `seed`: frame `index` of the dataset."""

    index: int
    seed: int
    number: int


@DATA_SAMPLERS.register_module()
class SeededFrames(Sampler[FrameDraw]):
    """Shuffled passes over a dataset without end, as mmengine's `InfiniteSampler`, whose draws carry their own seed.

    So a frame's augmentation depends on nothing but (seed, number), whatever process loads it, and resuming is exact.
    """

    def __init__(self, dataset: Sized, seed: int) -> None:
        self._size = len(dataset)
        self._seed = seed
        self._first = 0

    def __iter__(self) -> Iterator[FrameDraw]:
        for number, index in islice(enumerate(self._shuffled()), self._first, None):
            yield FrameDraw(index, self._seed, number)

    def __len__(self) -> int:
        """The frames of one pass."""
        return self._size

    def skip(self, num_samples: int) -> None:
        """Start with draw `num_samples`; mmengine calls this when it resumes."""
        self._first = num_samples

    def _shuffled(self) -> Iterator[int]:
        generator = torch.Generator()
        generator.manual_seed(self._seed)
        while True:
            yield from torch.randperm(self._size, generator=generator).tolist()


@DATASETS.register_module()
class YouTubeVisFrames(BaseDataset):  # type: ignore[misc]
    """The frames 0, n, 2n, ... (n: `every_n_frames`) of each video of a split as single images with instances.

    Class index i is the i-th category of the split by id. Crowds are marked to be ignored. Boxes are the masks'
    Min-max boxes. `img_id` is that of :func:`~vis_pipeline.data.single_frames.as_single_frames`. Frames without a
    visible object teach nothing and are left out, except in `test_mode`. Paths as in mmengine: `ann_file` and
    `data_prefix["img"]` under `data_root`.
    """

    def __init__(self, *args: Any, every_n_frames: int = 1, **kwargs: Any) -> None:
        self._every_n_frames = every_n_frames
        super().__init__(*args, **kwargs)

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
        labels = {category.id: index for index, category in enumerate(ordered(split.categories))}
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
        classes = tuple(category.name for category in ordered(split.categories))
        self._metainfo.update(classes=classes, frames=len(frames), ann_file=str(self.ann_file))
        return frames


def ordered(categories: Sequence[Category]) -> list[Category]:
    """The categories in the order of a detector's outputs."""
    return sorted(categories, key=lambda category: category.id)


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
