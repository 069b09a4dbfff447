"""CVAT for video 1.1: an XML file a video, a `track` a track, with its mask (or polygon) in every frame that shows it.

A mask is CVAT's: run-lengths along the rows of its box, background first. As a polygon, which tools without masks read,
its parts and holes are joined into one outline, exactly. Where a track goes out of sight a shape is marked `outside`.
Label and track attribute `score` are what a class's name and a track's score are called there.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.folders import EMPTY, new_folder
from vis_pipeline.exchange.names import labels, video_stems, xml_text
from vis_pipeline.exchange.outlines import joined, polygons
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.structures.splits import Video

SUFFIX = ".xml"
SCORE, CROWD = "score", "crowd"
_ATTRIBUTES = ((SCORE, "text", "1"), (CROWD, "checkbox", "false"))

Shape: TypeAlias = Callable[[NDArray[np.bool_]], str]
"""What makes an element of a mask [H, W]: its name and the attributes that say where it is."""


def write_masks(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: a file a video, in which tracks are masks."""
    _write(out, content, notes, mask_shape)


def write_polygons(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: a file a video, in which tracks are polygons."""
    _write(out, content, notes, polygon_shape)


def mask_shape(mask: NDArray[np.bool_]) -> str:
    """A mask with a pixel at least, as CVAT's `mask`."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    pixels = mask[top:bottom, left:right].ravel()
    edges = np.flatnonzero(np.diff(pixels, prepend=False))
    runs = np.diff(edges, prepend=0, append=len(pixels)).tolist()
    return (
        f'mask rle="{", ".join(map(str, runs))}" left="{left}" top="{top}" '
        f'width="{right - left}" height="{bottom - top}"'
    )


def polygon_shape(mask: NDArray[np.bool_]) -> str:
    """A mask with a pixel at least, as CVAT's `polygon`."""
    return f'polygon points="{";".join(f"{x:.2f},{y:.2f}" for x, y in joined(polygons(mask)))}"'


def _write(out: Path, content: SplitTracks, notes: Notes, shape: Shape) -> None:
    folder = new_folder(out)
    stems, called = video_stems(content.split, notes), labels(content.split.categories)
    changed = sum(called[category.id] != category.name for category in content.split.categories)
    notes.say(
        "{count} categories have labels that are not their names: XML cannot hold these, or they are not unique",
        changed,
    )
    for found in content.seen(notes):
        text = "\n".join(_document(found, called, notes, shape)) + "\n"
        write_text(folder / f"{stems[found.video.id]}{SUFFIX}", text)


def _document(found: VideoTracks, called: dict[int, str], notes: Notes, shape: Shape) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "<version>1.1</version>"
    yield from _meta(found.video, list(called.values()))
    for place, track in enumerate(found.tracks):
        attributes = _attributes(repr(track.score), place in found.crowds)
        yield f'<track id="{place + 1}" label={quoteattr(called[track.category_id])} source="auto">'
        last = ""
        for frame, rle in enumerate(track.segmentations):
            mask = None if rle is None else masks.decode(rle)
            if mask is not None and not mask.any():
                notes.say(EMPTY)
                mask = None
            if mask is not None:
                last = shape(mask)
                yield _element(last, frame, 0, attributes)
            elif last:
                yield _element(last, frame, 1, attributes)
                last = ""
        yield "</track>"
    yield "</annotations>"


def _meta(video: Video, called: Sequence[str]) -> Iterator[str]:
    yield f"<meta><task><name>{_text(xml_text(video.name))}</name><size>{video.length}</size>"
    yield f"<mode>interpolation</mode><start_frame>0</start_frame><stop_frame>{video.length - 1}</stop_frame><labels>"
    attributes = "".join(
        f"<attribute><name>{name}</name><mutable>False</mutable><input_type>{kind}</input_type>"
        f"<default_value>{default}</default_value><values>{default}</values></attribute>"
        for name, kind, default in _ATTRIBUTES
    )
    for label in called:
        yield f"<label><name>{_text(label)}</name><attributes>{attributes}</attributes></label>"
    yield f"</labels><original_size><width>{video.width}</width><height>{video.height}</height></original_size>"
    yield "</task></meta>"


def _attributes(score: str, crowd: bool) -> str:
    values = ((SCORE, score), (CROWD, str(crowd).lower()))
    return "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in values)


def _element(shape: str, frame: int, outside: int, attributes: str) -> str:
    name = shape.split(" ", 1)[0]
    return f'<{shape} frame="{frame}" keyframe="1" outside="{outside}" occluded="0" z_order="0">{attributes}</{name}>'


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
