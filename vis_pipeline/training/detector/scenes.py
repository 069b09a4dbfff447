"""Views of pictures with cut-outs of other pictures pasted in: what a detector learns from, made anew at each draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.files.images import read_image
from vis_pipeline.training.detector.pictures import Labelled, Picture

GREY = 127
_HIDDEN, _SCARCE = 0.1, 0.4
"""Shares of an object that show: under the first it is gone, under the second it is ignored."""


@dataclass(frozen=True)
class LabelledSceneSettings:
    """How scenes vary.

    Attributes:
        size: side of the scene, pixels.
        long_side: range of the picture's long side, pixels; the logarithm is uniform.
        near_object: share of the views that are moved so that a labelled object is in them.
        pastes: probabilities of 0, 1, 2, ... cut-outs.
        paste_side: range of the longer side of a cut-out's box, pixels; the logarithm is uniform.
        turn: greatest turn of a cut-out, degrees.
        smallest: objects whose box has a side under so many pixels are ignored.
    """

    size: int = 352
    long_side: tuple[float, float] = (320.0, 640.0)
    near_object: float = 0.8
    pastes: tuple[float, ...] = (0.4, 0.25, 0.2, 0.15)
    paste_side: tuple[float, float] = (40.0, 280.0)
    turn: float = 12.0
    smallest: float = 6.0


@dataclass(frozen=True)
class LabelledScene:
    """An image uint8 [S, S, 3] BGR; its objects (`crowd` marks all that is to be ignored); classes not labelled."""

    image: NDArray[np.uint8]
    objects: tuple[Labelled, ...]
    unlabelled: tuple[int, ...]


def view(picture: Picture, settings: LabelledSceneSettings, random: np.random.Generator) -> LabelledScene:
    """A part of a picture, or all of it on grey, scaled, perhaps mirrored; objects are cut where it ends.

    Raises:
        DataError: the picture cannot be read.
    """
    image = read_image(picture.path)
    scale = _log_uniform(settings.long_side, random) / max(picture.height, picture.width)
    target = None
    if picture.objects and random.random() < settings.near_object:
        target = picture.objects[random.integers(len(picture.objects))].box
    shift = [
        _shift(
            length * scale,
            settings.size,
            None if target is None else (target[axis] * scale, target[axis + 2] * scale),
            random,
        )
        for axis, length in enumerate((picture.width, picture.height))
    ]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    if random.random() < 0.5:
        matrix = _mirrored(matrix, settings.size)
    pixels = _warped(image, matrix, (settings.size, settings.size), GREY)
    objects = [_seen(entry, matrix, settings.size) for entry in picture.objects]
    kept = tuple(_judged(entry, settings) for entry in objects if entry is not None)
    return LabelledScene(pixels, kept, picture.unlabelled)


@dataclass(frozen=True)
class Cutout:
    """An object cut out of its picture: BGR uint8 [h, w, 3] and mask bool [h, w] of its box with a rim; its class."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    label: int


def cut_out(picture: Picture, entry: Labelled, longest: int = 320, rim: int = 2) -> Cutout:
    """Cut an object out, shrunk so that the longer side of its box is at most `longest` pixels.

    Raises:
        DataError: the picture cannot be read.
    """
    left, top, right, bottom = entry.box
    padded = cv2.copyMakeBorder(read_image(picture.path), rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    pixels = padded[top : bottom + 2 * rim, left : right + 2 * rim]
    mask = np.pad(entry.mask, rim)
    scale = longest / max(mask.shape)
    if scale < 1:
        shape = (max(round(mask.shape[1] * scale), 1), max(round(mask.shape[0] * scale), 1))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask.astype(np.uint8) * 255, shape, interpolation=cv2.INTER_AREA) > 127
    return Cutout(np.ascontiguousarray(pixels), np.asarray(mask), entry.label)


def paste(
    scene: LabelledScene, cutout: Cutout, settings: LabelledSceneSettings, random: np.random.Generator
) -> LabelledScene:
    """Lay a cut-out over a scene at a random place, scaled, turned, perhaps mirrored, in another light.

    What it covers shows no longer: objects lose that part, and go or are ignored where little is left of them.
    """
    size = settings.size
    height, width = cutout.mask.shape
    scale = min(_log_uniform(settings.paste_side, random) / max(height, width), 1.5)
    centre = random.uniform(0.05, 0.95, 2) * size
    angle = np.deg2rad(random.uniform(-settings.turn, settings.turn))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    turned = np.array([[cosine, -sine], [sine, cosine]])
    if random.random() < 0.5:
        turned[:, 0] *= -1
    matrix = np.hstack([turned, (centre - turned @ [width / 2, height / 2])[:, None]])
    alpha = _warped(_soft(cutout.mask), matrix, (size, size), 0).astype(np.float32) / 255
    covered = alpha > 0.5
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not covered.any() or not len(rows):
        return scene
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    pixels = _warped(cutout.pixels, matrix, (size, size), 0, cv2.BORDER_REPLICATE)[part].astype(np.float32)
    pixels = pixels * random.uniform(0.75, 1.25) + random.uniform(-15, 15, 3).astype(np.float32)
    image = scene.image.copy()
    opaque = alpha[part][..., None]
    image[part] = np.clip(image[part] * (1 - opaque) + pixels * opaque, 0, 255).astype(np.uint8)
    left = [entry for entry in (_uncovered(entry, covered) for entry in scene.objects) if entry is not None]
    whole = Labelled(cutout.label, (0, 0, size, size), covered, False)
    new = _judged(_tight(whole), settings)
    return LabelledScene(image, (*left, new), scene.unlabelled)


