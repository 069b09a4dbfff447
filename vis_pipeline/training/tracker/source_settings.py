"""Where training pairs come from: one settings class for each form of data set, told apart by `type`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.config import STRICT

Share = Annotated[float, Field(gt=0)]
Area = Annotated[float, Field(ge=1)]


@dataclass(frozen=True, config=STRICT)
class VideoSource:
    """A split in YouTube-VIS form (YouTube-VIS, YouTube-VOS, OVIS, procedural and composed videos).

    Attributes:
        split: the JSON file.
        frames: the folder that its file names start from.
        weight: share of the pairs, relative to the other sources.
        only: names of the videos to take (the folders of their frames); all where empty.
        without: names of the videos to leave out.
        least_area: pixels; where a mask has fewer, its object counts as hidden.
    """

    split: Path
    frames: Path
    weight: Share = 1.0
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_area: Area = 64.0
    type: Literal["youtube_vis"] = "youtube_vis"


@dataclass(frozen=True, config=STRICT)
class CocoSource:
    """Still images in COCO form: each serves as both frames of its pairs.

    Attributes:
        instances: the JSON file, masks as RLE or polygons; crowds are left out.
        images: the folder that its file names start from.
        weight: share of the pairs, relative to the other sources.
        only: file names of the images to take; all where empty.
        without: file names of the images to leave out.
        least_area: pixels; where a mask has fewer, its object counts as hidden.
    """

    instances: Path
    images: Path
    weight: Share = 1.0
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_area: Area = 64.0
    type: Literal["coco"] = "coco"


@dataclass(frozen=True, config=STRICT)
class DavisSource:
    """Folders in DAVIS form, `frames/<sequence>/` and `masks/<sequence>/`.

    Attributes:
        frames, masks: the folders of the sequences' folders.
        weight: share of the pairs, relative to the other sources.
        only: names of the sequences to take; all where empty.
        without: names of the sequences to leave out.
        least_area: pixels; where a mask has fewer, its object counts as hidden.
    """

    frames: Path
    masks: Path
    weight: Share = 1.0
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_area: Area = 64.0
    type: Literal["davis"] = "davis"


def _kind(value: Any) -> Any:
    """The form that a config's entry names; one that names none is a YouTube-VIS split."""
    default = VideoSource.type
    return value.get("type", default) if isinstance(value, Mapping) else getattr(value, "type", default)


SourceSettings = Annotated[
    Annotated[VideoSource, Tag(VideoSource.type)]
    | Annotated[CocoSource, Tag(CocoSource.type)]
    | Annotated[DavisSource, Tag(DavisSource.type)],
    Discriminator(
        _kind,
        custom_error_type="source_type",
        custom_error_message=f"type is {VideoSource.type}, {CocoSource.type} or {DavisSource.type}",
    ),
]
"""Any source; as an entry of a config, `type` says which."""


def annotation_path(source: VideoSource | CocoSource | DavisSource) -> Path:
    """The file or folder that tells a source from others: its JSON, or its folder of masks."""
    if isinstance(source, VideoSource):
        return source.split
    return source.instances if isinstance(source, CocoSource) else source.masks
