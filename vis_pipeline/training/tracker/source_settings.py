"""Where training pairs come from: one settings class for each form of data set, told apart by `type`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, kind_of

Share = Annotated[float, Field(gt=0)]
Area = Annotated[float, Field(ge=1)]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class _Source:
    """What every form has; by a video's name is meant that of its folder, by an image's that of its file.

    Attributes:
        weight: share of the pairs, relative to the other sources.
        only: names of the videos or images to take; all where empty.
        without: names of those to leave out.
        least_area: pixels; where a mask has fewer, its object counts as hidden.
    """

    weight: Share = 1.0
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_area: Area = 64.0


@dataclass(frozen=True, config=STRICT)
class VideoSource(_Source):
    """A split in YouTube-VIS form (YouTube-VIS, OVIS, procedural and composed videos).

    Attributes:
        split: the JSON file.
        frames: the folder that its file names start from.
    """

    split: Path
    frames: Path
    type: Literal["youtube_vis"] = "youtube_vis"


@dataclass(frozen=True, config=STRICT)
class VosSource(_Source):
    """YouTube-VOS in its own form: `annotations/<video>/<frame>.png`, `frames/<video>/<frame>.jpg`.

    Attributes:
        meta: its `meta.json`.
        annotations, frames: the folders of the videos' folders.
    """

    meta: Path
    annotations: Path
    frames: Path
    type: Literal["youtube_vos"] = "youtube_vos"


@dataclass(frozen=True, config=STRICT)
class CocoSource(_Source):
    """Still images in COCO form: each serves as both frames of its pairs.

    Attributes:
        instances: the JSON file, masks as RLE or polygons; crowds are left out.
        images: the folder that its file names start from.
    """

    instances: Path
    images: Path
    type: Literal["coco"] = "coco"


@dataclass(frozen=True, config=STRICT)
class DavisSource(_Source):
    """Folders in DAVIS form, `frames/<sequence>/` and `masks/<sequence>/`.

    Attributes:
        frames, masks: the folders of the sequences' folders.
    """

    frames: Path
    masks: Path
    type: Literal["davis"] = "davis"


SourceSettings = Annotated[
    Annotated[VideoSource, Tag(VideoSource.type)]
    | Annotated[VosSource, Tag(VosSource.type)]
    | Annotated[CocoSource, Tag(CocoSource.type)]
    | Annotated[DavisSource, Tag(DavisSource.type)],
    Discriminator(
        kind_of(VideoSource.type),
        custom_error_type="source_type",
        custom_error_message=f"type is {VideoSource.type}, {VosSource.type}, {CocoSource.type} or {DavisSource.type}",
    ),
]
"""Any source; as an entry of a config, `type` says which."""


def annotation_path(source: VideoSource | VosSource | CocoSource | DavisSource) -> Path:
    """The file or folder that tells a source from others: its JSON, or its folder of masks."""
    match source:
        case VideoSource():
            return source.split
        case VosSource():
            return source.meta
        case CocoSource():
            return source.instances
        case DavisSource():
            return source.masks
