"""What a frame shows of the tracks: measured on the device, read back once; and the masks that are shown, once more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.affinity import in_stacks, mask_areas, mask_iou, shifted
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.detections import Detections
from vis_pipeline.trackers.lifecycle.appearance import colour_histograms
from vis_pipeline.trackers.lifecycle.decision import Candidates
from vis_pipeline.trackers.lifecycle.propagation import Propagated

# Eight masks of 4K.
MOVED_PIXELS = 2**26


@dataclass(frozen=True)
class Observation:
    """M detections and the predictions of N tracks, stacked in this order, on the device.

    Attributes:
        masks: bool [M + N, H, W].
        colours: float32 [M + N, B], histograms of the colours below them.
    """

    masks: Tensor
    colours: Tensor


def observe(image: Tensor, detections: Detections, predicted: Propagated) -> Observation:
    """Stack what was found in an image, uint8 [H, W, 3], and what was predicted for it."""
    masks = torch.cat([detections.masks, predicted.masks])
    return Observation(masks, colour_histograms(image, masks))


def expected_overlaps(found: Tensor, last_masks: Tensor, shifts: NDArray[np.int64]) -> Tensor:
    """IoU of each detection with what each track was last detected as, moved."""
    stacks = in_stacks(last_masks, MOVED_PIXELS)
    ends = np.cumsum([len(stack) for stack in stacks])[:-1]
    moved = (shifted(stack, part) for stack, part in zip(stacks, np.split(shifts, ends), strict=True))
    return torch.cat([mask_iou(found, stack) for stack in moved], dim=1)


def measure(
    observation: Observation,
    detections: Detections,
    predicted: Propagated,
    last_masks: Tensor,
    track_colours: Tensor,
    shifts: NDArray[np.int64],
) -> Candidates:
    """All that the decision needs, on the host.

    Args:
        observation: of the frame.
        detections: the M detections.
        predicted: the predictions of the N tracks.
        last_masks: bool [N, H, W], what each track was last detected as.
        track_colours: float32 [N, B], what it is known by.
        shifts: int64 [N, 2], x, y: how far motion has carried it since.
    """
    found, tracks = len(detections), len(last_masks)
    scores = torch.cat([detections.scores, predicted.scores.float()])
    expected = expected_overlaps(detections.masks, last_masks, shifts)
    columns = {
        "overlaps": mask_iou(observation.masks, observation.masks),
        "likeness": observation.colours @ track_colours.T,
        "expected": torch.nn.functional.pad(expected, (0, 0, 0, tracks)),
        "boxes": minmax_boxes(observation.masks),
        "located": torch.nn.functional.pad(predicted.located, (0, 0, found, 0)),
        "areas": mask_areas(observation.masks)[:, None],
        "scores": scores[:, None],
        "labels": torch.nn.functional.pad(detections.labels, (0, tracks))[:, None],
    }
    # One read-back; in float64, which keeps pixel counts and ids whole.
    table = torch.cat([column.double() for column in columns.values()], dim=1).cpu().numpy()
    ends = np.cumsum([column.shape[1] for column in columns.values()])[:-1]
    read = dict(zip(columns, np.split(table, ends, axis=1), strict=True))
    return Candidates(
        overlaps=read["overlaps"],
        expected=read["expected"][:found],
        likeness=read["likeness"],
        areas=read["areas"][:, 0].astype(np.int64),
        boxes=read["boxes"],
        located=read["located"][found:],
        detection_scores=read["scores"][:found, 0],
        tracking_scores=read["scores"][found:, 0],
        labels=read["labels"][:found, 0].astype(np.int64),
    )


def read_windows(masks: Tensor, indices: NDArray[np.int64], boxes: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """The parts of some masks that lie in their boxes, on the host, bool [h, w] each, in one read-back.

    Args:
        masks: bool [M, H, W].
        indices: int64 [K], of the masks.
        boxes: int64 [K, 4], x, y, w, h in pixels, inside the frame.
    """
    places: Sequence[tuple[int, ...]] = [tuple(row) for row in np.column_stack([indices, boxes]).tolist()]
    if not places:
        return []
    parts = [masks[index, y : y + h, x : x + w].flatten() for index, x, y, w, h in places]
    pixels = np.split(torch.cat(parts).cpu().numpy(), np.cumsum([len(part) for part in parts])[:-1])
    return [part.reshape(h, w) for part, (_, _, _, w, h) in zip(pixels, places, strict=True)]
