"""How well trackers tell an object's extent in search patches cut at random around it (multi-object paper, Table 4).

Time is left out: the template is the first frame's, and in other frames the search patch is cut around the object,
moved by up to 16 pixels of the patch along each axis and scaled by 2 to the power of up to 0.25 either way (section
6.2, where "scale deformations up to 2^(1 +- 0.25)" is taken to be 2^(+-0.25)).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.bench.boxes import BoxQuality, MaskWithBox, Way, qualities, quality
from vis_pipeline.bench.followers import Contender, TrueObject
from vis_pipeline.errors import DataError
from vis_pipeline.masks.quadrilaterals import quadrilateral_iou
from vis_pipeline.masks.rotated_boxes import minimum_area_box, minmax_box, optimal_box
from vis_pipeline.trackers.siammask.architectures import TEMPLATE_SIDE
from vis_pipeline.trackers.siammask.geometry import context_side
from vis_pipeline.trackers.siammask.predictor import TargetStates
from vis_pipeline.trackers.siammask.rotated_box import corners

SHIFT = 16.0
SCALE = 0.25

_WAYS: Mapping[str, Way] = {"Min-max": minmax_box, "MBR": minimum_area_box, "Opt": optimal_box}


@dataclass(frozen=True)
class Patch:
    """A frame with an object in it, and where it is looked for.

    Attributes:
        image: uint8 [H, W, 3], BGR.
        mask: the true one, bool [H, W].
        box: x, y, w, h, float64 [4], around which the search patch is cut; shaped like the first frame's box.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    box: NDArray[np.float64]


def patches(entry: TrueObject, count: int, generator: Generator) -> list[Patch]:
    """So many patches of an object, in frames drawn at random (none twice), or one in each of the frames it has."""
    places = sorted(entry.shown)
    chosen = sorted(generator.choice(places, size=min(count, len(places)), replace=False).tolist())
    return [_patch(entry, place, generator) for place in chosen]


def compare_on_patches(
    contenders: Sequence[Contender], objects: Iterator[TrueObject], count: int, seed: int
) -> list[BoxQuality]:
    """Table 4: the oracles, then each contender's boxes, a row for each way to make one where it makes masks.

    The true rotated box is the least rectangle around the true mask. Boxes are the located ones, not smoothed towards
    the last frame's. An empty mask has the located box.

    Raises:
        DataError: there are no objects; or what reading them raises.
    """
    generator = np.random.default_rng(seed)
    cases: list[MaskWithBox] = []
    overlaps: dict[str, list[float]] = {}
    for entry in objects:
        drawn = patches(entry, count, generator)
        truths = [minimum_area_box(patch.mask) for patch in drawn]
        first = corners(entry.box)
        cases += [MaskWithBox(patch.mask, truth, first) for patch, truth in zip(drawn, truths, strict=True)]
        image, box = torch.from_numpy(entry.frames[0].image), torch.from_numpy(entry.box[None])
        for contender in contenders:
            begun = contender.predictor.initialise(image, box)
            for patch, truth in zip(drawn, truths, strict=True):
                for name, found in _found(contender, begun, patch).items():
                    overlaps.setdefault(name, []).append(quadrilateral_iou(truth, found))
    if not cases:
        raise DataError("the split given has no object that shows in two frames")
    return [*qualities(cases, {}), *(quality(name, values, 0.0) for name, values in overlaps.items())]


def _found(contender: Contender, begun: TargetStates, patch: Patch) -> dict[str, NDArray[np.float64]]:
    """Corners [4, 2] of the contender's boxes by their names in the table."""
    moved = begun.with_boxes(torch.from_numpy(patch.box[None]))
    prediction = contender.predictor.predict(torch.from_numpy(patch.image), moved)
    located = corners(prediction.located_boxes[0].cpu().numpy())
    if prediction.masks is None:
        return {contender.name: located}
    mask = prediction.masks[0].cpu().numpy()
    return {f"{contender.name}, {name}": way(mask) if mask.any() else located for name, way in _WAYS.items()}


def _patch(entry: TrueObject, place: int, generator: Generator) -> Patch:
    mask = entry.shown[place]
    true = minmax_box(mask)
    size = true[2] - true[0]
    # The last state of a tracker of fixed shape, with the true area; the others' say no more than where to look.
    state = entry.box[2:] * np.sqrt(size.prod() / entry.box[2:].prod()) * 2 ** generator.uniform(-SCALE, SCALE)
    # A search patch has as many image pixels a pixel as an exemplar has.
    pixel = context_side(*state) / TEMPLATE_SIDE
    centre = true.mean(axis=0) + generator.uniform(-SHIFT, SHIFT, 2) * pixel
    return Patch(entry.frames[place].image, mask, np.concatenate([centre - state / 2, state]))
