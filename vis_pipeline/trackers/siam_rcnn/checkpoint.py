"""A re-detector's weights: safetensors in float16, with its architecture and its detector in the header."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from vis_pipeline.data.entries import one_line
from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector, RedetectorArchitecture
from vis_pipeline.weights.files import load_strictly, misfit, read_metadata, read_state_dict, write_state_dict

_KIND = "redetector"


def load_redetector(path: Path, channels: int | None = None, device: torch.device | str = "cpu") -> Redetector:
    """Build the network that a file describes and load it, in float32 and evaluation mode.

    `channels` are those of the detector's RoI features that it is to compare; None lets any do.

    Raises:
        WeightsError: the file cannot be read, is no re-detector's, is one for another detector, or a key is missing,
            extra or of the wrong shape.
    """
    tensors = read_state_dict(path)
    metadata = read_metadata(path)
    declared = metadata.get(_KIND)
    if declared is None:
        raise WeightsError(
            f"weights {path}: these are no re-detector's; `vis-pipeline train redetector` makes them, for one detector"
        )
    try:
        architecture = TypeAdapter(RedetectorArchitecture).validate_python(declared)
    except ValidationError as error:
        raise WeightsError(f"weights {path}: its metadata describes no re-detector ({one_line(declared)})") from error
    if channels is not None and architecture.channels != channels:
        raise WeightsError(
            f"weights {path}: of a re-detector for {architecture.channels} channels "
            f"({metadata.get('detector', 'it names no detector')}), and this detector has {channels}; give those that "
            "were trained with it"
        )
    # Nothing is allocated before the file is known to hold as much.
    with torch.device("meta"):
        skeleton = Redetector(architecture)
    if fault := misfit(skeleton, tensors):
        raise WeightsError(f"weights {path}: {fault}")
    network = Redetector(architecture)
    load_strictly(network, tensors, path)
    return network.to(device).eval()


def save_redetector(path: Path, network: Redetector, detector: str, metadata: Mapping[str, Any] | None = None) -> None:
    """Write safetensors in float16; `detector` names whose features the network compares.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    header = {**(metadata or {}), "detector": detector, _KIND: asdict(network.architecture)}
    write_state_dict(path, network.state_dict(), header)
