"""How a tracker learns: its optimiser and rates, what learns from when on, and what it starts from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT
from vis_pipeline.trackers.siammask.architectures import SEARCH_SIDE
from vis_pipeline.training.ranges import Count, Fraction, Positive

Layer = Literal["conv1", "layer1", "layer2", "layer3"]
Part = Literal["adjust", "rpn_model", "mask_model", "refine_model"]

REFINEMENT_SIDE = 143
"""Search crops of the release's refinement stage: a response of 3x3."""
_LEAST_SIDE = 175
"""The network trims the maps of smaller crops as it does an exemplar's: their response is that of the inner ones."""


@dataclass(frozen=True, config=STRICT)
class Schedule:
    """What all schedules have.

    Attributes:
        steps: how many batches are learned from.
        batch: pairs of a batch.
        weight_decay: of kernels; biases and batch norms have none.
        clip: largest norm of the gradient.
        freeze_norm_at: share of the steps after which the batch-norm statistics are measured afresh and then fixed.
        norm_batches: batches over which they are measured.
        search_sides: (share of the steps, side) of the search crops from there on. A smaller crop of the same scale is
            cheaper: its response covers less ground, so the last one must be 255. Sides are 175 + 16 n. The refinement
            stage has 143 from start to end.
    """

    steps: Count
    batch: Count = 16
    weight_decay: float = Field(default=1e-4, ge=0)
    clip: Positive = 20.0
    freeze_norm_at: Fraction = 0.6
    norm_batches: Count = 40
    search_sides: tuple[tuple[Fraction, int], ...] = ((0.0, SEARCH_SIDE),)

    @field_validator("search_sides")
    @classmethod
    def _aligned(cls, sides: tuple[tuple[float, int], ...]) -> tuple[tuple[float, int], ...]:
        """Stride-8 maps lie symmetrically about the middle of such crops only."""
        if sides == ((0.0, REFINEMENT_SIDE),):
            return sides
        if not sides or sides[0][0] != 0 or sides[-1][1] != SEARCH_SIDE:
            raise ValueError(f"starts with share 0 and ends with side {SEARCH_SIDE} (or is {REFINEMENT_SIDE} alone)")
        if any(side < _LEAST_SIDE or (side - _LEAST_SIDE) % 16 for _, side in sides):
            raise ValueError(f"a side is {_LEAST_SIDE} + 16 n (or {REFINEMENT_SIDE} alone)")
        return sides


@dataclass(frozen=True, config=STRICT)
class AdamWCosine(Schedule):
    """AdamW with a linear warm-up of `warm_up` steps to `learning_rate`, then a half cosine down to `final_rate`."""

    learning_rate: Positive = 1e-3
    final_rate: float = Field(default=1e-5, ge=0)
    warm_up: int = Field(default=150, ge=0)
    type: Literal["adamw"] = "adamw"


@dataclass(frozen=True, config=STRICT)
class SgdLogarithmic(Schedule):
    """SGD with momentum as published (SiamMask for multiple objects, section 6.1).

    The run is `epochs` epochs of equal length, and the rate is that of its epoch. It rises linearly from `start_rate`
    to `learning_rate` over `warm_up_epochs`, then falls to `final_rate` in equal steps of its logarithm. Paper: 1e-3 to
    5e-3 in 5 epochs, then to 5e-4 in 15. The release ends at 2.5e-3, after 20 epochs of 600,000 pairs, 64 a batch.
    """

    momentum: Fraction = 0.9
    start_rate: Positive = 1e-3
    learning_rate: Positive = 5e-3
    final_rate: Positive = 5e-4
    epochs: Count = 20
    warm_up_epochs: int = Field(default=5, ge=0)
    type: Literal["sgd"] = "sgd"

    @field_validator("warm_up_epochs")
    @classmethod
    def _shorter(cls, warm_up: int, info: Any) -> int:
        if warm_up >= info.data.get("epochs", warm_up + 1):
            raise ValueError("must be fewer than epochs")
        return warm_up


def _type_or(default: str) -> Any:
    def chosen(value: Any) -> Any:
        return value.get("type", default) if isinstance(value, Mapping) else getattr(value, "type", default)

    return chosen


ScheduleSettings = Annotated[
    Annotated[AdamWCosine, Tag(AdamWCosine.type)] | Annotated[SgdLogarithmic, Tag(SgdLogarithmic.type)],
    Discriminator(
        _type_or(AdamWCosine.type),
        custom_error_type="schedule_type",
        custom_error_message=f"type is {AdamWCosine.type} or {SgdLogarithmic.type}",
    ),
]
"""Any schedule; `type` says which, AdamW with a cosine where it is not given."""


def _all_layers() -> dict[Layer, float]:
    return {"conv1": 0.0, "layer1": 0.0, "layer2": 0.0, "layer3": 0.0}


@dataclass(frozen=True, config=STRICT)
class LearningSettings:
    """Which parts of the network learn, and from when on.

    Attributes:
        backbone: share of the steps from which each layer learns; one that is not named never does. What does not
            learn keeps its batch-norm statistics, too. The release: layer2 and layer3 from 0.5.
        backbone_kernels: `pointwise` leaves the backbone's depthwise kernels as they are: on a CPU their gradient alone
            can cost as much as all the rest of a step.
        backbone_rate: the backbone's learning rate as a share of the others' (the release: 0.1).
        backbone_statistics: `learned` follows those of the layers that learn, as in the heads; `measured` takes them
            once, over `norm_batches` batches before the first step, and fixes them: right for weights that were learned
            on whole images.
        frozen: parts beside the backbone that never learn. `adjust` is the 1x1 convolution behind it.
    """

    backbone: dict[Layer, Fraction] = Field(default_factory=_all_layers)
    backbone_kernels: Literal["all", "pointwise"] = "all"
    backbone_rate: Positive = 1.0
    backbone_statistics: Literal["learned", "measured"] = "learned"
    frozen: tuple[Part, ...] = ()


@dataclass(frozen=True, config=STRICT)
class BackboneStart:
    """Start from the weights of a ResNet, or for such a trunk of an EfficientNet-Lite0.

    They are read by :func:`vis_pipeline.weights.imagenet.load_backbone` and
    :func:`vis_pipeline.weights.efficientnet_lite.load_efficientnet_lite0`.
    """

    path: Path
    type: Literal["backbone"] = "backbone"


@dataclass(frozen=True, config=STRICT)
class NetworkStart:
    """Start from a SiamMask: what the file lacks stays as it was initialised, what has another shape is an error.

    Attributes:
        path: a file, or `bundled:NAME` or the name of published weights.
    """

    path: str
    type: Literal["network"] = "network"


StartSettings = Annotated[
    Annotated[BackboneStart, Tag(BackboneStart.type)] | Annotated[NetworkStart, Tag(NetworkStart.type)],
    Discriminator(
        _type_or(""),
        custom_error_type="start_type",
        custom_error_message=f"type is {BackboneStart.type} or {NetworkStart.type}",
    ),
]
"""What a training starts from; `type` says which."""
