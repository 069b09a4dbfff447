"""COCO, a frame an image: `images` and `annotations` with `track_id`, as pycocotools reads them."""

from collections.abc import Iterator
from pathlib import Path

from vis_pipeline.exchange import coco_images
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.files.json_objects import write_json_object
from vis_pipeline.structures.splits import Split


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write one file."""
    lists = {
        "images": coco_images.images(content),
        coco_images.ANNOTATIONS: coco_images.annotations(content, "track_id", notes),
    }
    write_json_object(out, {"categories": coco_images.categories(content.split)}, lists)


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read one file, of images that may be frames of the split by their names alone.

    Raises:
        DataError: see :func:`vis_pipeline.exchange.coco_images.read_images`.
    """
    return coco_images.read_images(path, split, conventions, notes)
