"""LaSOT (Fan et al., CVPR 2019): `SEQ/` or `CLASS/SEQ/` with `img/*.jpg` and `groundtruth.txt`."""

from pathlib import Path

from evaluation.single_object.sequences import folder_sequences
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, whole_folder


def _read(name: str, truth_file: Path) -> BoxSequence:
    return whole_folder(name, truth_file, truth_file.parent / "img")


LASOT = OnePass(folder_sequences, _read, origin=1)
"""Results are `SEQ.txt`."""
