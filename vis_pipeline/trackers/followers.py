"""Following one object, composed from settings: SiamMask or Siam R-CNN, with the weights that they need."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import STRICT, absolute_reference, parse
from vis_pipeline.settings.same_numbers import same_numbers
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.choices import PresetChoice
from vis_pipeline.trackers.siammask.settings import Report, SiamMaskSettings
from vis_pipeline.trackers.single_object import Follower, ObjectInFrame
from vis_pipeline.weights.registry import resolve

if TYPE_CHECKING:
    import torch

    from vis_pipeline.trackers.siam_rcnn.gallery import Gallery
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor


class Built(NamedTuple):
    """What settings become.

    Attributes:
        follow: follows an object; one after another or side by side, each as if it were the only one.
        predictor: SiamMask itself, for many objects at once; None where the tracker is another, or more than that.
    """

    follow: Follower
    predictor: "SiamMaskPredictor | None"


@dataclass(frozen=True, config=STRICT)
class FollowerSettings(PresetChoice):
    """How an object is to be followed; of SiamMask also the preset, and what is set otherwise.

    Attributes:
        tracker: `siammask` follows from frame to frame, `siam_rcnn` looks all over every frame.
        weights: of SiamMask: a path, `bundled:NAME`, or a published name; with `siam_rcnn` they make the masks, and
            None leaves those to the detector's mask head.
        redetector: weights of a re-detector; with `siammask` it finds again what is lost, and None leaves that lost.
        config: pipeline config whose detector the re-detector was trained with.
        looks: what the re-detector compares.
        selection: of `siam_rcnn`: which re-detection is the object.
        report: of `siammask`: its `mask`, the `box` branch's alone, or the `score` branch's; None: the most that the
            weights have, of which SiamRPN's have boxes and SiamFC's scores.
        deterministic: what is found does not depend, to the bit, on the number of threads; None for unless precision is
            `fast`.
    """

    stages: Literal[1, 2] = 1
    tracker: Literal["siammask", "siam_rcnn"] = "siammask"
    weights: str | None = None
    redetector: str | None = None
    config: str = "real_small"
    looks: Literal["colours", "alike"] = "colours"
    selection: Literal["tdpa", "argmax", "short_term"] = "tdpa"
    report: Report | None = None
    deterministic: bool | None = None

    def settings(self) -> SiamMaskSettings:
        """The preset with what is given here in its place."""
        return replace(super().settings(), report=self.report)

    def facts(self) -> dict[str, Any]:
        """What of it counts, for the result file."""
        own = asdict(self)
        compared = {name: own[name] for name in ("redetector", "config", "looks")}
        finding = {} if self.redetector is None else compared
        if self.tracker == "siam_rcnn":
            return {"tracker": self.tracker, "selection": self.selection, "weights": self.weights, **finding}
        preset = [field.name for field in fields(PresetChoice)]
        given = {name: own[name] for name in (*preset, "report") if own[name] is not None}
        return {**given, "weights": self.weights, **finding}

    def weight_files(self) -> dict[str, Path]:
        """The files of the networks, by part.

        Raises:
            ConfigError: the tracker lacks one, or the config cannot be used.
            WeightsError: one of them is not there.
        """
        from vis_pipeline.runs.settings import load_pipeline

        self._require_weights()
        given = {"weights": self.weights, "redetector": self.redetector}
        files = {part: resolve(reference) for part, reference in given.items() if reference is not None}
        if self.redetector is not None:
            files["detector"] = load_pipeline(self.config).detector.weights()
        return files

    def with_absolute_paths(self) -> "FollowerSettings":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(
            self,
            weights=self.weights and absolute_reference(self.weights),
            redetector=self.redetector and absolute_reference(self.redetector),
            config=absolute_reference(self.config),
        )

    def computing(self, device: "torch.device") -> AbstractContextManager[Any]:
        """The context to follow objects in."""
        exact = self.precision != "fast"
        return same_numbers(device) if (exact if self.deterministic is None else self.deterministic) else nullcontext()

    def build(self, device: "torch.device") -> Built:
        """Load the networks.

        Raises:
            ConfigError: weights or a re-detector are not given, or the detector cannot be used.
            WeightsError: weights are missing or do not fit.
        """
        self._require_weights()
        return _siammask(self, device) if self.tracker == "siammask" else Built(_siam_rcnn(self, device), None)

    def _require_weights(self) -> None:
        if self.tracker == "siammask" and self.weights is None:
            raise ConfigError("no SiamMask; give --weights, such as bundled:siammask_lite0, or --tracker siam_rcnn")
        if self.tracker == "siam_rcnn" and self.redetector is None:
            raise ConfigError("--tracker siam_rcnn: no re-detector; give --redetector, for the detector of --config")


def _siammask(asked: FollowerSettings, device: "torch.device") -> Built:
    """SiamMask, and what finds the object again if there is a re-detector."""
    from vis_pipeline.trackers.siammask.opening import open_predictor
    from vis_pipeline.trackers.siammask.single_object import LossSettings, NoFinder, track_object

    assert asked.weights is not None
    predictor = open_predictor(resolve(asked.weights), asked.settings(), device)
    new_gallery = None if asked.redetector is None else _galleries(asked.redetector, asked, device)

    def follow(frames: Iterable[Frame], box: NDArray[np.float64]) -> Iterator[ObjectInFrame]:
        finder = NoFinder() if new_gallery is None else new_gallery()
        return track_object(predictor, frames, box, finder, LossSettings())

    return Built(follow, predictor if new_gallery is None else None)


def _galleries(redetector: str, asked: FollowerSettings, device: "torch.device") -> "Callable[[], Gallery]":
    """Makes a gallery for each object; the networks are loaded once."""
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.gallery import Gallery, GallerySettings
    from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings

    redetection = parse(RedetectionSettings, {"looks": asked.looks}, "re-detector")
    network = load_redetector(resolve(redetector), device=device)
    source = load_pipeline(asked.config).detector.region_source(device)
    return partial(Gallery, network, source, redetection, GallerySettings(), device)


def _siam_rcnn(asked: FollowerSettings, device: "torch.device") -> Follower:
    """Siam R-CNN; masks by SiamMask's second stage if there are weights of it, else by the detector's mask head."""
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.trackers.choices import SiamRcnnChoice
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.single_object import SiamRcnnFollower

    assert asked.redetector is not None
    masks = "mask_head" if asked.weights is None else {"type": "siammask", "checkpoint": asked.weights}
    given = {
        "checkpoint": asked.redetector,
        "selection": asked.selection,
        "redetection": {"looks": asked.looks},
        "box_to_mask": masks,
    }
    chosen = parse(SiamRcnnChoice, given, "siam_rcnn")
    follower = SiamRcnnFollower(
        load_redetector(resolve(asked.redetector), device=device),
        load_pipeline(asked.config).detector.region_source(device),
        chosen.box_to_mask.build(device),
        chosen.redetection,
        chosen.selection,
        device,
    )
    return follower.follow
