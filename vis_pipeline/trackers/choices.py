"""What a pipeline's config may say of its tracker: a class of settings for each kind, told apart by `type`."""

from dataclasses import field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, absolute_reference, kind_in_full, kind_of
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.memory.settings import MemorySettings
from vis_pipeline.trackers.siam_rcnn.settings import (
    RedetectionSettings,
    SelectionSettings,
    TargetSettings,
    TdpaSettings,
)
from vis_pipeline.trackers.siammask.settings import PRESETS, SiamMaskSettings
from vis_pipeline.weights.registry import resolve

if TYPE_CHECKING:
    import torch

    from vis_pipeline.trackers.base import Tracker
    from vis_pipeline.trackers.memory import Recogniser
    from vis_pipeline.trackers.siam_rcnn.box_to_mask import BoxToMask


@dataclass(frozen=True, config=STRICT)
class MemoryChoice(MemorySettings):
    """A memory of the tracks that went out of sight: the network that knows them again, and how it is used.

    Attributes:
        checkpoint: of a re-detector that was trained with the pipeline's detector: a path, or `bundled:NAME`.
    """

    checkpoint: str = Field(kw_only=True)

    def settings(self) -> MemorySettings:
        """How it is used."""
        return MemorySettings(**{name.name: getattr(self, name.name) for name in fields(MemorySettings)})

    def with_absolute_paths(self) -> "MemoryChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(self, checkpoint=absolute_reference(self.checkpoint))


@dataclass(frozen=True, config=STRICT)
class PresetChoice:
    """How SiamMask is used: one of the release's presets, and what is set otherwise.

    Attributes:
        preset: the release's inference settings.
        stages: 1, or 2 for the cascade of SiamMask multi-object, section 5.
        mask_threshold, penalty_k, window_influence, size_rate, second_crop, batch, precision: in place of the preset's;
            see :class:`~vis_pipeline.trackers.siammask.settings.SiamMaskSettings`.
    """

    preset: Literal["davis", "vot", "vot18"] = "davis"
    stages: Literal[1, 2] = 2
    mask_threshold: float | None = Field(default=None, gt=0, lt=1)
    penalty_k: float | None = Field(default=None, ge=0)
    window_influence: float | None = Field(default=None, ge=0, le=1)
    size_rate: float | None = Field(default=None, ge=0, le=1)
    second_crop: Literal["located", "smoothed"] | None = None
    batch: int | None = Field(default=None, ge=1)
    precision: Literal["exact", "fast"] | None = None

    def settings(self) -> SiamMaskSettings:
        """The preset with what is given here in its place."""
        own = ("mask_threshold", "penalty_k", "window_influence", "size_rate", "second_crop", "batch", "precision")
        given = {name: value for name in own if (value := getattr(self, name)) is not None}
        return replace(PRESETS[self.preset], stages=self.stages, **given)


@dataclass(frozen=True, config=STRICT)
class SiamMaskChoice(PresetChoice):
    """SiamMask for each object: the network and how it is used.

    Attributes:
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        memory: of the tracks that went out of sight; without, an object that comes back is a new one.
    """

    checkpoint: str = Field(kw_only=True)
    memory: MemoryChoice | None = None
    type: Literal["siammask"] = "siammask"

    @property
    def needs_regions(self) -> bool:
        """Whether detections must come with the regions of their frame."""
        return self.memory is not None

    def with_absolute_paths(self) -> "SiamMaskChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        memory = None if self.memory is None else self.memory.with_absolute_paths()
        return replace(self, checkpoint=absolute_reference(self.checkpoint), memory=memory)

    def weights(self) -> dict[str, Path]:
        """The weight files by part.

        Raises:
            WeightsError: one of them is not there.
        """
        return {"tracker": resolve(self.checkpoint), **_memory_weights(self.memory)}

    def build(self, tracking: TrackingSettings, device: "torch.device") -> "Tracker[Any, Any]":
        """Load the network; `tracking` says how its predictions and detections become tracks.

        Raises:
            WeightsError: its weights are missing or do not fit.
        """
        from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
        from vis_pipeline.trackers.siammask.checkpoint import load_segmenting
        from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
        from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator

        network = load_segmenting(resolve(self.checkpoint), device)
        propagator = SiamMaskPropagator(SiamMaskPredictor(network, self.settings(), device))
        return LifecycleTracker(propagator, tracking, device, *_memory(self.memory, device))


@dataclass(frozen=True, config=STRICT)
class LastMaskChoice:
    """No prediction: detections are linked by masks, place and colours alone, and by a memory if there is one."""

    memory: MemoryChoice | None = None
    type: Literal["last_mask"] = "last_mask"

    @property
    def needs_regions(self) -> bool:
        """Whether detections must come with the regions of their frame."""
        return self.memory is not None

    def with_absolute_paths(self) -> "LastMaskChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(self, memory=None if self.memory is None else self.memory.with_absolute_paths())

    def weights(self) -> dict[str, Path]:
        """The weight files by part.

        Raises:
            WeightsError: one of them is not there.
        """
        return _memory_weights(self.memory)

    def build(self, tracking: TrackingSettings, device: "torch.device") -> "Tracker[Any, Any]":
        """What predicts nothing; `tracking` says how detections become tracks."""
        from vis_pipeline.trackers.last_mask import NoPrediction
        from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker

        return LifecycleTracker(NoPrediction(), tracking, device, *_memory(self.memory, device))


