"""SiamMask prediction for N targets in one call; the state of the targets belongs to whoever tracks them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.trackers.siammask.architectures import (
    COARSE_MASK_SIDE,
    RESPONSE_SIDE,
    SEARCH_SIDE,
    STRIDE,
    TEMPLATE_SIDE,
)
from vis_pipeline.trackers.siammask.crops import crop, mean_colour
from vis_pipeline.trackers.siammask.geometry import rounded, search_sides, template_sides
from vis_pipeline.trackers.siammask.network import SearchFeatures, SiamMask
from vis_pipeline.trackers.siammask.paste import paste
from vis_pipeline.trackers.siammask.selection import (
    SMALLEST_SIDE,
    Selection,
    clamp_centres,
    clamp_sizes,
    select_boxes,
    select_positions,
)
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings


@dataclass(frozen=True)
class TargetStates:
    """All that is known of N targets, on one device.

    Attributes:
        templates: float32 [N, C, 7, 7], features of the exemplars.
        centres: float64 [N, 2], x, y of the state boxes in image pixels.
        sizes: float64 [N, 2], w, h of the state boxes in image pixels.
        scores: float32 [N], the last scores, 1 at the start.
        padding: uint8 [N, 3], BGR colour outside the image: the mean of the frame that the template was cut from.
    """

    templates: Tensor
    centres: Tensor
    sizes: Tensor
    scores: Tensor
    padding: Tensor

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def boxes(self) -> Tensor:
        """State boxes as x, y, w, h, float64 [N, 4]."""
        return torch.cat([self.centres - self.sizes / 2, self.sizes], dim=1)

    def select(self, indices: Tensor | Sequence[int] | slice) -> "TargetStates":
        """Some of the targets, in the order of `indices` (int64 or bool tensor, list, slice)."""
        if not isinstance(indices, (Tensor, slice)):
            indices = torch.as_tensor(indices, dtype=torch.int64, device=self.scores.device)
        return TargetStates(*(getattr(self, field.name)[indices] for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence["TargetStates"]) -> "TargetStates":
        """All targets of one or more states, one after another."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def replaced(self, indices: Tensor, others: "TargetStates") -> "TargetStates":
        """The same targets, but those at `indices`, int64 [K], are the K others."""
        return TargetStates(
            *(
                getattr(self, field.name).index_copy(
                    0, indices, getattr(others, field.name).to(getattr(self, field.name))
                )
                for field in fields(self)
            )
        )

    def with_boxes(self, boxes: Tensor) -> "TargetStates":
        """The same targets at other state boxes, x, y, w, h [N, 4]; a side below 10 becomes 10 about its centre."""
        boxes = boxes.to(self.sizes)
        return replace(self, centres=boxes[:, :2] + boxes[:, 2:] / 2, sizes=boxes[:, 2:].clamp_min(SMALLEST_SIDE))


@dataclass(frozen=True)
class Prediction:
    """Where N targets are in one frame; everything on the tracker's device.

    Attributes:
        states: the targets as the next frame needs them.
        boxes: float64 [N, 4], the state boxes x, y, w, h in image pixels: size smoothed, neither rounded nor clipped.
        located_boxes: float64 [N, 4], the best boxes without smoothing, centre and size clamped to the image.
        scores: float32 [N], probability of the best anchor.
        masks: bool [N, H, W].
    """

    states: TargetStates
    boxes: Tensor
    located_boxes: Tensor
    scores: Tensor
    masks: Tensor


