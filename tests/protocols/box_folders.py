"""Sequences of images with a square that moves, in the forms of the benchmarks, and followers that need no network."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.protocols.benchmark import BoxKind, Trackers
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.single_object import ObjectInFrame

SIZE = (48, 64)


def square_boxes(count: int, start: int = 4) -> NDArray[np.float64]:
    """x, y, w, h of the square in each frame, float64 [F, 4]; pixels from 0."""
    return np.array([[start + 2 * index, 6 + index, 12, 10] for index in range(count)], dtype=np.float64)


def write_images(folder: Path, boxes: NDArray[np.float64], digits: int = 8, first: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (x, y, w, h) in enumerate(boxes.astype(int), start=first):
        image = np.full((*SIZE, 3), 40, dtype=np.uint8)
        image[y : y + h, x : x + w] = (30, 200, 250)
        cv2.imwrite(str(folder / f"{number:0{digits}}.png"), image)


def repeat_image(folder: Path, count: int, digits: int) -> None:
    """The same image so many times."""
    write_images(folder, square_boxes(1), digits)
    first = (folder / f"{1:0{digits}}.png").read_bytes()
    for number in range(2, count + 1):
        (folder / f"{number:0{digits}}.png").write_bytes(first)


def rows(boxes: NDArray[np.float64], offset: float = 0, between: str = ",") -> str:
    return "".join(between.join(f"{v:g}" for v in (x + offset, y + offset, w, h)) + "\n" for x, y, w, h in boxes)


def otb(data: Path, *names: str, count: int = 4) -> Path:
    for name in names:
        write_images(data / name / "img", square_boxes(count))
        (data / name / "groundtruth_rect.txt").write_text(rows(square_boxes(count), offset=1))
    return data


def got10k(data: Path, *names: str, count: int = 4, with_truth: bool = True) -> Path:
    for name in names:
        boxes = square_boxes(count)
        write_images(data / name, boxes)
        (data / name / "groundtruth.txt").write_text(rows(boxes if with_truth else boxes[:1]))
        if with_truth:
            (data / name / "cover.label").write_text("8\n" * count)
            (data / name / "meta_info.ini").write_text(f"[METAINFO]\nresolution: ({SIZE[1]}, {SIZE[0]})\n")
    return data


def seen(frame: Frame) -> NDArray[np.bool_]:
    """The square's pixels."""
    return frame.image[:, :, 1] > 120


def follow_square(frames: Iterable[Frame], box: NDArray[np.float64]) -> Iterator[ObjectInFrame]:
    """Finds the square in each frame by its colour; its own box is a pixel larger on all sides than the mask."""
    for index, frame in enumerate(frames):
        if index == 0:
            yield ObjectInFrame(frame, box, 1.0, None, np.zeros((4, 2)))
            continue
        mask = seen(frame)
        y, x = np.nonzero(mask)
        found = np.array([x.min() - 1, y.min() - 1, np.ptp(x) + 3, np.ptp(y) + 3], dtype=np.float64)
        diamond = np.array([[20, 5], [30, 15], [20, 25], [10, 15]], dtype=np.float64)
        yield ObjectInFrame(frame, found, 0.9, masks.encode(mask[None])[0], diamond)


def trackers(boxes: BoxKind = "state") -> Trackers:
    return Trackers(follow_square, None, boxes)


def uav123(data: Path, rows_of: dict[str, NDArray[np.float64]], folders: dict[str, int]) -> Path:
    """Boxes by sequence, and folders with so many images."""
    (data / "anno/UAV123").mkdir(parents=True)
    for name, boxes in rows_of.items():
        (data / f"anno/UAV123/{name}.txt").write_text(rows(boxes, 1))
    for name, count in folders.items():
        repeat_image(data / "data_seq/UAV123" / name, count, digits=6)
    return data


def nfs(data: Path, name: str, rate: int, boxes: NDArray[np.float64], images: int) -> Path:
    write_images(data / name / str(rate) / name, square_boxes(images), digits=5)
    lines = [f'0 {x:g} {y:g} {x + w:g} {y + h:g} {n} 0 1 0 "a cup"\n' for n, (x, y, w, h) in enumerate(boxes, 1)]
    (data / name / str(rate) / f"{name}.txt").write_text("".join(lines))
    return data


def trackingnet(data: Path, chunk: str, *names: str, count: int = 4, with_truth: bool = True) -> Path:
    for name in names:
        boxes = square_boxes(count)
        write_images(data / chunk / "frames" / name, boxes, digits=0, first=0)
        (data / chunk / "anno").mkdir(exist_ok=True)
        (data / chunk / "anno" / f"{name}.txt").write_text(rows(boxes if with_truth else boxes[:1]))
    return data
