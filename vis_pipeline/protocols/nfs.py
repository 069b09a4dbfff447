"""NfS (Galoogahi et al., ICCV 2017): `SEQ/240/SEQ/*.jpg` and `SEQ/240/SEQ.txt`, and the same in `30`."""

from pathlib import Path

from evaluation.single_object.one_pass_sequences import nfs_images, nfs_sequences, nfs_truth
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, first_box


def _read(name: str, truth_file: Path) -> BoxSequence:
    truth = nfs_truth(truth_file)
    return BoxSequence(name, nfs_images(truth_file).resolve(), 0, len(truth), first_box(truth_file, truth))


NFS30 = OnePass(nfs_sequences(30), _read)
NFS240 = OnePass(nfs_sequences(240), _read)
"""Results of both are `SEQ.txt`, x, y, width, height."""
