"""Targets of several frames in the network's batches."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from vis_pipeline.trackers.siammask.crops import crop


def even_sizes(count: int, most: int) -> list[int]:
    """Sizes of as few batches of `most` targets or less as hold `count`, alike but for one.

    A batch of one costs a CPU twice as much a target as larger ones do: a small rest is to be avoided.
    """
    if count == 0:
        return []
    number = -(-count // most)
    size, larger = divmod(count, number)
    return [size + 1] * larger + [size] * (number - larger)


def batches(counts: Sequence[int], most: int) -> Iterator[list[tuple[int, slice]]]:
    """Groups of so many targets, one after another, cut into batches of :func:`even_sizes`.

    A batch is its pieces: a group's index, and the slice of the group's targets that are in the batch.
    """
    ends = list(accumulate(counts))
    start = 0
    for size in even_sizes(sum(counts), most):
        yield [
            (group, slice(max(start - end + count, 0), min(start + size - end + count, count)))
            for group, (count, end) in enumerate(zip(counts, ends, strict=True))
            if end - count < start + size and start < end and count
        ]
        start += size


def spans(counts: Sequence[int]) -> list[slice]:
    """Where groups of so many targets lie, one after another."""
    ends = list(accumulate(counts))
    return [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]


def crop_each(
    images: Sequence[Tensor], counts: Sequence[int], centres: Tensor, sides: Tensor, padding: Tensor, size: int
) -> Tensor:
    """Crops of N targets, so many in each image; see :func:`~vis_pipeline.trackers.siammask.crops.crop`."""
    parts = zip(images, spans(counts), strict=True)
    return torch.cat([crop(image, centres[part], sides[part], padding[part], size) for image, part in parts])


def limits_each(images: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Width and height of the image of each of N targets, so many in each image: float64 [N, 2].

    They are filled in on the device, so that nothing is copied to it.
    """
    full = [
        [torch.full((count,), image.shape[axis], dtype=torch.float64, device=image.device) for axis in (1, 0)]
        for image, count in zip(images, counts, strict=True)
    ]
    return torch.cat([torch.stack(sides, dim=1) for sides in full])
