"""Which frame a training sees when, and the random numbers that go with it: functions of the seed alone."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

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


class Frames(Protocol):
    """A dataset of frames in one or more parts."""

    @property
    def parts(self) -> Sequence[tuple[int, float]]:
        """Number of frames of each part, in the dataset's order, and its weight among the draws."""
        ...


@DATA_SAMPLERS.register_module()
class SeededFrames(Sampler[FrameDraw]):
    """Shuffled passes over a dataset without end, as mmengine's `InfiniteSampler`, whose draws carry their own seed.

    So a frame's augmentation depends on nothing but (seed, number), whatever process loads it, and resuming is exact.
    Where several processes train together they take the draws in turn.
    Of a dataset in parts each is passed over at its own pace, given by its share of the weights.
    """

    def __init__(self, dataset: Frames, seed: int) -> None:
        self._parts = dataset.parts
        self._seed = seed
        self._first = 0
        self._rank, self._processes = get_dist_info()

    def __iter__(self) -> Iterator[FrameDraw]:
        first = self._first * self._processes + self._rank
        for number, index in islice(enumerate(self._indices()), first, None, self._processes):
            yield FrameDraw(index, self._seed, number)

    def __len__(self) -> int:
        """The frames of one pass."""
        return sum(size for size, _ in self._parts)

    def skip(self, num_samples: int) -> None:
        """Start after `num_samples` draws of this process; mmengine calls this when it resumes."""
        self._first = num_samples

    def _indices(self) -> Iterator[int]:
        if len(self._parts) == 1:
            yield from _shuffled(self._parts[0][0], self._seed)
        sizes, weights = np.array(self._parts).T
        starts = np.cumsum(sizes, dtype=np.int64) - sizes.astype(np.int64)
        seeds = np.random.SeedSequence(self._seed).generate_state(len(sizes) + 1).tolist()
        passes = [_shuffled(int(size), seed) for size, seed in zip(sizes, seeds, strict=False)]
        chooser = np.random.default_rng(seeds[-1])
        while True:
            part = int(chooser.choice(len(passes), p=weights / weights.sum()))
            yield int(starts[part]) + next(passes[part])


def _shuffled(size: int, seed: int) -> Iterator[int]:
    generator = torch.Generator()
    generator.manual_seed(seed)
    while True:
        yield from torch.randperm(size, generator=generator).tolist()
