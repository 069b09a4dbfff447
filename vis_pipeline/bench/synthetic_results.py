"""Made-up ground truth and predictions of any size for timing evaluators: masks written straight as run-lengths."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask


@dataclass(frozen=True)
class Workload:
    """How much there is to score; `predictions` and `truths` are of each video, spread over the categories.

    Attributes:
        stretch: height of the objects as a multiple of what they are drawn with; more pixels, but not more runs.
    """

    videos: int = 300
    frames: int = 27
    predictions: int = 10
    truths: int = 3
    categories: int = 1
    height: int = 720
    width: int = 1280
    stretch: float = 1.0


def make_json(work: Workload, seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ground truth and results as parsed YouTube-VIS JSON.

    Objects are blobs of 80 to 240 pixels' radius that drift. Two predictions in three follow a ground truth more or
    less closely, a few of them under a wrong category; the others are on their own.
    """
    generator = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for video in range(1, work.videos + 1):
        objects = [_Blob.random(work, generator) for _ in range(work.truths)]
        categories = generator.integers(1, work.categories + 1, size=work.truths)
        for blob, category in zip(objects, categories.tolist(), strict=True):
            annotations.append(_entry(video, category, blob, work) | {"id": len(annotations) + 1, "iscrowd": 0})
        for _ in range(work.predictions):
            category = int(generator.integers(1, work.categories + 1))
            blob = _Blob.random(work, generator)
            if generator.random() < 2 / 3:
                followed = int(generator.integers(work.truths))
                blob = objects[followed].perturbed(generator)
                if generator.random() < 0.9:
                    category = int(categories[followed])
            results.append(_entry(video, category, blob, work) | {"score": float(generator.random())})
    return {
        "videos": [
            {
                "id": video,
                "width": work.width,
                "height": work.height,
                "length": work.frames,
                "file_names": [f"{video}/{frame:05d}.jpg" for frame in range(work.frames)],
            }
            for video in range(1, work.videos + 1)
        ],
        "categories": [{"id": index, "name": f"class {index}"} for index in range(1, work.categories + 1)],
        "annotations": annotations,
    }, results


@dataclass(frozen=True)
class _Blob:
    """An object: centre x, y and drift a frame in pixels, radii, and the waves of its outline."""

    centre: NDArray[np.float64]
    drift: NDArray[np.float64]
    radii: NDArray[np.float64]
    phase: float

    @staticmethod
    def random(work: Workload, generator: np.random.Generator) -> "_Blob":
        return _Blob(
            centre=generator.uniform(0.25, 0.75, 2) * (work.width, work.height),
            drift=generator.normal(0, 4, 2),
            radii=generator.uniform(80, 240, 2) * (1, 0.6 * work.stretch),
            phase=generator.uniform(0, 6),
        )

    def perturbed(self, generator: np.random.Generator) -> "_Blob":
        amount = generator.choice([0.03, 0.1, 0.3])
        return _Blob(
            centre=self.centre + generator.normal(0, amount, 2) * self.radii,
            drift=self.drift + generator.normal(0, amount, 2),
            radii=self.radii * np.exp(generator.normal(0, amount, 2)),
            phase=self.phase,
        )

    def runs(self, frame: int, height: int, width: int) -> list[int]:
        """Uncompressed COCO run-lengths: one run a column."""
        x, y = self.centre + frame * self.drift
        left = int(np.clip(np.ceil(x - self.radii[0]), 0, width - 1))
        right = int(np.clip(np.floor(x + self.radii[0]), left, width - 1))
        columns = np.arange(left, right + 1)
        half = self.radii[1] * np.sqrt(np.clip(1 - ((columns - x) / self.radii[0]) ** 2, 0, 1))
        waves = 1 + 0.1 * np.sin(columns / 9 + self.phase + frame / 3)
        top = np.clip(np.round(y - half * waves), 0, height - 2).astype(np.int64)
        bottom = np.clip(np.round(y + half / waves), top + 1, height - 1).astype(np.int64)
        edges = np.stack([columns * height + top, columns * height + bottom], axis=1).ravel()
        return [int(run) for run in np.diff(edges, prepend=0, append=height * width)]


def _entry(video: int, category: int, blob: _Blob, work: Workload) -> dict[str, Any]:
    size = [work.height, work.width]
    masks = [{"size": size, "counts": blob.runs(frame, work.height, work.width)} for frame in range(work.frames)]
    packed = coco_mask.frPyObjects(masks, work.height, work.width)
    texts = [{"size": list(size), "counts": rle["counts"].decode("ascii")} for rle in packed]
    return {"video_id": video, "category_id": category, "segmentations": texts}
