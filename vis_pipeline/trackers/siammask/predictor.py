"""SiamMask prediction for N targets in one call; the state of the targets belongs to whoever tracks them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.trackers.siammask.architectures import (
    COARSE_MASK_SIDE,
    RESPONSE_SIDE,
    SEARCH_SIDE,
    STRIDE,
    TEMPLATE_SIDE,
)
from vis_pipeline.trackers.siammask.batches import batches, crop_each, even_sizes, limits_each, spans
from vis_pipeline.trackers.siammask.crops import crop, mean_colour
from vis_pipeline.trackers.siammask.geometry import rounded, search_sides, template_sides
from vis_pipeline.trackers.siammask.half_precision import in_half_precision, quick_type
from vis_pipeline.trackers.siammask.lone_crops import as_in_a_batch
from vis_pipeline.trackers.siammask.network import SearchFeatures, SiamMask
from vis_pipeline.trackers.siammask.paste import SmallMasks, paste
from vis_pipeline.trackers.siammask.reports import reported
from vis_pipeline.trackers.siammask.scale_search import ScalePriors, select_over_scales
from vis_pipeline.trackers.siammask.selection import (
    SMALLEST_SIDE,
    Priors,
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
        masks: bool [N, H, W]; None where boxes are all that is reported.
        small_masks: what the masks were pasted from; None without.
    """

    states: TargetStates
    boxes: Tensor
    located_boxes: Tensor
    scores: Tensor
    masks: Tensor | None
    small_masks: SmallMasks | None

    @classmethod
    def concatenate(cls, parts: Sequence["Prediction"]) -> "Prediction":
        """All targets of one or more predictions for one frame, one after another."""
        if len(parts) == 1:
            return parts[0]
        masks = [part.masks for part in parts if part.masks is not None]
        small = [part.small_masks for part in parts if part.small_masks is not None]
        return cls(
            states=TargetStates.concatenate([part.states for part in parts]),
            boxes=torch.cat([part.boxes for part in parts]),
            located_boxes=torch.cat([part.located_boxes for part in parts]),
            scores=torch.cat([part.scores for part in parts]),
            masks=torch.cat(masks) if masks else None,
            small_masks=SmallMasks.concatenate(small) if small else None,
        )


