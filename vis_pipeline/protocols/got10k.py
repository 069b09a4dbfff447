"""GOT-10k (Huang et al., PAMI 2019): its folder `val` or `train`, with truth, or `test`, with the first box alone."""

from pathlib import Path

from evaluation.single_object.sequences import folder_sequences
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, whole_folder


def _read(name: str, truth_file: Path) -> BoxSequence:
    return whole_folder(name, truth_file, truth_file.parent, first_box_alone=True)


GOT10K = OnePass(folder_sequences, _read, result="{0}/{0}_001.txt".format, times="{0}/{0}_time.txt".format, sent=True)
"""Results are `SEQ/SEQ_001.txt` and `SEQ/SEQ_time.txt`, as its toolkit reads them; its server takes a zip of them."""
