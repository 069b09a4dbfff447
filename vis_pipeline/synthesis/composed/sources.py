"""Where cut-outs come from: an instance of a photograph, or a sprite with transparency."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import open_picture, read_image
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed.cutouts import Cutout, lift, soft_mask

REACH = 5
"""Objects nearer to each other than this, in pixels, may be in front of each other."""

UNREADABLE = (OSError, DataError)
"""What is raised for a file that is no sound picture."""

_WHOLE_SHARE = 0.92
_NEIGHBOURED_SHARE = 0.12
_DRAWS = 8


class Source(Protocol):
    """Something to cut out.

    Attributes:
        category_id: its class.
        path: its file.
    """

    @property
    def category_id(self) -> int: ...  # noqa: D102

    @property
    def path(self) -> Path: ...  # noqa: D102

    def is_whole(self) -> bool:
        """Whether the object seems to be there wholly: nothing in front of it."""
        ...

    def cut_out(self, size: float) -> Cutout | None:
        """The object at `size` (root of area, pixels) or its own, if that is less; None if nothing is left of it.

        Raises:
            DataError: the file cannot be read, or is not what it was taken for.
        """
        ...


@dataclass(frozen=True)
class InstanceSource:
    """An annotated object of a photograph; `neighbours` are the masks of those whose boxes are near its own."""

    path: Path
    category_id: int
    mask: Rle
    neighbours: tuple[Rle, ...]

    def is_whole(self) -> bool:
        """Whether it is mostly in one piece, and no neighbour lies along much of its outline."""
        return is_whole(masks.decode(self.mask), [masks.decode(neighbour) for neighbour in self.neighbours])

    def cut_out(self, size: float) -> Cutout | None:
        """As :class:`Source` says."""
        image = read_image(self.path)
        if list(image.shape[:2]) != self.mask["size"]:
            height, width = self.mask["size"]
            raise DataError(
                f"image {self.path}: {image.shape[1]}x{image.shape[0]} pixels, its annotations say {width}x{height}"
            )
        return lift(image, soft_mask(masks.decode(self.mask)), size)


@dataclass(frozen=True)
class SpriteSource:
    """A picture with an alpha channel."""

    path: Path
    category_id: int

    def is_whole(self) -> bool:
        """As :class:`Source` says: a sprite is."""
        return True

    def cut_out(self, size: float) -> Cutout | None:
        """As :class:`Source` says."""
        try:
            with open_picture(self.path) as picture:
                pixels = np.asarray(picture.convert("RGBA"))
        except UNREADABLE as error:
            raise DataError(f"sprite {self.path}: cannot be read ({error})") from error
        bgr: NDArray[np.uint8] = np.ascontiguousarray(pixels[..., 2::-1])
        return lift(bgr, pixels[..., 3].astype(np.float32) / np.float32(255), size)


@dataclass(frozen=True)
class Library:
    """Everything there is to cut out; `groups` has the sources of each class that has any, at least one."""

    categories: tuple[Category, ...]
    groups: tuple[tuple[Source, ...], ...]

    def draw(self, rng: np.random.Generator) -> tuple[Source, tuple[Source, ...]]:
        """A source and its whole class, rare classes more often than their share (the square root of it counts).

        Sources that are whole are preferred.
        """
        weights = np.sqrt([len(group) for group in self.groups])
        group = self.groups[int(rng.choice(len(self.groups), p=weights / weights.sum()))]
        return draw_whole(rng, group), group


def draw_whole(rng: np.random.Generator, group: Sequence[Source]) -> Source:
    """One of a few sources drawn: the first that is whole, or else the last."""
    for _ in range(_DRAWS):
        source = group[int(rng.integers(len(group)))]
        if source.is_whole():
            break
    return source


def is_whole(mask: NDArray[np.bool_], neighbours: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether a mask is mostly in one piece, and no neighbour's lies along much of its outline; all bool [H, W].

    Where one does, it is likely to be in front of the object.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = tuple(slice(max(along[0] - REACH, 0), along[-1] + REACH + 1) for along in (rows, columns))
    drawn = mask[part].astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(drawn, connectivity=8)
    if statistics[1:, cv2.CC_STAT_AREA].max() < _WHOLE_SHARE * drawn.sum():
        return False
    rim = cv2.dilate(drawn, np.ones((REACH, REACH), np.uint8)) > drawn
    taken = np.any([neighbour[part] for neighbour in neighbours], axis=0) if neighbours else np.zeros_like(rim)
    return bool(taken[rim].mean() <= _NEIGHBOURED_SHARE)


def library(categories: tuple[Category, ...], sources: tuple[Source, ...]) -> Library:
    """A library of the sources, which are kept in their order."""
    groups: dict[int, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.category_id, []).append(source)
    return Library(categories, tuple(tuple(groups[identifier]) for identifier in sorted(groups)))