class SiamMaskPredictor:
    """Runs a network on frames and targets; keeps no target itself."""

    def __init__(self, network: SiamMask, settings: SiamMaskSettings, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        prepared = network.to(self.device).for_prediction()
        self.network: SiamMask = prepared.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings = settings
        self._batch = settings.batch or (4 if self.device.type == "cpu" else 64)

    @torch.inference_mode()
    def initialise(self, image: Tensor, boxes: Tensor) -> TargetStates:
        """Begin N targets from their boxes in a frame.

        Args:
            image: uint8 [H, W, 3], BGR.
            boxes: [N, 4], x, y, w, h in image pixels, sides above 0.
        """
        image, boxes = image.to(self.device), boxes.to(self.device, torch.float64)
        sizes = boxes[:, 2:]
        centres = boxes[:, :2] + sizes / 2
        padding = mean_colour(image).expand(len(boxes), 3)
        crops = crop(image, centres, rounded(template_sides(sizes)), padding, TEMPLATE_SIDE)
        with _full_precision():
            parts = [self.network.template(_as_input(part)) for part in torch.split(crops, self._batch)]
        return TargetStates(
            templates=torch.cat(parts),
            centres=centres,
            sizes=sizes,
            scores=torch.ones(len(boxes), device=self.device),
            padding=padding,
        )

    @torch.inference_mode()
    def predict(self, image: Tensor, states: TargetStates) -> Prediction:
        """Find N targets (N may be 0) in the next frame, uint8 [H, W, 3], BGR."""
        image = image.to(self.device)
        starts = range(0, max(1, len(states)), self._batch)
        with _full_precision():
            parts = [self._predict(image, states.select(slice(start, start + self._batch))) for start in starts]
        if len(parts) == 1:
            return parts[0]
        return Prediction(
            TargetStates.concatenate([part.states for part in parts]),
            *(
                torch.cat([getattr(part, name) for part in parts])
                for name in ("boxes", "located_boxes", "scores", "masks")
            ),
        )

    def _predict(self, image: Tensor, states: TargetStates) -> Prediction:
        frame = (image.shape[0], image.shape[1])
        if len(states) == 0:
            masks = torch.zeros(0, *frame, dtype=torch.bool, device=self.device)
            return Prediction(states, states.boxes, states.boxes, states.scores, masks)
        sides = rounded(search_sides(states.sizes))
        crops = crop(image, states.centres, sides, states.padding, SEARCH_SIDE)
        search = self.network.search(_as_input(crops))
        selection = self._select(states, search, frame)
        if self.settings.stages == 1:
            probabilities = self._mask_at(states.templates, search, selection.positions)
            squares = _response_squares(states.centres, sides, selection.positions)
        else:
            probabilities, squares = self._second_stage(image, states, selection)
        masks = paste(probabilities, squares, frame, self.settings.mask_threshold)
        found = replace(states, centres=selection.located_centres, sizes=selection.sizes, scores=selection.scores)
        if self.network.architecture.branches == 2:
            found = _follow_masks(found, masks)
        located = torch.cat([selection.located_centres - selection.located_sizes / 2, selection.located_sizes], dim=1)
        return Prediction(found, found.boxes, located, found.scores, masks)

    def _select(self, states: TargetStates, search: SearchFeatures, frame: tuple[int, int]) -> Selection:
        scores, offsets = self.network.score_and_locate(states.templates, search)
        if offsets is None:
            return select_positions(scores, states.centres, states.sizes, frame, self.settings)
        return select_boxes(scores, offsets, states.centres, states.sizes, frame, self.settings)

    def _second_stage(self, image: Tensor, states: TargetStates, selection: Selection) -> tuple[Tensor, Tensor]:
        """Mask probabilities [N, S, S] from crops around the best boxes, and the squares that they cover."""
        sizes = selection.located_sizes if self.settings.second_crop == "located" else selection.sizes
        centres, sides = selection.located_centres, rounded(template_sides(sizes))
        crops = crop(image, centres, sides, states.padding, TEMPLATE_SIDE)
        search = self.network.search(_as_input(crops))
        correlation = self.network.mask_correlation(states.templates, search)
        squares = torch.cat([centres - sides[:, None] / 2, sides[:, None].double()], dim=1)
        if self.network.architecture.refine:
            return self.network.refine_whole(search, correlation).sigmoid(), squares
        return self._coarse_mask(correlation), squares

    def _mask_at(self, templates: Tensor, search: SearchFeatures, positions: Tensor) -> Tensor:
        """Mask probabilities [N, S, S] at one response position per target."""
        correlation = self.network.mask_correlation(templates, search)
        targets = torch.arange(len(positions), device=positions.device)
        if self.network.architecture.refine:
            at = torch.cat([targets[:, None], positions], dim=1)
            return self.network.refine_at(search, correlation, at).sigmoid()
        return self._coarse_mask(correlation[targets, :, positions[:, 0], positions[:, 1]][:, :, None, None])

    def _coarse_mask(self, responses: Tensor) -> Tensor:
        logits = self.network.coarse_mask_logits(responses)
        return logits.view(-1, COARSE_MASK_SIDE, COARSE_MASK_SIDE).sigmoid()


def _full_precision() -> AbstractContextManager[None]:
    """Convolutions in float32 on CUDA too, where PyTorch's default is TF32, with 10 bits of mantissa."""
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def _as_input(crops: Tensor) -> Tensor:
    return crops.permute(0, 3, 1, 2).float()


def _response_squares(centres: Tensor, sides: Tensor, positions: Tensor) -> Tensor:
    """Left, top, side in the image, float64 [N, 3], of the exemplar-sized window at response positions y, x."""
    scale = sides.double() / SEARCH_SIDE
    edge = (RESPONSE_SIDE - 1 - (SEARCH_SIDE - TEMPLATE_SIDE) // STRIDE) / 2
    corners = centres - sides[:, None] / 2 + (positions.flip(1) - edge) * STRIDE * scale[:, None]
    return torch.cat([corners, (scale * TEMPLATE_SIDE)[:, None]], dim=1)


def _follow_masks(states: TargetStates, masks: Tensor) -> TargetStates:
    """Put the state boxes to the masks' Min-max boxes (paper, section 6.1, two-branch) where they are not empty."""
    frame = (masks.shape[1], masks.shape[2])
    boxes = minmax_boxes(masks)
    sizes = boxes[:, 2:]
    centres = boxes[:, :2] + sizes / 2
    seen = sizes[:, :1] > 0
    return replace(
        states,
        centres=torch.where(seen, clamp_centres(centres, frame), states.centres),
        sizes=torch.where(seen, clamp_sizes(sizes, frame), states.sizes),
    )
