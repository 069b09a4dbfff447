"""UAV123 and UAV20L (Mueller et al., ECCV 2016): boxes in `anno/`, images in `data_seq/UAV123/` of one folder."""

from pathlib import Path

from evaluation.single_object.number_files import read_boxes
from evaluation.single_object.one_pass_sequences import uav_sequences
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.one_pass import OnePass, first_box

# UAV123's sequences FOLDER_1, FOLDER_2 ... are cut out of one folder: the numbers of their first images, as the data
# set's configSeqs.m has them. How long they are the boxes say.
CUTS = {
    "bird1": (1, 775, 1573),
    "car1": (1, 751, 1627),
    "car6": (1, 487, 1807, 2953, 3925),
    "car8": (1, 1357),
    "car16": (1, 415),
    "group1": (1, 1333, 2515, 3925),
    "group2": (1, 907, 1771),
    "group3": (1, 1567, 2827, 4369),
    "person2": (1, 1189),
    "person4": (1, 1501),
    "person5": (1, 877),
    "person7": (1, 1249),
    "person8": (1, 1075),
    "person12": (1, 601),
    "person14": (1, 847, 1813),
    "person17": (1, 1501),
    "person19": (1, 1243, 2791),
    "truck4": (1, 577),
    "uav1": (1, 1555, 2473),
}


def images_of(name: str) -> tuple[str, int]:
    """The folder of a sequence of UAV123, and the number of its first image there."""
    folder, _, part = name.rpartition("_")
    if folder in CUTS and part.isdecimal() and 1 <= int(part) <= len(CUTS[folder]):
        return folder, CUTS[folder][int(part) - 1]
    return name, 1


def _read(name: str, truth_file: Path, folder_name: str, number: int) -> BoxSequence:
    folder = truth_file.parents[2] / "data_seq" / "UAV123" / folder_name
    truth, images = read_boxes(truth_file), image_paths(folder)
    wanted = images[number - 1 : number - 1 + len(truth)]
    if len(wanted) < len(truth):
        raise DataError(f"{truth_file}: {len(truth)} rows, and {len(wanted)} images from number {number} in {folder}")
    if not (wanted[0].stem.isdecimal() and int(wanted[0].stem) == number):
        raise DataError(f"{folder}: image {number} is {wanted[0].name}; some before it are missing")
    return BoxSequence(name, folder.resolve(), number - 1, len(truth), first_box(truth_file, truth))


def _read_123(name: str, truth_file: Path) -> BoxSequence:
    return _read(name, truth_file, *images_of(name))


def _read_20l(name: str, truth_file: Path) -> BoxSequence:
    return _read(name, truth_file, name, 1)


UAV123 = OnePass(uav_sequences("UAV123"), _read_123, origin=1)
UAV20L = OnePass(uav_sequences("UAV20L"), _read_20l, origin=1)
"""Results of both are `SEQ.txt`."""
