"""YouTube-VOS 2018 and 2019: several objects a video, some of which begin in later frames.

The data are a set as it is handed out: `meta.json`, `Annotations/<video>/*.png` with the masks of the frames in which
objects begin, `JPEGImages/<video>/*.jpg` every fifth frame; all frames lie beside the set, in
`<set>_all_frames/JPEGImages`. The two years have one form.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.data.listings import subfolders
from vis_pipeline.data.youtube_vos import Objects, mask_paths, read_meta
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_IMAGE, read_regular
from vis_pipeline.files.whole_files import replacing
from vis_pipeline.protocols.benchmark import Listing, Trackers
from vis_pipeline.protocols.object_masks import is_whole, numbered_objects, write_objects

RESULTS = "Annotations"
ZIP_NAME = "submission.zip"
_EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class YouTubeVosVideo:
    """One video with what is given of its objects.

    Attributes:
        frames: the images, up to the last that is wanted.
        masks: those that may give objects, by the index of their frame.
        objects: the index of the frame in which each begins by `meta.json`; None where it lists no frames, and the
            object begins in the first mask that has a pixel of it.
        wanted: the names of the frames that the server takes, without a suffix.
    """

    name: str
    frames: tuple[Path, ...]
    masks: Mapping[int, Path]
    objects: Mapping[int, int | None]
    wanted: tuple[str, ...]

    @property
    def length(self) -> int:
        """Its frames."""
        return len(self.frames)


@dataclass(frozen=True)
class YouTubeVos:
    """Results are PNGs with the palette in `Annotations/<video>/`, of the frames that the server takes.

    Those are the ones that `meta.json` lists for any object; where it lists none, all of the set's `JPEGImages`. An
    object is followed to the end of its video; the release stops at the last frame that `meta.json` lists for it.

    Attributes:
        frames: which are tracked, every fifth or all.
    """

    frames: Literal["fifth", "all"] = "fifth"

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[YouTubeVosVideo]:
        """The videos; `data` is a set's folder, or one that has `valid`.

        Raises:
            DataError: there is no `meta.json` that can be read, or a folder is missing.
        """
        folder = set_folder(data)
        meta = read_meta(folder / "meta.json")
        tracked = folder / "JPEGImages"
        if self.frames == "all":
            tracked = folder.with_name(f"{folder.name}_all_frames") / "JPEGImages"
        for needed in (folder / "Annotations", tracked):
            if not needed.is_dir():
                raise DataError(f"{data}: there is no folder {needed}")
        there = {kind: {found.name: found for found in subfolders(kind)} for kind in (folder / "Annotations", tracked)}
        found: list[YouTubeVosVideo] = []
        left_out: dict[str, str] = {}
        for name in sorted(meta) if wanted is None else wanted:
            try:
                if name not in meta:
                    raise DataError(f"{folder / 'meta.json'} has no video of that name")
                for kind, folders in there.items():
                    if name not in folders:
                        raise DataError(f"no folder of that name in {kind}")
                annotated, images = (folders[name] for folders in there.values())
                found.append(_video(name, meta[name], annotated, images, folder / "JPEGImages" / name))
            except DataError as error:
                left_out[name] = str(error)
        return Listing(tuple(found), left_out)

    def is_done(self, given: YouTubeVosVideo, results: Path) -> bool:
        """Whether all masks of a video that the server takes are there."""
        return is_whole(results / RESULTS / given.name, given.wanted)

    def run(self, given: YouTubeVosVideo, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """Follow the objects together and write their label maps.

        Raises:
            ConfigError: the tracker makes no masks.
            DataError: a mask or a frame cannot be used, an object has no mask, or nothing can be written.
        """
        folder = results / RESULTS / given.name
        write_objects(given.name, given.frames, beginnings(given), given.wanted, trackers, folder, report)

    def submission(self, listed: Sequence[YouTubeVosVideo], results: Path) -> Path | None:
        """The zip for the server, with `Annotations/<video>/<frame>.png`; the same masks give the same bytes.

        Raises:
            DataError: a video is not done, or nothing can be written.
        """
        lacking = [given.name for given in listed if not self.is_done(given, results)]
        if lacking:
            raise DataError(f"{results}: {len(lacking)} of {len(listed)} videos are not done, such as {lacking[0]}")
        path = results / ZIP_NAME
        try:
            with replacing(path) as filled, zipfile.ZipFile(filled, "w") as archive:
                for given in listed:
                    for frame in given.wanted:
                        name = f"{RESULTS}/{given.name}/{frame}.png"
                        entry = zipfile.ZipInfo(name, _EARLIEST_ZIP_TIME)
                        entry.external_attr = 0o644 << 16
                        archive.writestr(entry, read_regular(results / name, MOST_IMAGE))
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from error
        return path


def set_folder(data: Path) -> Path:
    """The folder of a set: the one given, or `valid` in it.

    Raises:
        DataError: neither has a `meta.json`.
    """
    for folder in (data, data / "valid"):
        if (folder / "meta.json").is_file():
            return folder.absolute()
    raise DataError(f"{data}: no meta.json of YouTube-VOS, neither there nor in valid")


def beginnings(given: YouTubeVosVideo) -> dict[int, dict[int, NDArray[np.bool_]]]:
    """By the index of a frame the masks of the objects that begin there, bool [H, W] each, by their numbers.

    Raises:
        DataError: a mask is damaged or has an object that `meta.json` lacks, or an object has no mask where it begins.
    """
    begins: dict[int, dict[int, NDArray[np.bool_]]] = {}
    begun: set[int] = set()
    for index, path in given.masks.items():
        try:
            labels, _ = read_stored(path)
        except DataError as error:
            raise DataError(f"mask {path}: {error}") from error
        present = [int(number) for number in np.unique(labels) if number]
        unknown = [number for number in present if number not in given.objects]
        if unknown:
            raise DataError(f"mask {path}: holds object {unknown[0]}, which meta.json lacks")
        new = [number for number in present if number not in begun and given.objects[number] in (None, index)]
        if new:
            begins[index] = numbered_objects(labels, new)
            begun.update(new)
    lacking = [number for number in given.objects if number not in begun]
    if lacking:
        first = given.objects[lacking[0]]
        where = "any mask" if first is None else f"mask {given.masks[first]}"
        raise DataError(f"object {lacking[0]} of meta.json: no pixel in {where}")
    return begins


def _video(name: str, objects: Objects, annotated: Path, images: Path, fifth: Path) -> YouTubeVosVideo:
    if not objects:
        raise DataError("meta.json lists no object for it")
    frames = image_paths(images)
    places = {path.stem: index for index, path in enumerate(frames)}
    giving = {path.stem: path for path in mask_paths(annotated, objects)}
    begins = {number: entry.frames[0] if entry.frames else None for number, entry in objects.items()}
    if None not in begins.values():
        giving = {frame: path for frame, path in giving.items() if frame in begins.values()}
    listed = {frame for entry in objects.values() for frame in entry.frames}
    if not listed:
        if not fifth.is_dir():
            raise DataError(f"meta.json lists no frames, and there is no folder {fifth} to say which are wanted")
        listed = {path.stem for path in image_paths(fifth)}
    missing = sorted(listed.union(giving).difference(places))
    if missing:
        raise DataError(f"no frame {missing[0]} in {images}")
    wanted = tuple(path.stem for path in frames if path.stem in listed)
    return YouTubeVosVideo(
        name,
        frames[: places[wanted[-1]] + 1],
        {places[frame]: path for frame, path in giving.items()},
        {number: None if frame is None else places[frame] for number, frame in begins.items()},
        wanted,
    )
