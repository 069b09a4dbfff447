"""YouTube-VOS in its own form (2018 and 2019 releases), read and checked as a YouTube-VIS split.

A `meta.json` names the objects of each video and their categories; `Annotations/<video>/<frame>.png` holds the masks,
the value of a pixel being its object's number in `meta.json` and 0 none; `JPEGImages/<video>/<frame>.jpg` the frames.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from vis_pipeline.data.entries import Entry, one_line, parsed
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import (
    frame_size,
    object_annotation,
    object_masks,
    object_tracks,
    read_label_image,
)
from vis_pipeline.data.listings import subfolders
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

NO_CATEGORY = "object"
# What a pixel of eight bits can say besides 0.
_NUMBERS = {str(number): number for number in range(1, 256)}


def youtube_vos_split(meta: Path, annotations_dir: Path, frames_dir: Path) -> Split:
    """One video for each of `meta.json`, ids from 1 in the order of their names, with the frames that have a mask.

    The masks say which frames those are and who is in them: `frames` of `meta.json` may be absent, and an object that
    it lists in a frame may have no pixel there. Only the first frame listed for an object must have a mask. So of the
    training form all annotated frames come, every fifth (also where `frames_dir` is `*_all_frames`), and of the valid
    and test forms those in which an object first appears.

    An object is one annotation, None where it has no pixel; one that has none in any frame gives no annotation. Its
    category is that of its name, ids from 1 in the alphabetical order of the file's own; `object` where it has no name.

    Raises:
        DataError: `meta.json` is missing or of another form; a video has no masks; an object's first mask, or the image
            of a mask's frame, is missing; a mask is damaged, of another size than the video's first frame, or holds an
            object that `meta.json` lacks.
    """
    listed = read_meta(meta)
    names = sorted({entry.category for objects in listed.values() for entry in objects.values()})
    categories = {name: Category(identifier, name) for identifier, name in enumerate(names, start=1)}
    folders = _folders(annotations_dir)
    videos: list[Video] = []
    annotations: list[Annotation] = []
    for name, objects in sorted(listed.items()):
        try:
            if name not in folders:
                raise DataError(f"no folder of that name in the annotations {annotations_dir}")
            paths = mask_paths(folders[name], objects)
            video = _video(len(videos) + 1, paths, frames_dir / name)
            tracks = object_tracks([_masks_of_frame(path, video, objects) for path in paths])
        except DataError as error:
            raise DataError(f"YouTube-VOS {meta}: video {name}: {error}") from error
        videos.append(video)
        for number, segmentations in tracks.items():
            category = categories[objects[number].category]
            annotations.append(object_annotation(len(annotations) + 1, video, category.id, segmentations))
    return Split(tuple(videos), tuple(categories.values()), tuple(annotations))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be shown")
    return text


_Name = Annotated[str, Field(min_length=1), AfterValidator(_printable)]


class ObjectEntry(Entry):
    """An object of a video: its category, and the names of the frames that have it, where they are listed."""

    category: _Name = NO_CATEGORY
    frames: list[_Name] = Field(default_factory=list)


class _VideoEntry(Entry):
    objects: dict[str, ObjectEntry]


class _Meta(Entry):
    videos: dict[_Name, _VideoEntry] = Field(min_length=1)


Objects = Mapping[int, ObjectEntry]
"""The objects of one video under the values of their pixels."""


def read_meta(path: Path) -> dict[str, Objects]:
    """The objects of each video, by its name.

    Raises:
        DataError: the file is missing, of another form, or names no object.
    """
    try:
        with open_json(path) as (file, _):
            stream = JsonStream(file)
            content = stream.value()
            stream.finish()
        if isinstance(content, dict) and isinstance(content.get("videos"), list):
            raise DataError("not a meta.json of YouTube-VOS: it lists videos (a split in YouTube-VIS form?)")
        listed = {name: _objects(name, entry) for name, entry in parsed(_Meta, content).videos.items()}
        if not any(listed.values()):
            raise DataError("no video has an object")
    except DataError as error:
        raise DataError(f"YouTube-VOS {path}: {one_line(error)}") from error
    return listed


def _objects(video: str, entry: _VideoEntry) -> Objects:
    for key in entry.objects:
        if key not in _NUMBERS:
            raise DataError(f"video {video}: {key!r} is no number of an object (1 to 255)")
    return {_NUMBERS[key]: value for key, value in entry.objects.items()}


def _folders(annotations_dir: Path) -> dict[str, Path]:
    """By the listing, so that no name of the JSON leads out of the folder."""
    if not annotations_dir.is_dir():
        raise DataError(f"annotations {annotations_dir}: not a folder")
    return {folder.name: folder for folder in subfolders(annotations_dir)}


def mask_paths(folder: Path, objects: Objects) -> tuple[Path, ...]:
    """The masks of a video, at least one, in the order of its frames.

    Raises:
        DataError: the folder holds none, or lacks that of the first frame listed for an object.
    """
    paths = tuple(path for path in image_paths(folder) if path.suffix == ".png")
    if not paths:
        raise DataError(f"folder {folder}: holds no masks (.png)")
    there = {path.stem for path in paths}
    for number, entry in objects.items():
        if entry.frames and entry.frames[0] not in there:
            raise DataError(f"object {number}: no mask {folder / entry.frames[0]}.png, its first frame in meta.json")
    return paths


def _video(identifier: int, masks: Sequence[Path], folder: Path) -> Video:
    """The frames that belong to the masks."""
    names = [f"{path.stem}.jpg" for path in masks]
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [name for name in names if name not in there]
    if missing:
        more = f" (nor {len(missing) - 1} more frames)" if len(missing) > 1 else ""
        raise DataError(f"frame {missing[0]} of a mask is not in {folder}{more}")
    width, height = frame_size(folder / names[0])
    return Video(identifier, width, height, len(names), tuple(f"{folder.name}/{name}" for name in names))


def _masks_of_frame(path: Path, video: Video, objects: Objects) -> dict[int, Rle]:
    try:
        labels, _ = read_label_image(path, video)
        found = object_masks(labels)
        unknown = sorted(set(found).difference(objects))
        if unknown:
            raise DataError(f"holds object {unknown[0]}, which the video's `objects` lack")
    except DataError as error:
        raise DataError(f"mask {path}: {error}") from error
    return found
