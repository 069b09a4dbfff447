"""Small folders in VOT's forms, trackers that do as they are told, and the reset rule frame by frame."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.rotated_box import corners
from vis_pipeline.trackers.single_object import ObjectInFrame

SIZE = (64, 48)


def walk(frames: int) -> np.ndarray:
    """True boxes x, y, w, h, [F, 4], that go across the picture."""
    steps = np.arange(frames)
    return np.stack([4 + 0.5 * steps, 8 + 0.25 * steps, np.full(frames, 16), np.full(frames, 12)], axis=1).astype(float)


def polygons(boxes: np.ndarray) -> np.ndarray:
    """The corners of boxes, [F, 8]."""
    return np.stack([corners(box).ravel() for box in boxes])


def write_truth(path: Path, regions: Iterable[Iterable[float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{value:g}" for value in region) + "\n" for region in regions))


def write_images(folder: Path, count: int, size: tuple[int, int] = SIZE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        picture = np.full((size[1], size[0], 3), number, dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"{number:08}.jpg"), picture)


def write_sequence(data: Path, name: str, regions: np.ndarray, images: int | None = None) -> Path:
    """A sequence in the form that the toolkit fetches, without `list.txt`."""
    folder = data / name
    write_truth(folder / "groundtruth.txt", regions)
    write_images(folder / "color", len(regions) if images is None else images)
    (folder / "sequence").write_text("channels.color=color/%08d.jpg\nformat=default\nfps=30\nname=x\n")
    return folder


def told(where: Callable[[int, int], np.ndarray], begun: list[np.ndarray] | None = None) -> Trackers:
    """A tracker whose box x, y, w, h is that of `where`, by the frames, from 0, of its start and of the moment."""

    def follow(frames: Iterable[Frame], box: np.ndarray) -> Iterator[ObjectInFrame]:
        if begun is not None:
            begun.append(box)
        start = None
        for frame in frames:
            number = int(frame.name.split(".")[0]) - 1
            start = number if start is None else start
            here = where(start, number)
            yield ObjectInFrame(frame, here, 1.0, None, corners(here))

    return Trackers(follow, None, "state")


def pixels(region: Iterable[float], size: tuple[int, int] = SIZE) -> set[tuple[int, int]]:
    """The pixels of an image in a box x, y, w, h or an upright polygon."""
    values = [round(value) for value in region]
    if len(values) == 8:
        left, top, right, bottom = min(values[::2]), min(values[1::2]), max(values[::2]) + 1, max(values[1::2]) + 1
    else:
        left, top, right, bottom = values[0], values[1], values[0] + values[2], values[1] + values[3]
    return {(x, y) for x in range(size[0]) for y in range(size[1]) if left <= x < right and top <= y < bottom}


def with_resets(where: Callable[[int, int], np.ndarray], truth: np.ndarray) -> list[object]:
    """What the supervised experiment writes: the codes 0, 1, 2, or a box as a list."""
    lines: list[object] = [0] * len(truth)
    frame = 0
    while frame < len(truth):
        start = frame
        lines[frame] = 1
        frame += 1
        while frame < len(truth):
            box = where(start, frame)
            if not pixels(box) & pixels(truth[frame]):
                lines[frame] = 2
                frame += 5
                break
            lines[frame] = [round(value, 4) for value in box.tolist()]
            frame += 1
    return lines
