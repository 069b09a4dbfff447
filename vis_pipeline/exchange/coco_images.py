"""What COCO and CocoVID have in common: a list of images, a list of annotations of images, and which track each is of.

An image is a frame of a video, `video_id` and `frame_id` (from 0) say which. An annotation has the mask as compressed
RLE, its box and area in pixels and, of results, the track's score. The numbers of tracks are unique in the file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field, PositiveInt

from vis_pipeline import masks
from vis_pipeline.data.entries import Entry, Id, one_line, parsed
from vis_pipeline.data.splits import categories_from_json
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.boxes import BOXES, rectangle
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.gathering import Gatherer, require_score
from vis_pipeline.exchange.json_index import EntriesByVideo, seekable_json
from vis_pipeline.exchange.names import shown
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Category, Split, Video

ANNOTATIONS = "annotations"
LONE = "{count} annotations say no track: each is a track of one frame"


def images(content: SplitTracks) -> Iterator[dict[str, Any]]:
    """Every frame of the videos, with ids from 1."""
    identifier = 0
    for video in content.videos:
        for frame, name in enumerate(video.file_names):
            identifier += 1
            yield {
                "id": identifier,
                "file_name": name,
                "width": video.width,
                "height": video.height,
                "video_id": video.id,
                "frame_id": frame,
            }


def annotations(content: SplitTracks, track_key: str, notes: Notes) -> Iterator[dict[str, Any]]:
    """Every mask, frame by frame of each video, with ids from 1; `track_key` names the track."""
    first_image, first_track, identifier = 1, 1, 0
    for found in content.seen(notes):
        for frame in range(found.video.length):
            for place, track in enumerate(found.tracks):
                rle = track.segmentations[frame]
                if rle is None:
                    continue
                identifier += 1
                entry = {
                    "id": identifier,
                    "image_id": first_image + frame,
                    "video_id": found.video.id,
                    "category_id": track.category_id,
                    track_key: first_track + place,
                    "bbox": masks.bounding_boxes([rle])[0].tolist(),
                    "area": float(masks.area([rle])[0]),
                    "iscrowd": int(place in found.crowds),
                    "segmentation": rle,
                }
                yield entry if content.is_truth else {**entry, "score": track.score}
        first_image += found.video.length
        first_track += len(found.tracks)


def categories(split: Split) -> list[dict[str, Any]]:
    """The split's, as COCO lists them."""
    return [{"id": category.id, "name": category.name} for category in split.categories]


class _ImageEntry(Entry):
    id: Id
    file_name: str
    width: PositiveInt
    height: PositiveInt
    video_id: Id | None = None
    frame_id: int | None = None


class _AnnotationEntry(Entry):
    image_id: Id
    category_id: Id
    segmentation: Any = None
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    iscrowd: Literal[0, 1, False, True] = 0
    score: float = 1.0
    track_id: Id | None = None
    instance_id: Id | None = None


def described_split(path: Path) -> Split:
    """The videos and categories of a file, where its images say which frames of which videos they are.

    Raises:
        DataError: they do not; or the file is damaged or not of this form.
    """
    try:
        with seekable_json(path) as file:
            head = _head(file)
        named = [_image(entry, index) for index, entry in enumerate(head["images"])]
        videos: dict[int, dict[int, _ImageEntry]] = {}
        for image in named:
            if image.video_id is None or image.frame_id is None:
                raise DataError(f"image {image.id}: says no `video_id` and `frame_id`; give --split")
            if videos.setdefault(image.video_id, {}).setdefault(image.frame_id, image) is not image:
                raise DataError(f"image {image.id}: frame {image.frame_id} of video {image.video_id} is there twice")
        if "categories" not in head:
            raise DataError("lists no `categories`; give --split")
        found = tuple(_described(video, frames) for video, frames in videos.items())
        return Split(found, categories_from_json(head["categories"]), None)
    except DataError as error:
        raise DataError(f"COCO file {path}: {one_line(error)}") from error


