"""The forms by their names: how each is written and read, and what it asks for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vis_pipeline.errors import ConfigError
from vis_pipeline.exchange import (
    coco,
    coco_images,
    cocovid,
    csv_table,
    cvat,
    cvat_reading,
    davis,
    labelme,
    mot_txt,
    mots_png,
    mots_txt,
    youtube_vis,
)
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.structures.splits import Split

Writer: TypeAlias = Callable[[Path, SplitTracks, Conventions, Notes], None]
Reader: TypeAlias = Callable[[Path, Split, Conventions, Notes], Iterator[VideoTracks]]


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        write: makes it, at a path that is a file or a folder as the form has it.
        read: the tracks in it, of the videos of a split that are there.
        described_split: the videos and categories that it describes itself; None where it needs a split.
        first_frame: the number of a video's first frame; None where the form leaves no choice.
    """

    write: Writer
    read: Reader
    described_split: Callable[[Path], Split] | None = None
    first_frame: int | None = None


FORMS: Mapping[str, Form] = {
    "youtube-vis": Form(youtube_vis.write, youtube_vis.read),
    "coco": Form(coco.write, coco.read, coco_images.described_split),
    "cocovid": Form(cocovid.write, cocovid.read, coco_images.described_split),
    "mots-txt": Form(mots_txt.write, mots_txt.read, first_frame=0),
    "mots-png": Form(mots_png.write, mots_png.read, first_frame=0),
    "mot-txt": Form(mot_txt.write, mot_txt.read, first_frame=1),
    "davis": Form(davis.write, davis.read),
    "cvat": Form(cvat.write_masks, cvat_reading.read),
    "cvat-polygons": Form(cvat.write_polygons, cvat_reading.read),
    "labelme": Form(labelme.write, labelme.read),
    "csv": Form(csv_table.write, csv_table.read),
}


def form_named(name: str) -> Form:
    """A form by its name.

    Raises:
        ConfigError: there is none; the line names the nearest.
    """
    if name not in FORMS:
        raise ConfigError(f"--form {name}: give one of {', '.join(FORMS)}{did_you_mean(name, FORMS)}")
    return FORMS[name]


def conventions(name: str, first_frame: int | None, category: int | None = None) -> Conventions:
    """How to read or write a form.

    Raises:
        ConfigError: it leaves no choice of the first frame's number.
    """
    form = form_named(name)
    if first_frame is not None and form.first_frame is None:
        numbered = ", ".join(other for other, known in FORMS.items() if known.first_frame is not None)
        raise ConfigError(f"--first-frame {first_frame}: is for forms whose frames have numbers ({numbered})")
    return Conventions(form.first_frame or 0 if first_frame is None else first_frame, category)
