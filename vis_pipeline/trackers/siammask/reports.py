"""What is reported of a target: the mask, the box branch's box, or the score branch's."""

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siammask.architectures import Architecture
from vis_pipeline.trackers.siammask.settings import Report, SiamMaskSettings


def reported(architecture: Architecture, settings: SiamMaskSettings) -> Report:
    """What a network of an architecture reports with these settings: what is asked for, else the most it can.

    Raises:
        ConfigError: it has no branch for what is asked for.
    """
    possible = _possible(architecture)
    report = settings.report or possible[0]
    if report not in possible:
        raise ConfigError(f"report '{report}': not of these weights, which report {' or '.join(possible)}")
    if settings.stages == 2 and report != "mask":
        raise ConfigError("two stages: the second one is for masks, and boxes are reported; take one stage")
    return report


def _possible(architecture: Architecture) -> tuple[Report, ...]:
    """The most first. Where anchors are scored, their boxes are what the scores choose among."""
    box: Report = "box" if architecture.scores_anchors else "score"
    return ("mask", box) if architecture.segments else (box,)
