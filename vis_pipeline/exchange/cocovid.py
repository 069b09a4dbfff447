"""CocoVID (mmtracking, mmdet's `BaseVideoDataset`): COCO with a list of `videos`, and `instance_id` in annotations."""

from collections.abc import Iterator
from pathlib import Path

from vis_pipeline.exchange import coco_images
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.files.json_objects import write_json_object
from vis_pipeline.structures.splits import Split


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write one file."""
    videos = (
        {"id": video.id, "name": video.name, "width": video.width, "height": video.height, "length": video.length}
        for video in content.videos
    )
    lists = {
        "videos": videos,
        "images": coco_images.images(content),
        coco_images.ANNOTATIONS: coco_images.annotations(content, "instance_id", notes),
    }
    write_json_object(out, {"categories": coco_images.categories(content.split)}, lists)


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read one file.

    Raises:
        DataError: see :func:`vis_pipeline.exchange.coco_images.read_images`.
    """
    return coco_images.read_images(path, split, conventions, notes)
