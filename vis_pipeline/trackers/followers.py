"""Following one object, composed from settings: SiamMask or Siam R-CNN, with the weights that they need."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import parse
from vis_pipeline.trackers.single_object import Follower
from vis_pipeline.weights.registry import resolve

if TYPE_CHECKING:
    import torch

    from vis_pipeline.trackers.siam_rcnn.gallery import Gallery


@dataclass(frozen=True)
class FollowerSettings:
    """How an object is to be followed."""

    tracker: Literal["siammask", "siam_rcnn"]
    weights: str | None
    redetector: str | None
    config: str
    looks: Literal["colours", "alike"]
    selection: Literal["tdpa", "argmax", "short_term"]
    preset: Literal["davis", "vot", "vot18"]
    stages: Literal[1, 2]

    def facts(self) -> dict[str, Any]:
        """For the result file."""
        siammask = {"preset": self.preset, "stages": self.stages}
        compared = {"redetector": self.redetector, "config": self.config, "looks": self.looks}
        finding = {} if self.redetector is None else compared
        if self.tracker == "siammask":
            return {**siammask, "weights": self.weights, **finding}
        return {"tracker": self.tracker, "selection": self.selection, "weights": self.weights, **finding}

    def build(self, device: "torch.device") -> Follower:
        """Load the networks.

        Raises:
            ConfigError: weights or a re-detector are not given, or the detector cannot be used.
            WeightsError: weights are missing or do not fit.
        """
        return (_siammask if self.tracker == "siammask" else _siam_rcnn)(self, device)


def _siammask(asked: FollowerSettings, device: "torch.device") -> Follower:
    """SiamMask, and what finds the object again if there is a re-detector."""
    from vis_pipeline.trackers.siammask.checkpoint import load_siammask
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
    from vis_pipeline.trackers.siammask.settings import PRESETS
    from vis_pipeline.trackers.siammask.single_object import LossSettings, NoFinder, track_object

    if asked.weights is None:
        raise ConfigError("sot: no SiamMask; give --weights, such as bundled:siammask_lite0, or --tracker siam_rcnn")
    settings = replace(PRESETS[asked.preset], stages=asked.stages)
    predictor = SiamMaskPredictor(load_siammask(resolve(asked.weights), device), settings, device)
    finder = NoFinder() if asked.redetector is None else _gallery(asked.redetector, asked, device)
    return partial(track_object, predictor, finder=finder, settings=LossSettings())


def _gallery(redetector: str, asked: FollowerSettings, device: "torch.device") -> "Gallery":
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.gallery import Gallery, GallerySettings
    from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings

    redetection = parse(RedetectionSettings, {"looks": asked.looks}, "sot")
    network = load_redetector(resolve(redetector), device=device)
    source = load_pipeline(asked.config).detector.region_source(device)
    return Gallery(network, source, redetection, GallerySettings(), device)


def _siam_rcnn(asked: FollowerSettings, device: "torch.device") -> Follower:
    """Siam R-CNN, with masks by SiamMask's second stage if there are weights of it, else by the detector's mask head."""
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.trackers.choices import SiamRcnnChoice
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.single_object import SiamRcnnFollower

    if asked.redetector is None:
        raise ConfigError("sot --tracker siam_rcnn: no re-detector; give --redetector, for the detector of --config")
    masks = "mask_head" if asked.weights is None else {"type": "siammask", "checkpoint": asked.weights}
    given = {
        "checkpoint": asked.redetector,
        "selection": asked.selection,
        "redetection": {"looks": asked.looks},
        "box_to_mask": masks,
    }
    chosen = parse(SiamRcnnChoice, given, "sot")
    follower = SiamRcnnFollower(
        load_redetector(resolve(asked.redetector), device=device),
        load_pipeline(asked.config).detector.region_source(device),
        chosen.box_to_mask.build(device),
        chosen.redetection,
        chosen.selection,
        device,
    )
    return follower.follow
