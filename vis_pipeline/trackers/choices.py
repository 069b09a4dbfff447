"""What a pipeline's config may say of its tracker: a class of settings for each kind, told apart by `type`."""

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, absolute_reference, kind_of
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.memory.settings import MemorySettings
from vis_pipeline.trackers.siammask.settings import PRESETS, SiamMaskSettings
from vis_pipeline.weights.registry import resolve

if TYPE_CHECKING:
    import torch

    from vis_pipeline.trackers.base import Tracker
    from vis_pipeline.trackers.memory import Recogniser


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
class SiamMaskChoice:
    """SiamMask for each object: the network and how it is used.

    Attributes:
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        preset: the release's inference settings.
        stages: 1, or 2 for the cascade of SiamMask multi-object, section 5.
        mask_threshold, penalty_k, window_influence, size_rate, second_crop, batch, precision: in place of the preset's;
            see :class:`~vis_pipeline.trackers.siammask.settings.SiamMaskSettings`.
        memory: of the tracks that went out of sight; without, an object that comes back is a new one.
    """

    checkpoint: str
    preset: Literal["davis", "vot", "vot18"] = "davis"
    stages: Literal[1, 2] = 2
    mask_threshold: float | None = Field(default=None, gt=0, lt=1)
    penalty_k: float | None = Field(default=None, ge=0)
    window_influence: float | None = Field(default=None, ge=0, le=1)
    size_rate: float | None = Field(default=None, ge=0, le=1)
    second_crop: Literal["located", "smoothed"] | None = None
    batch: int | None = Field(default=None, ge=1)
    precision: Literal["exact", "fast"] | None = None
    memory: MemoryChoice | None = None
    type: Literal["siammask"] = "siammask"

    @property
    def needs_regions(self) -> bool:
        """Whether detections must come with the regions of their frame."""
        return self.memory is not None

    def settings(self) -> SiamMaskSettings:
        """The preset with what is given here in its place."""
        own = ("mask_threshold", "penalty_k", "window_influence", "size_rate", "second_crop", "batch", "precision")
        given = {name: value for name in own if (value := getattr(self, name)) is not None}
        return replace(PRESETS[self.preset], stages=self.stages, **given)

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
        from vis_pipeline.trackers.siammask.checkpoint import load_siammask
        from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
        from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator

        network = load_siammask(resolve(self.checkpoint), device)
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


def _memory_weights(memory: MemoryChoice | None) -> dict[str, Path]:
    return {} if memory is None else {"memory": resolve(memory.checkpoint)}


def _memory(memory: MemoryChoice | None, device: "torch.device") -> "tuple[MemorySettings | None, Recogniser | None]":
    if memory is None:
        return None, None
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.recogniser import RedetectorRecogniser

    network = load_redetector(resolve(memory.checkpoint), device=device)
    return memory.settings(), RedetectorRecogniser(network)


def _in_full(value: Any) -> Any:
    """A kind may stand for itself with nothing set."""
    return {"type": value} if isinstance(value, str) else value


TrackerChoice = Annotated[
    Annotated[SiamMaskChoice, Tag(SiamMaskChoice.type)] | Annotated[LastMaskChoice, Tag(LastMaskChoice.type)],
    Discriminator(
        kind_of(SiamMaskChoice.type),
        custom_error_type="tracker_type",
        custom_error_message=f"type is {SiamMaskChoice.type} or {LastMaskChoice.type}",
    ),
    BeforeValidator(_in_full),
]
"""Any tracker; in a config `type` says which, and `tracker="last_mask"` is short for a kind with nothing set."""
