"""Photographs of many sources as one dataset of mmdet, each draw a new scene."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import DATASETS
from mmdet.structures.mask import BitmapMasks
from torch.utils.data import Dataset

from detectors.lite_htc import UNLABELLED
from vis_pipeline.data.class_table import ClassTable
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.detector.pictures import Labelled, Picture, PictureSource, read_pictures
from vis_pipeline.training.detector.sampling import AUGMENTATION, FrameDraw
from vis_pipeline.training.detector.scenes import (
    Cutout,
    LabelledScene,
    LabelledSceneSettings,
    cut_out,
    paste,
    relit,
    view,
)

_CUTOUT_SIDE = 40
"""Objects with a box less wide or high, or that touch the picture's edge, are not cut out."""
_CACHED = 3000


class PointMasks(BitmapMasks):  # type: ignore[misc]
    """Masks whose targets are read at the middle of each cell; mmdet's average over all pixels of a cell costs more."""

    def __getitem__(self, index: Any) -> "PointMasks":
        """As mmdet's."""
        return PointMasks(self.masks[index].reshape(-1, self.height, self.width), self.height, self.width)

    def crop_and_resize(
        self, bboxes: Any, out_shape: tuple[int, int], inds: Any, *args: Any, **kwargs: Any
    ) -> BitmapMasks:
        """Mask `inds[i]` within `bboxes[i]` (x1, y1, x2, y2), bool at `out_shape`: bilinear, at least a half."""
        height, width = out_shape
        targets = np.zeros((len(bboxes), height, width), dtype=bool)
        for target, (left, top, right, bottom), index in zip(
            targets, np.asarray(bboxes), np.asarray(inds), strict=True
        ):
            across, down = (right - left) / width, (bottom - top) / height
            matrix = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            target[:] = cv2.warpAffine(self.masks[index] * 255, matrix, (width, height), flags=flags) > 127
        return BitmapMasks(targets, height, width)


@DATASETS.register_module()
class PhotographScenes(Dataset[dict[str, Any]]):
    """Scenes made of the photographs of all `sources`, with cut-outs of any of them pasted in.

    `classes` are pairs of a class and its categories (see :class:`ClassTable`), `sources` are settings of
    :class:`PictureSource`, `scene` of :class:`LabelledSceneSettings`. The class of a pasted object is drawn by
    `paste_classes` (class name to weight; 1 where it is not named), then one of its cut-outs. What may be unlabelled in
    a scene is what may be in the picture below.

    Raises:
        ConfigError: a source contradicts itself or its file, or a class of `paste_classes` is unknown.
        DataError: a file cannot be read.
    """

    def __init__(
        self,
        sources: Sequence[Mapping[str, Any]],
        classes: Sequence[tuple[str, Sequence[str]]],
        scene: Mapping[str, Any] | None = None,
        paste_classes: Mapping[str, float] | None = None,
    ) -> None:
        table = ClassTable(dict(classes))
        settings = [PictureSource(**source) for source in sources]
        self._parts = [read_pictures(source, table) for source in settings]
        # Pictures in which nothing is labelled teach nothing, unless everything would be.
        self._parts = [
            [picture for picture in part if picture.objects or not picture.unlabelled] for part in self._parts
        ]
        self._weights = [source.weight for source in settings]
        self._pictures = [picture for part in self._parts for picture in part]
        self._scene = LabelledSceneSettings(**(scene or {}))
        cutouts: dict[int, list[tuple[Picture, Labelled]]] = {}
        for picture in self._pictures:
            for entry in picture.objects:
                if _worth_pasting(picture, entry):
                    cutouts.setdefault(entry.label, []).append((picture, entry))
        weights = dict(paste_classes or {})
        strange = [name for name in weights if name not in table.names]
        if strange:
            raise ConfigError(f"paste_classes: {strange[0]!r} is none of the classes {', '.join(table.names)}")
        self._cutouts = [entries for _, entries in sorted(cutouts.items())]
        chances = np.array([weights.get(table.names[label], 1.0) for label in sorted(cutouts)])
        self._chances = chances / chances.sum()
        self._cache: OrderedDict[int, Cutout] = OrderedDict()
        self._pack = PackDetInputs(meta_keys=("img_path", "img_shape", "ori_shape", UNLABELLED))
        self.metainfo = {
            "classes": table.names,
            "frames": len(self._pictures),
            "ann_file": [source.annotations for source in settings],
        }

    @property
    def parts(self) -> Sequence[tuple[int, float]]:
        """As :class:`~vis_pipeline.training.detector.sampling.Frames` says: one for each source."""
        return [(len(part), weight) for part, weight in zip(self._parts, self._weights, strict=True)]

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._pictures)

    def full_init(self) -> None:
        """mmengine asks for it; everything is there from the start."""

    def __getitem__(self, index: int | FrameDraw) -> dict[str, Any]:
        """A scene over a picture as mmdet's inputs; for a draw of `SeededFrames`, with that draw's random numbers."""
        key = (index.seed, AUGMENTATION, index.number) if isinstance(index, FrameDraw) else (index,)
        picture = self._pictures[index.index if isinstance(index, FrameDraw) else index]
        packed: dict[str, Any] = self._pack(_fields(self.scene(picture, np.random.default_rng(key)), picture))
        return packed

    def scene(self, picture: Picture, random: np.random.Generator) -> LabelledScene:
        """A view of a picture with some cut-outs in it, in a light of its own."""
        scene = view(picture, self._scene, random)
        for _ in range(random.choice(len(self._scene.pastes), p=self._scene.pastes)):
            entries = self._cutouts[random.choice(len(self._cutouts), p=self._chances)]
            scene = paste(scene, self._cutout(*entries[random.integers(len(entries))]), self._scene, random)
        return LabelledScene(relit(scene.image, random), scene.objects, scene.unlabelled)

    def _cutout(self, picture: Picture, entry: Labelled) -> Cutout:
        key = id(entry)
        if key not in self._cache:
            self._cache[key] = cut_out(picture, entry)
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return self._cache[key]


def _worth_pasting(picture: Picture, entry: Labelled) -> bool:
    left, top, right, bottom = entry.box
    inside = left > 1 and top > 1 and right < picture.width - 1 and bottom < picture.height - 1
    return inside and not entry.crowd and min(right - left, bottom - top) >= _CUTOUT_SIDE


def _fields(scene: LabelledScene, picture: Picture) -> dict[str, Any]:
    """The scene as mmdet's transforms would have left it."""
    height, width = scene.image.shape[:2]
    drawn = np.zeros((len(scene.objects), height, width), dtype=np.uint8)
    for canvas, entry in zip(drawn, scene.objects, strict=True):
        left, top, right, bottom = entry.box
        canvas[top:bottom, left:right] = entry.mask
    return {
        "img": scene.image,
        "img_path": str(picture.path),
        "img_shape": (height, width),
        "ori_shape": (height, width),
        "gt_bboxes": np.array([entry.box for entry in scene.objects], dtype=np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.array([entry.label for entry in scene.objects], dtype=np.int64),
        "gt_ignore_flags": np.array([entry.crowd for entry in scene.objects], dtype=bool),
        "gt_masks": PointMasks(drawn, height, width),
        UNLABELLED: scene.unlabelled,
    }
