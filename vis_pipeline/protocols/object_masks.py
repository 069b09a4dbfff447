"""Results that are masks, an image a frame: a sequence's folder is written whole, and says so by being there."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vis_pipeline.data.frames import ImageFrames, prefetched
from vis_pipeline.errors import ConfigError
from vis_pipeline.files.palette_images import palette_png
from vis_pipeline.files.whole_folders import new_folder
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.one_by_one import NO_MASKS, follow_one_by_one

if TYPE_CHECKING:
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor

Report = Callable[[int], None]


def numbered_objects(labels: NDArray[np.uint8], numbers: Iterable[int]) -> dict[int, NDArray[np.bool_]]:
    """The masks of some values of a label map [H, W], bool [H, W] each, by value."""
    return {number: labels == number for number in numbers}


def write_objects(
    name: str,
    frames: Sequence[Path],
    begins: Mapping[int, Mapping[int, NDArray[np.bool_]]],
    wanted: Iterable[str],
    trackers: Trackers,
    folder: Path,
    report: Report,
) -> None:
    """Follow the objects of one sequence together and write its label maps with a palette, a PNG a frame.

    Args:
        name: the sequence, for errors.
        frames: its images.
        begins: by the index of a frame the masks of the objects that begin there, by their numbers.
        wanted: the names, without a suffix, of the frames that are written.
        trackers: SiamMask follows all in a batch, any other each alone.
        folder: what is written.
        report: is called with the frames done since the last call.

    Raises:
        ConfigError: the tracker makes no masks.
        DataError: a frame or mask does not fit, or nothing can be written.
    """
    from vis_pipeline.trackers.siammask.several_objects import follow_objects

    kept = set(wanted)
    images = read_frames(name, frames)
    if trackers.predictor is None:
        labelled = follow_one_by_one(trackers.follow, images, begins)
    else:
        require_masks(trackers.predictor)
        labelled = follow_objects(trackers.predictor, images, begins)
    with new_folder(folder) as filled:
        for found in labelled:
            stem = Path(found.frame.name).stem
            if stem in kept:
                (filled / f"{stem}.png").write_bytes(palette_png(found.labels))
            report(1)


def require_masks(predictor: "SiamMaskPredictor") -> None:
    """Raise ConfigError where a network has no mask branch, or is not to use it."""
    if predictor.report != "mask":
        raise ConfigError(NO_MASKS)


def read_frames(name: str, paths: Sequence[Path]) -> Iterator[Frame]:
    """The frames of a sequence, read ahead; a bad one is a DataError."""
    for frame in prefetched(ImageFrames(1, name, paths)):
        assert isinstance(frame, Frame), "bad frames are errors here"
        yield frame


def black_and_white_png(mask: NDArray[np.bool_]) -> bytes:
    """A grey PNG of a mask, bool [H, W]: 255 where it is, 0 elsewhere."""
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(file, "PNG")
    return file.getvalue()


def is_whole(folder: Path, wanted: Iterable[str]) -> bool:
    """Whether a sequence's folder has the mask of every frame that is wanted, by its name without a suffix."""
    return folder.is_dir() and {f"{name}.png" for name in wanted} <= {path.name for path in folder.iterdir()}
