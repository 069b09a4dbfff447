"""Pixels of many pictures in one tensor of a device, so that windows of pictures of any sizes are cut in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Key = TypeVar("Key")
Reader = Callable[[Sequence[Key]], Sequence[NDArray[np.uint8]]]


@dataclass(frozen=True)
class Shelf:
    """Pictures of a request that lie in one tensor.

    Attributes:
        pixels: uint8 [P, C] on the device, pictures row by row, one after another.
        rows: int64 [M], which of the request's keys these are; on the host.
        offsets: int64 [M], where each picture begins in `pixels`; on the host.
    """

    pixels: Tensor
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]


class PixelPool(Generic[Key]):
    """Keeps pictures on a device, first come, first served, in a room of `capacity` pixels that is taken at once.

    `read` gives the pictures that will stay, `recall` those that find no room and come anew with each request; both
    return uint8 [H, W, C] or [H, W] in the order of their keys.
    """

    def __init__(
        self, capacity: int, channels: int, device: torch.device, read: Reader[Key], recall: Reader[Key]
    ) -> None:
        self._pixels = torch.empty((capacity, channels), dtype=torch.uint8, device=device)
        self._read = read
        self._recall = recall
        self._used = 0
        self._offsets: dict[Key, int] = {}

    def shelves(self, keys: Sequence[Key], sizes: Sequence[int]) -> list[Shelf]:
        """Where the pictures of the keys lie, which have `sizes` pixels: at most two tensors."""
        self._admit(dict(zip(keys, sizes, strict=True)))
        found = []
        kept = np.array([key in self._offsets for key in keys])
        if kept.any():
            offsets = np.array([self._offsets[key] for key in keys if key in self._offsets])
            found.append(Shelf(self._pixels, np.flatnonzero(kept), offsets))
        if not kept.all():
            passing = [key for key in keys if key not in self._offsets]
            once = list(dict.fromkeys(passing))
            pictures = [self._flat(picture) for picture in self._recall(once)]
            starts = dict(zip(once, np.cumsum([0, *map(len, pictures)])[:-1].tolist(), strict=True))
            pixels = torch.from_numpy(np.concatenate(pictures)).to(self._pixels.device)
            found.append(Shelf(pixels, np.flatnonzero(~kept), np.array([starts[key] for key in passing])))
        return found

    def _admit(self, sizes: dict[Key, int]) -> None:
        """Read what is not here yet and still finds room."""
        room = len(self._pixels) - self._used
        new = []
        for key, size in sizes.items():
            if key not in self._offsets and size <= room:
                new.append(key)
                room -= size
        for key, picture in zip(new, self._read(new), strict=True):
            flat = torch.from_numpy(self._flat(picture))
            self._pixels[self._used : self._used + len(flat)] = flat.to(self._pixels.device)
            self._offsets[key] = self._used
            self._used += len(flat)

    def _flat(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(picture).reshape(-1, self._pixels.shape[1])
