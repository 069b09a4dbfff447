"""A small split on disk whose objects are coloured squares, and batches of noise, for the tests of tracker training."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from vis_pipeline import masks
from vis_pipeline.settings.config import parse
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.training.tracker.settings import TrackerTraining

HEIGHT, WIDTH, LENGTH = 96, 128, 6
HIDDEN_FRAME = 3
COLOURS = ((0, 0, 255), (0, 255, 0), (255, 0, 0))


def write_split(folder: Path, videos: int = 2) -> tuple[Path, Path]:
    """Write `videos` videos of three squares of two classes each; the third is hidden in one frame."""
    rng = np.random.default_rng(7)
    content = {"videos": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 5, "name": "b"}]}
    for video in range(1, videos + 1):
        names = [f"{video:03d}/{frame:05d}.png" for frame in range(LENGTH)]
        content["videos"].append({"id": video, "width": WIDTH, "height": HEIGHT, "length": LENGTH, "file_names": names})
        tracks = [[None] * LENGTH for _ in COLOURS]
        for frame, name in enumerate(names):
            image = rng.integers(90, 120, (HEIGHT, WIDTH, 3)).astype(np.uint8)
            for number, colour in enumerate(COLOURS):
                if number == 2 and frame == HIDDEN_FRAME:
                    continue
                x, y = 8 + 40 * number + frame, 20 + 10 * number + 2 * frame
                side = 16 + 2 * number
                image[y : y + side, x : x + side] = colour
                mask = np.zeros((1, HEIGHT, WIDTH), dtype=np.bool_)
                mask[0, y : y + side, x : x + side] = True
                tracks[number][frame] = masks.encode(mask)[0]
            path = folder / "frames" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
        for number, track in enumerate(tracks):
            content["annotations"].append(
                {
                    "id": 10 * video + number,
                    "video_id": video,
                    "category_id": (1, 1, 5)[number],
                    "segmentations": track,
                    "iscrowd": 0,
                }
            )
    split = folder / "instances.json"
    split.write_text(json.dumps(content))
    return split, folder / "frames"


def write_config(folder: Path, text: str) -> str:
    """A split in `folder`, and a config whose text has `{split!r}` and `{frames!r}` for where it lies."""
    split, frames = write_split(folder)
    path = folder / "tiny.py"
    path.write_text(text.format(split=str(split), frames=str(frames)))
    return str(path)


def settings_of(**values) -> TrackerTraining:
    """The settings of a training of the small network without data; `values` as in a config."""
    content = {"architecture": "small", "device": "cpu", "sources": (), "schedule": {"steps": 4}, **values}
    return parse(TrackerTraining, content, "config of a test")


def random_batch(side: int, count: int = 2, seed: int = 0) -> PairBatch:
    """Crops of noise with a 50x60 target in the middle; every second pair is negative."""
    generator = torch.Generator().manual_seed(seed)

    def noise(size: int) -> torch.Tensor:
        return torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)

    middle = float(side // 2)
    return PairBatch(
        exemplars=noise(127),
        searches=noise(side),
        seconds=noise(127),
        search_masks=torch.rand(count, side + 64, side + 64, generator=generator) < 0.3,
        second_masks=torch.rand(count, 127, 127, generator=generator) < 0.3,
        boxes=torch.tensor([[middle, middle, 50.0, 60.0]]).repeat(count, 1),
        positive=torch.arange(count) % 2 == 0,
    )
