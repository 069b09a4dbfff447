"""OTB (Wu et al., PAMI 2015): `SEQ/img/*.jpg` and `SEQ/groundtruth_rect.txt`, or `.1.txt`, `.2.txt` of two objects."""

from pathlib import Path

from evaluation.single_object.number_files import read_boxes
from evaluation.single_object.sequences import otb_sequences
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, first_box

# Sequences that are a part of their folder, by the first image of it, from 1; the truth says how many follow.
_FIRST_IMAGES = {"david": 300}


def _read(name: str, truth_file: Path) -> BoxSequence:
    folder = truth_file.parent / "img"
    truth, images = read_boxes(truth_file), image_paths(folder)
    # Some folders go on after the last box, as Freeman3's.
    first = _FIRST_IMAGES.get(name.lower(), 1) - 1 if len(images) > len(truth) else 0
    if first + len(truth) > len(images):
        raise DataError(f"{truth_file}: {len(truth)} rows, and {len(images)} images in {folder}")
    return BoxSequence(name, folder.resolve(), first, len(truth), first_box(truth_file, truth))


OTB = OnePass(otb_sequences, _read, origin=1)
"""Results are `SEQ.txt`."""