class SiamMaskPredictor:
    """Runs a network on frames and targets; keeps no target itself.

    Nothing in `predict_each` waits for a device that is not the CPU, or copies to it more than the frames.

    Args:
        network: the weights.
        settings: how predictions are selected and made into masks.
        device: where all of it is done.
        stopwatch: given the seconds of a prediction's steps: `locate` (crop and stage 1), `segment` (the masks: with
            two stages the second crop and its network), `paste`.

    Raises:
        ConfigError: the network has no branch for what the settings say is to be reported.
    """

    def __init__(
        self,
        network: SiamMask,
        settings: SiamMaskSettings,
        device: torch.device | str = "cpu",
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.report = reported(network.architecture, settings)
        network = network.to(self.device)
        if settings.precision == "exact":
            prepared, self._computing = network.for_prediction(), _exactly
        else:
            prepared, self._computing = in_half_precision(network, quick_type(self.device)), _quickly
        self.network: SiamMask = prepared.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings = settings
        self._batch = settings.batch or (8 if self.device.type == "cpu" else 64)
        self._priors = Priors.on(self.device)
        self._scale_priors = ScalePriors.on(self.device, settings.scale_search)
        if self.report == "score":
            self._batch = max(1, self._batch // len(settings.scale_search.factors))
        self._watch = (stopwatch or Stopwatch()).step

    def initialise(self, image: Tensor, boxes: Tensor) -> TargetStates:
        """Begin N targets from their boxes in a frame.

        Args:
            image: uint8 [H, W, 3], BGR.
            boxes: [N, 4], x, y, w, h in image pixels, sides above 0.
        """
        return self.initialise_each([(image, boxes)])[0]

    def predict(self, image: Tensor, states: TargetStates) -> Prediction:
        """Find N targets (N may be 0) in the next frame, uint8 [H, W, 3], BGR."""
        return self.predict_each([(image, states)])[0]

    @torch.inference_mode()
    def initialise_each(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[TargetStates]:
        """Begin the targets of several frames together; see :meth:`initialise`. Frames may differ in size."""
        begun = [self._exemplars(image, boxes) for image, boxes in groups]
        crops = torch.cat([exemplars for exemplars, _ in begun])
        sizes = even_sizes(len(crops), self._batch) or [0]
        templates = torch.cat([self._template(part) for part in torch.split(crops, sizes)])
        parts = torch.split(templates, [len(exemplars) for exemplars, _ in begun])
        return [replace(states, templates=part) for part, (_, states) in zip(parts, begun, strict=True)]

    @torch.inference_mode()
    def predict_each(self, groups: Sequence[tuple[Tensor, TargetStates]]) -> list[Prediction]:
        """Find the targets of several videos, each in its next frame; see :meth:`predict`. Frames may differ in size.

        All go through the network together, `batch` at a time, whatever frame they are in.
        """
        groups = [(image.to(self.device), states) for image, states in groups]
        found: list[list[Prediction]] = [[] for _ in groups]
        for batch in batches([len(states) for _, states in groups], self._batch):
            pieces = [(groups[group][0], groups[group][1].select(part)) for group, part in batch]
            for (group, _), prediction in zip(batch, self._predict(pieces), strict=True):
                found[group].append(prediction)
        return [
            Prediction.concatenate(parts) if parts else self._nowhere(image, states)
            for parts, (image, states) in zip(found, groups, strict=True)
        ]

    @torch.inference_mode()
    def segment_each(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Masks of what is in boxes, by the second stage alone, with templates from the boxes themselves.

        Args:
            groups: frames, uint8 [H, W, 3], BGR, which may differ in size, each with boxes [N, 4], x, y, w, h in image
                pixels, sides above 0.

        Returns:
            Bool [N, H, W] for each frame.
        """
        begun = self.initialise_each(groups)
        placed = [(image.to(self.device), states) for (image, _), states in zip(groups, begun, strict=True)]
        found: list[list[Tensor]] = [[image.new_zeros((0, *_size(image)), dtype=torch.bool)] for image, _ in placed]
        for batch in batches([len(states) for _, states in placed], self._batch):
            states = TargetStates.concatenate([placed[group][1].select(part) for group, part in batch])
            images, counts = [placed[group][0] for group, _ in batch], [part.stop - part.start for _, part in batch]
            with self._watch("segment"), self._computing(states.templates):
                probabilities, squares = self._second_stage(images, counts, states, states.centres, states.sizes)
            with self._watch("paste"):
                for image, (group, _), part in zip(images, batch, spans(counts), strict=True):
                    threshold = self.settings.mask_threshold
                    found[group].append(paste(probabilities[part], squares[part], _size(image), threshold))
        return [torch.cat(parts) for parts in found]

    def _exemplars(self, image: Tensor, boxes: Tensor) -> tuple[Tensor, TargetStates]:
        """What templates are made of, uint8 [N, 127, 127, 3], and the targets but for them."""
        image, boxes = image.to(self.device), boxes.to(self.device, torch.float64)
        sizes = boxes[:, 2:]
        centres = boxes[:, :2] + sizes / 2
        colour = mean_colour(image) if len(boxes) else image.new_zeros(3)
        padding = colour.expand(len(boxes), 3)
        crops = crop(image, centres, rounded(template_sides(sizes)), padding, TEMPLATE_SIDE)
        scores = torch.ones(len(boxes), device=self.device)
        return crops, TargetStates(torch.empty(0, device=self.device), centres, sizes, scores, padding)

    def _template(self, crops: Tensor) -> Tensor:
        with self._computing(crops):
            return self.network.template(_as_input(crops))

    def _predict(self, pieces: Sequence[tuple[Tensor, TargetStates]]) -> list[Prediction]:
        """One batch: for each piece a frame and some of the targets in it."""
        states = TargetStates.concatenate([piece for _, piece in pieces])
        images, counts = [image for image, _ in pieces], [len(piece) for _, piece in pieces]
        limits = limits_each(images, counts)
        masks: list[tuple[Tensor | None, SmallMasks | None]] = [(None, None)] * len(images)
        if self.report == "score":
            selection = self._search_sizes(images, counts, states, limits)
        else:
            search, sides, selection = self._locate(images, counts, states, limits)
            if self.report == "mask":
                masks = self._segment(images, counts, states, search, sides, selection)
        found = replace(states, centres=selection.located_centres, sizes=selection.sizes, scores=selection.scores)
        located = torch.cat([selection.located_centres - selection.located_sizes / 2, selection.located_sizes], dim=1)
        predictions = []
        for (pasted, small), part in zip(masks, spans(counts), strict=True):
            after = found.select(part)
            if pasted is not None and not self.network.architecture.scores_anchors:
                after = _follow_masks(after, pasted, limits[part])
            predictions.append(Prediction(after, after.boxes, located[part], after.scores, pasted, small))
        return predictions

    def _locate(
        self, images: Sequence[Tensor], counts: Sequence[int], states: TargetStates, limits: Tensor
    ) -> tuple[SearchFeatures, Tensor, Selection]:
        """Stage 1: what the network sees around the state boxes, the sides of the crops, and the targets there."""
        sides = rounded(search_sides(states.sizes))
        with self._watch("locate"):
            crops = crop_each(images, counts, states.centres, sides, states.padding, SEARCH_SIDE)
            with self._computing(crops):
                search = self.network.search(_as_input(crops))
                return search, sides, self._select(states, search, limits)

    def _search_sizes(
        self, images: Sequence[Tensor], counts: Sequence[int], states: TargetStates, limits: Tensor
    ) -> Selection:
        """The targets by the score branch alone, in crops of several sizes."""
        settings = self.settings.scale_search
        with self._watch("locate"):
            sides = [rounded(search_sides(states.sizes * factor)) for factor in settings.factors]
            crops = torch.cat(
                [crop_each(images, counts, states.centres, each, states.padding, SEARCH_SIDE) for each in sides]
            )
            with self._computing(crops):
                templates = states.templates.repeat(len(sides), 1, 1, 1)
                logits, _ = self.network.score_and_locate(templates, self.network.search(_as_input(crops)))
            by_target = logits.view(len(sides), len(states), RESPONSE_SIDE, RESPONSE_SIDE).transpose(0, 1)
            return select_over_scales(by_target, states.centres, states.sizes, limits, settings, self._scale_priors)

    def _segment(
        self,
        images: Sequence[Tensor],
        counts: Sequence[int],
        states: TargetStates,
        search: SearchFeatures,
        sides: Tensor,
        selection: Selection,
    ) -> list[tuple[Tensor | None, SmallMasks | None]]:
        """The masks of what was located, bool [N, H, W] for each image, and what they were pasted from."""
        with self._watch("segment"), self._computing(states.templates):
            if self.settings.stages == 1:
                probabilities = self._mask_at(states.templates, search, selection.positions)
                squares = _response_squares(states.centres, sides, selection.positions)
            else:
                sizes = selection.located_sizes if self.settings.second_crop == "located" else selection.sizes
                probabilities, squares = self._second_stage(images, counts, states, selection.located_centres, sizes)
        with self._watch("paste"):
            small = [SmallMasks(probabilities[part], squares[part]) for part in spans(counts)]
            threshold = self.settings.mask_threshold
            return [
                (paste(one.probabilities, one.squares, _size(image), threshold), one)
                for image, one in zip(images, small, strict=True)
            ]

    def _nowhere(self, image: Tensor, states: TargetStates) -> Prediction:
        """The prediction of no targets."""
        if self.report != "mask":
            return Prediction(states, states.boxes, states.boxes, states.scores, None, None)
        masks = image.new_zeros((0, *_size(image)), dtype=torch.bool)
        small = SmallMasks(states.scores.new_zeros((0, 1, 1)), states.boxes.new_zeros((0, 3)))
        return Prediction(states, states.boxes, states.boxes, states.scores, masks, small)

    def _select(self, states: TargetStates, search: SearchFeatures, limits: Tensor) -> Selection:
        scores, offsets = self.network.score_and_locate(states.templates, search)
        if offsets is None:
            return select_positions(scores, states.centres, states.sizes, limits, self.settings, self._priors)
        return select_boxes(scores, offsets, states.centres, states.sizes, limits, self.settings, self._priors)

    def _second_stage(
        self, images: Sequence[Tensor], counts: Sequence[int], states: TargetStates, centres: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mask probabilities [N, S, S] from crops around boxes, and the squares that they cover."""
        sides = rounded(template_sides(sizes))
        crops = crop_each(images, counts, centres, sides, states.padding, TEMPLATE_SIDE)
        search = self.network.search(_as_input(crops))
        correlation = self.network.mask_correlation(states.templates, search)
        squares = torch.cat([centres - sides[:, None] / 2, sides[:, None].double()], dim=1)
        if self.network.architecture.refine:
            return self.network.refine_whole(search, correlation).sigmoid(), squares
        return self._coarse_mask(correlation), squares

    def _mask_at(self, templates: Tensor, search: SearchFeatures, positions: Tensor) -> Tensor:
        """Mask probabilities [N, S, S] at one response position per target."""
        correlation = self.network.mask_correlation_at(templates, search, positions)
        if not self.network.architecture.refine:
            return self._coarse_mask(correlation)
        targets = torch.arange(len(positions), device=positions.device)
        at = torch.cat([targets[:, None], positions], dim=1)
        return self.network.refine_from(search, correlation.flatten(1), at).sigmoid()

    def _coarse_mask(self, responses: Tensor) -> Tensor:
        logits = self.network.coarse_mask_logits(responses)
        return logits.view(-1, COARSE_MASK_SIDE, COARSE_MASK_SIDE).sigmoid()


@contextmanager
def _exactly(crops: Tensor) -> Iterator[None]:
    """Convolutions in float32 on CUDA too, where PyTorch's default is TF32, and for one crop the same as for many."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False), as_in_a_batch(crops):
        yield


@contextmanager
def _quickly(crops: Tensor) -> Iterator[None]:
    """What is in float32 in TF32 on CUDA; for one crop the same as for many here, too."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=True), as_in_a_batch(crops):
        yield


def _size(image: Tensor) -> tuple[int, int]:
    """Height and width."""
    return image.shape[0], image.shape[1]


def _as_input(crops: Tensor) -> Tensor:
    return crops.permute(0, 3, 1, 2).float()


def _response_squares(centres: Tensor, sides: Tensor, positions: Tensor) -> Tensor:
    """Left, top, side in the image, float64 [N, 3], of the exemplar-sized window at response positions y, x."""
    scale = sides.double() / SEARCH_SIDE
    edge = (RESPONSE_SIDE - 1 - (SEARCH_SIDE - TEMPLATE_SIDE) // STRIDE) / 2
    corners = centres - sides[:, None] / 2 + (positions.flip(1) - edge) * STRIDE * scale[:, None]
    return torch.cat([corners, (scale * TEMPLATE_SIDE)[:, None]], dim=1)


def _follow_masks(states: TargetStates, masks: Tensor, limits: Tensor) -> TargetStates:
    """Put the state boxes to the masks' Min-max boxes (paper, section 6.1, two-branch) where they are not empty."""
    boxes = minmax_boxes(masks)
    sizes = boxes[:, 2:]
    centres = boxes[:, :2] + sizes / 2
    seen = sizes[:, :1] > 0
    return replace(
        states,
        centres=torch.where(seen, clamp_centres(centres, limits), states.centres),
        sizes=torch.where(seen, clamp_sizes(sizes, limits), states.sizes),
    )