def relit(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """The image in another light: gain, gamma and balance by a table, saturation, at times grey, blurred or noisy."""
    levels = np.arange(256, dtype=np.float64) / 255
    gamma, gain = np.exp(random.uniform(-0.35, 0.35)), np.exp(random.uniform(-0.25, 0.25))
    balance = np.exp(random.uniform(-0.1, 0.1, 3))
    table = np.clip(255 * gain * levels[:, None] ** gamma * balance, 0, 255).astype(np.uint8)
    lit = cv2.LUT(image, table[None].repeat(1, axis=0))
    saturation = 0.0 if random.random() < 0.04 else random.uniform(0.6, 1.4)
    grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    lit = cv2.addWeighted(lit, saturation, grey, 1 - saturation, 0)
    chance = random.random()
    if chance < 0.1:
        lit = cv2.GaussianBlur(lit, (0, 0), random.uniform(0.5, 1.5))
    elif chance < 0.2:
        lit = np.clip(lit + random.normal(0, random.uniform(2, 10), lit.shape), 0, 255).astype(np.uint8)
    return np.asarray(lit)


def _log_uniform(bounds: Sequence[float], random: np.random.Generator) -> float:
    return float(np.exp(random.uniform(*np.log(bounds))))


def _shift(length: float, size: int, target: tuple[float, float] | None, random: np.random.Generator) -> float:
    """Where the scaled picture begins along an axis: anywhere inside, or so that the target's middle is in the view."""
    low, high = min(size - length, 0.0), max(size - length, 0.0)
    if target is not None and length > size:
        middle = random.uniform(*target)
        low, high = max(low, 0.1 * size - middle), min(high, 0.9 * size - middle)
        low, high = min(low, high), max(low, high)
        low, high = np.clip([low, high], size - length, 0.0)
    return float(random.uniform(low, high))


def _mirrored(matrix: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    mirror = np.array([[-1.0, 0, size], [0, 1, 0], [0, 0, 1]])
    return np.asarray((mirror @ np.vstack([matrix, [0, 0, 1]]))[:2])


def _warped(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    shape: tuple[int, int],
    value: int,
    border: int = cv2.BORDER_CONSTANT,
) -> NDArray[np.uint8]:
    """Warp by a matrix between continuous coordinates (a pixel's centre lies at a half), shape (width, height)."""
    half = np.array([0.5, 0.5])
    moved = matrix.copy()
    moved[:, 2] += moved[:, :2] @ half - half
    return np.asarray(
        cv2.warpAffine(image, moved, shape, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(value,) * 3)
    )


def _seen(entry: Labelled, matrix: NDArray[np.float64], size: int) -> Labelled | None:
    """The object in the view, None where it is not in it."""
    left, top, right, bottom = entry.box
    corners = matrix[:, :2] @ [[left, right], [top, bottom]] + matrix[:, 2:]
    low = np.clip(np.floor(corners.min(axis=1)).astype(int), 0, size)
    high = np.clip(np.ceil(corners.max(axis=1)).astype(int), 0, size)
    if (high <= low).any():
        return None
    moved = matrix.copy()
    moved[:, 2] += moved[:, :2] @ [left, top] - low
    shape = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = _warped(entry.mask.astype(np.uint8) * 255, moved, shape, 0) > 127
    if not mask.any():
        return None
    return _tight(replace(entry, box=(int(low[0]), int(low[1]), int(high[0]), int(high[1])), mask=mask))


def _tight(entry: Labelled) -> Labelled:
    """With the box of the mask; there must be one pixel at least."""
    rows, columns = np.flatnonzero(entry.mask.any(axis=1)), np.flatnonzero(entry.mask.any(axis=0))
    left, top = entry.box[0] + int(columns[0]), entry.box[1] + int(rows[0])
    window = entry.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return replace(entry, box=(left, top, left + window.shape[1], top + window.shape[0]), mask=window)


def _judged(entry: Labelled, settings: LabelledSceneSettings) -> Labelled:
    left, top, right, bottom = entry.box
    return replace(entry, crowd=entry.crowd or min(right - left, bottom - top) < settings.smallest)


def _uncovered(entry: Labelled, covered: NDArray[np.bool_]) -> Labelled | None:
    left, top, right, bottom = entry.box
    rest = entry.mask & ~covered[top:bottom, left:right]
    share = rest.sum() / entry.mask.sum()
    if share < _HIDDEN:
        return None
    return _tight(replace(entry, mask=rest, crowd=entry.crowd or bool(share < _SCARCE)))


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """An alpha with a soft edge, a pixel in from the outline: outlines run over into the background."""
    drawn = cv2.erode(mask.astype(np.uint8) * 255, np.ones((3, 3), np.uint8), borderValue=(0,))
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 0.8))