@dataclass(frozen=True, config=STRICT)
class SecondStageChoice:
    """Box2Seg by SiamMask's second stage on the box.

    Attributes:
        checkpoint: of a SiamMask that has masks: a path, `bundled:NAME`, or a published name.
        mask_threshold, batch, precision: see :class:`~vis_pipeline.trackers.siammask.settings.SiamMaskSettings`.
    """

    checkpoint: str
    mask_threshold: float = Field(default=0.35, gt=0, lt=1)
    batch: int | None = Field(default=None, ge=1)
    precision: Literal["exact", "fast"] = "exact"
    type: Literal["siammask"] = "siammask"

    def with_absolute_paths(self) -> "SecondStageChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(self, checkpoint=absolute_reference(self.checkpoint))

    def weights(self) -> dict[str, Path]:
        """The weight files by part.

        Raises:
            WeightsError: one of them is not there.
        """
        return {"masks": resolve(self.checkpoint)}

    def build(self, device: "torch.device") -> "BoxToMask":
        """Load the network.

        Raises:
            WeightsError: its weights are missing or do not fit.
        """
        from vis_pipeline.trackers.siam_rcnn.box_to_mask.second_stage import SecondStage
        from vis_pipeline.trackers.siammask.checkpoint import load_segmenting
        from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor

        settings = SiamMaskSettings(
            mask_threshold=self.mask_threshold, stages=2, batch=self.batch, precision=self.precision
        )
        return SecondStage(SiamMaskPredictor(load_segmenting(resolve(self.checkpoint), device), settings, device))


@dataclass(frozen=True, config=STRICT)
class MaskHeadChoice:
    """Box2Seg by the detector's own mask head on the box."""

    type: Literal["mask_head"] = "mask_head"

    def with_absolute_paths(self) -> "MaskHeadChoice":
        """The same: nothing is a file here."""
        return self

    def weights(self) -> dict[str, Path]:
        """None beside the detector's."""
        return {}

    def build(self, device: "torch.device") -> "BoxToMask":
        """What asks the detector."""
        from vis_pipeline.trackers.siam_rcnn.box_to_mask.mask_head import MaskHead

        return MaskHead()


BoxToMaskChoice = Annotated[
    Annotated[SecondStageChoice, Tag(SecondStageChoice.type)] | Annotated[MaskHeadChoice, Tag(MaskHeadChoice.type)],
    Discriminator(
        kind_of(MaskHeadChoice.type),
        custom_error_type="box_to_mask_type",
        custom_error_message=f"type is {MaskHeadChoice.type} or {SecondStageChoice.type}",
    ),
    BeforeValidator(kind_in_full),
]
"""Any Box2Seg; in a config `type` says which, and `box_to_mask="mask_head"` is short for a kind with nothing set."""


@dataclass(frozen=True, config=STRICT)
class SiamRcnnChoice:
    """Siam R-CNN: every object is re-detected over the whole of every frame.

    Attributes:
        checkpoint: of a re-detector that was trained with the pipeline's detector: a path, or `bundled:NAME`.
        selection: which of its re-detections an object is: `tdpa`, `argmax`, `short_term`, or one with its settings.
        box_to_mask: Box2Seg.
        redetection: which re-detections are looked at; bounds the cost of a target.
        targets: which targets there are; bounds their number.
    """

    checkpoint: str
    selection: SelectionSettings = field(default_factory=TdpaSettings)
    box_to_mask: BoxToMaskChoice = field(default_factory=MaskHeadChoice)
    redetection: RedetectionSettings = field(default_factory=RedetectionSettings)
    targets: TargetSettings = field(default_factory=TargetSettings)
    type: Literal["siam_rcnn"] = "siam_rcnn"

    @property
    def needs_regions(self) -> bool:
        """Detections must come with the regions of their frame."""
        return True

    def with_absolute_paths(self) -> "SiamRcnnChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(
            self,
            checkpoint=absolute_reference(self.checkpoint),
            box_to_mask=self.box_to_mask.with_absolute_paths(),
        )

    def weights(self) -> dict[str, Path]:
        """The weight files by part.

        Raises:
            WeightsError: one of them is not there.
        """
        return {"tracker": resolve(self.checkpoint), **self.box_to_mask.weights()}

    def build(self, tracking: TrackingSettings, device: "torch.device") -> "Tracker[Any, Any]":
        """Load the networks; `tracking` says which detections become tracks, and what is reported of them.

        Raises:
            WeightsError: weights are missing or do not fit.
        """
        from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
        from vis_pipeline.trackers.siam_rcnn.tracker import SiamRcnnTracker

        return SiamRcnnTracker(
            load_redetector(resolve(self.checkpoint), device=device),
            self.box_to_mask.build(device),
            self.redetection,
            self.selection,
            self.targets,
            tracking,
            device,
        )


def _memory_weights(memory: MemoryChoice | None) -> dict[str, Path]:
    return {} if memory is None else {"memory": resolve(memory.checkpoint)}


def _memory(memory: MemoryChoice | None, device: "torch.device") -> "tuple[MemorySettings | None, Recogniser | None]":
    if memory is None:
        return None, None
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.recogniser import RedetectorRecogniser

    network = load_redetector(resolve(memory.checkpoint), device=device)
    return memory.settings(), RedetectorRecogniser(network)


TrackerChoice = Annotated[
    Annotated[SiamMaskChoice, Tag(SiamMaskChoice.type)]
    | Annotated[SiamRcnnChoice, Tag(SiamRcnnChoice.type)]
    | Annotated[LastMaskChoice, Tag(LastMaskChoice.type)],
    Discriminator(
        kind_of(SiamMaskChoice.type),
        custom_error_type="tracker_type",
        custom_error_message=f"type is {SiamMaskChoice.type}, {SiamRcnnChoice.type} or {LastMaskChoice.type}",
    ),
    BeforeValidator(kind_in_full),
]
"""Any tracker; in a config `type` says which, and `tracker="last_mask"` is short for a kind with nothing set."""
