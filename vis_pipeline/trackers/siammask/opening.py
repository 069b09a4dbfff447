"""A predictor from a file of weights."""

from pathlib import Path

import torch

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings


def open_predictor(path: Path, settings: SiamMaskSettings, device: torch.device | str = "cpu") -> SiamMaskPredictor:
    """Load SiamMask, SiamRPN or SiamFC.

    Raises:
        ConfigError: the weights have no branch for what the settings say is to be reported.
        WeightsError: the file cannot be read or does not fit.
    """
    network = load_siammask(path, device)
    try:
        return SiamMaskPredictor(network, settings, device)
    except ConfigError as error:
        raise ConfigError(f"weights {path}: {error}") from error
