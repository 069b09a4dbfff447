"""A split of one's own videos: folders of images where they lie, and video files, whose frames become images."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from vis_pipeline.data.frames import ImageFrames, OnBadFrame, extent, open_recorded, prefetched
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import read_image
from vis_pipeline.files.regular_files import read_text
from vis_pipeline.files.whole_files import unfinished
from vis_pipeline.structures.frames import BadFrame, Frame, FrameSource, Remark
from vis_pipeline.structures.splits import Category, Split, Video

JPEG_QUALITY = 95


@dataclass(frozen=True)
class OwnSplit:
    """A split without annotations.

    Attributes:
        frames: the folder that the split's file names start from.
        notes: what there is to say of the videos, a line each.
    """

    split: Split
    frames: Path
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Images:
    """The frames of a video as files, by their whole paths."""

    width: int
    height: int
    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    times: tuple[float | None, ...] | None = None


def own_split(
    videos: Sequence[Path],
    categories: Sequence[Category],
    frames_out: Path,
    on_bad_frame: OnBadFrame = "error",
    on_frame: Callable[[int, int], None] = lambda video_id, frames: None,
) -> OwnSplit:
    """Videos with ids from 1 in the order given; file names start from the nearest folder that holds all frames.

    The frames of a video file are those that a run on it sees, upright, written as `frames_out/NAME/00000.jpg` and so
    on (JPEG, quality 95), and the split has their times; `on_frame` is told the video and how many are written. With
    `on_bad_frame="skip"` a frame that cannot be decoded has its place in the split, but no file.

    Raises:
        DataError: a video cannot be read, or `frames_out` cannot be written, or has such a video already.
    """
    sources = [open_recorded(path, on_bad_frame, number) for number, path in enumerate(videos, start=1)]
    found: list[_Images] = []
    names: set[str] = set()
    for source in sources:
        if isinstance(source, ImageFrames):
            # A split's frames are taken as they are stored.
            width, height, _ = extent(replace(source, read=read_image))
            paths = tuple(image.parent.resolve() / image.name for image in source.paths)
            found.append(_Images(width, height, paths))
        else:
            name = _unlike(names, source.name)
            names.add(name)
            found.append(_written(source, frames_out.resolve() / name, on_frame))
    root = Path(os.path.commonpath([images.paths[0].parent.parent for images in found]))
    described = tuple(_video(number, images, root) for number, images in enumerate(found, start=1))
    notes = tuple(note for images in found for note in images.notes)
    return OwnSplit(Split(described, tuple(categories), None), root, notes)


def named_categories(text: str) -> tuple[Category, ...]:
    """Categories with ids from 1, from names separated by commas, or from a text file with one a line.

    Raises:
        DataError: the file cannot be read, or there is no name, or one twice.
    """
    path = Path(text)
    try:
        lines = text.split(",") if "," in text else read_text(path).splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"categories {text}: not a text file in UTF-8") from error
    except OSError as error:
        if path.suffix:
            raise DataError(f"categories {text}: cannot be read ({error.strerror})") from error
        lines = [text]
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DataError(f"categories {text}: no names")
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"categories {text}: '{twins[0]}' is there more than once")
    return tuple(Category(number, name) for number, name in enumerate(names, start=1))


def _unlike(names: set[str], name: str) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(names) + 3))
    return name if name not in names else next(other for other in numbered if other not in names)


def _written(source: FrameSource, folder: Path, on_frame: Callable[[int, int], None]) -> _Images:
    """Write the frames of a video into a new folder, all of them or none."""
    if folder.exists():
        raise DataError(f"frames {folder}: are there already; remove them, or give another --frames-out")
    filled = unfinished(folder.parent / str(source.video_id))
    size, names, times, notes = (0, 0), [], [], []
    try:
        filled.mkdir(parents=True)
        for footage in prefetched(source):
            if isinstance(footage, Remark):
                notes.append(f"video {source.video_id} ({source.name}): {footage.text}")
                continue
            names.append(f"{footage.index:05}.jpg")
            times.append(footage.time)
            if isinstance(footage, BadFrame):
                notes.append(f"video {source.video_id} ({source.name}), frame {footage.name}: {footage.reason}")
            else:
                size = footage.image.shape[:2]
                (filled / names[-1]).write_bytes(jpeg(footage))
            on_frame(source.video_id, len(names))
        if not any(size):
            raise DataError(f"video {source.video_id} ({source.name}): none of its {len(names)} frames could be read")
        filled.rename(folder)
    except OSError as error:
        raise DataError(f"frames {folder}: cannot be written ({error.strerror}); give another --frames-out") from error
    finally:
        shutil.rmtree(filled, ignore_errors=True)
    shown = tuple(times) if any(time is not None for time in times) else None
    return _Images(size[1], size[0], tuple(folder / name for name in names), tuple(notes), shown)


def jpeg(frame: Frame) -> bytes:
    """The frame as a JPEG.

    Raises:
        DataError: it is too large for one.
    """
    try:
        _, data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    except cv2.error as error:
        height, width = frame.image.shape[:2]
        raise DataError(f"video {frame.video_id}: frames of {width}x{height} do not fit into a JPEG") from error
    return bytes(data)


def _video(video_id: int, images: _Images, root: Path) -> Video:
    names = tuple(path.relative_to(root).as_posix() for path in images.paths)
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"frame {name}: its name is not UTF-8, which a split cannot hold; rename it") from error
    return Video(video_id, images.width, images.height, len(names), names, images.times)
