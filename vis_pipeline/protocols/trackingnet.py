"""TrackingNet (Mueller et al., ECCV 2018): chunks `TEST` and `TRAIN_0` ... with `frames/SEQ/*.jpg`, `anno/SEQ.txt`."""

from pathlib import Path

from evaluation.single_object.one_pass_sequences import trackingnet_sequences
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, whole_folder


def _read(name: str, truth_file: Path) -> BoxSequence:
    return whole_folder(name, truth_file, truth_file.parents[1] / "frames" / name, first_box_alone=True)


TRACKINGNET = OnePass(trackingnet_sequences, _read, sent=True)
"""Results are `SEQ.txt`, and for the server a zip of them."""