def read_images(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """The tracks of a file, video by video of the split.

    Raises:
        DataError: it is damaged or not of this form, or does not fit the split; the image or annotation is named.
    """
    try:
        with seekable_json(path) as file:
            head = _head(file)
            frames = _frames(head["images"], split)
            classes = _classes(head.get("categories"), split)
            index = EntriesByVideo()
            file.seek(0)
            stream = JsonStream(file)
            for key in stream.members():
                if key == ANNOTATIONS:
                    index.scan(stream, lambda entry, place: _video_of(entry, place, frames))
                else:
                    stream.value()
            for video in split.videos:
                gatherer = Gatherer(video, conventions, notes)
                for place, content in index.entries(file, video.id):
                    try:
                        _add(gatherer, parsed(_AnnotationEntry, content), place, video, frames, classes, notes)
                    except DataError as error:
                        raise DataError(f"{ANNOTATIONS}.{place}: {error}") from error
                yield gatherer.tracks()
    except DataError as error:
        raise DataError(f"COCO file {path}: {one_line(error)}") from error


def _head(file: IO[bytes]) -> dict[str, Any]:
    """All but the annotations, which are gone through without being kept."""
    stream = JsonStream(file)
    if stream.peek() == "[":
        raise DataError("a list, which does not say which images it means; give an object with `images`")
    head: dict[str, Any] = {}
    for key in stream.members():
        if key == ANNOTATIONS and stream.peek() == "[":
            head[key] = None
            for _ in stream.entries():
                pass
        else:
            head[key] = stream.value()
    stream.finish()
    for key in ("images", ANNOTATIONS):
        if key not in head or (key == "images" and not isinstance(head[key], list)):
            raise DataError(f"not COCO's form: no list `{key}`")
    if head[ANNOTATIONS] is not None:
        raise DataError(f"not COCO's form: no list `{ANNOTATIONS}`")
    return head


def _image(content: Any, index: int) -> _ImageEntry:
    try:
        return parsed(_ImageEntry, content)
    except DataError as error:
        raise DataError(f"images.{index}: {error}") from error


def _described(identifier: int, frames: Mapping[int, _ImageEntry]) -> Video:
    listed = [frames[frame] for frame in sorted(frames)]
    sizes = {(image.width, image.height) for image in listed}
    if len(sizes) > 1:
        raise DataError(f"video {identifier}: its images have several sizes")
    if sorted(frames) != list(range(min(frames), min(frames) + len(frames))):
        raise DataError(f"video {identifier}: frames are missing among its `frame_id`s; give --split")
    ((width, height),) = sizes
    return Video(identifier, width, height, len(listed), tuple(image.file_name for image in listed))


def _frames(listed: list[Any], split: Split) -> dict[int, tuple[int, int]]:
    """The video and the frame, from 0, of each image, by its id: as it says itself, or else by its file's name."""
    videos = split.videos_by_id()
    by_name: dict[str, list[tuple[int, int]]] = {}
    for video in split.videos:
        for frame, name in enumerate(video.file_names):
            by_name.setdefault(name, []).append((video.id, frame))
    frames: dict[int, tuple[int, int]] = {}
    for index, content in enumerate(listed):
        image = _image(content, index)
        places = by_name.get(image.file_name, [])
        if not places:
            raise DataError(f"image {image.id} ({shown(image.file_name)}): no frame of the split has this name")
        told = [place for place in places if place[0] == image.video_id]
        video_id, frame = _one_of(told or places, image)
        if (image.width, image.height) != (videos[video_id].width, videos[video_id].height):
            raise DataError(f"image {image.id}: is {image.width}x{image.height}, video {video_id} is not")
        if image.id in frames:
            raise DataError(f"image id {image.id} is there more than once")
        frames[image.id] = video_id, frame
    return frames


def _one_of(places: list[tuple[int, int]], image: _ImageEntry) -> tuple[int, int]:
    if len(places) == 1:
        return places[0]
    told = [place for place in places if place == (image.video_id, image.frame_id)]
    if not told:
        raise DataError(f"image {image.id} ({shown(image.file_name)}): several frames of the split have this name")
    return told[0]


def _classes(listed: Any, split: Split) -> Mapping[int, int | None]:
    """The split's category of each of the file's, by the same id and name, or else by the name; None where none is."""
    if listed is None:
        return {category.id: category.id for category in split.categories}
    by_name: dict[str, list[int]] = {}
    for category in split.categories:
        by_name.setdefault(category.name, []).append(category.id)

    def own(stated: Category) -> int | None:
        ids = by_name.get(stated.name, [])
        return stated.id if stated.id in ids else ids[0] if len(ids) == 1 else None

    return {stated.id: own(stated) for stated in categories_from_json(listed)}


def _video_of(content: Any, place: int, frames: Mapping[int, tuple[int, int]]) -> int:
    image = content.get("image_id") if isinstance(content, dict) else None
    if type(image) is not int or image not in frames:
        raise DataError(f"{ANNOTATIONS}.{place}: no image has the id {image!r}")
    return frames[image][0]


def _add(
    gatherer: Gatherer,
    entry: _AnnotationEntry,
    place: int,
    video: Video,
    frames: Mapping[int, tuple[int, int]],
    classes: Mapping[int, int | None],
    notes: Notes,
) -> None:
    category = classes.get(entry.category_id)
    if category is None:
        raise DataError(f"the split has no category like the file's {entry.category_id}")
    number = entry.track_id if entry.track_id is not None else entry.instance_id
    if number is None:
        notes.say(LONE)
        # Below every number that a file may have given.
        number = -(2**63) - 1 - place
    gatherer.add(number, frames[entry.image_id][1], _mask(entry, video, notes), category, require_score(entry.score))
    if entry.iscrowd:
        gatherer.mark_crowd(number)


def _mask(entry: _AnnotationEntry, video: Video, notes: Notes) -> Rle:
    if entry.segmentation not in (None, []):
        return masks.from_segmentation(entry.segmentation, video.height, video.width)
    if entry.bbox is None:
        raise DataError("has neither a mask nor a box")
    notes.say(BOXES)
    return rectangle(entry.bbox, video)
