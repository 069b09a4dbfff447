"""Folders of a file or a folder a video: made new, and gone through by the videos of a split."""

from collections.abc import Iterable
from pathlib import Path

from vis_pipeline.data.listings import visible
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Notes
from vis_pipeline.exchange.names import TABLE_NAME, shown, video_of_stem, videos_by_stem
from vis_pipeline.structures.splits import Split, Video

EMPTY = "{count} masks without a pixel were left out"
WITHOUT = "{count} videos of the split are not there: they are not finished"


def new_folder(path: Path) -> Path:
    """Make a folder for an export; nothing may lie in it, so that no frame of an earlier one is taken for a new one.

    Raises:
        DataError: something does, or it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise DataError(f"{path}: is not empty; give another --out, or remove it")
    except OSError as error:
        raise DataError(f"{path}: cannot be made ({error.strerror})") from error
    return path


def subfolder(folder: Path, name: str) -> Path:
    """Make a folder in a folder.

    Raises:
        DataError: it cannot be made.
    """
    path = folder / name
    try:
        path.mkdir()
    except OSError as error:
        raise DataError(f"{path}: cannot be made ({error.strerror})") from error
    return path


def video_files(path: Path, suffix: str, split: Split, notes: Notes) -> list[tuple[Video, Path]]:
    """The videos of the split that have a file with this suffix in a folder, or that are the only one and have this.

    Raises:
        DataError: there are none, or one is of no video of the split.
    """
    if path.is_file() and path.suffix == suffix and len(split.videos) == 1:
        return [(split.videos[0], path)]
    files = [entry for entry in _inside(path) if entry.is_file() and entry.suffix == suffix]
    if not files:
        raise DataError(f"{path}: holds no {suffix} files, one a video; is it of another form?")
    return _of_videos(path, ((entry.name.removesuffix(suffix), entry) for entry in files), split, notes)


def video_folders(path: Path, split: Split, notes: Notes) -> list[tuple[Video, Path]]:
    """The videos of the split that have a folder in a folder; of a split of one video it may be that folder itself.

    Raises:
        DataError: there are none, or one is of no video of the split.
    """
    inside = _inside(path)
    folders = [entry for entry in inside if entry.is_dir()]
    if inside and not folders and len(split.videos) == 1:
        return [(split.videos[0], path)]
    if not folders:
        raise DataError(f"{path}: holds no folders, one a video; is it of another form?")
    return _of_videos(path, ((entry.name, entry) for entry in folders), split, notes)


def frame_files(folder: Path, suffix: str) -> list[Path]:
    """The files of a video's frames.

    Raises:
        DataError: there are none.
    """
    files = [entry for entry in _inside(folder) if entry.suffix == suffix]
    if not files:
        raise DataError(f"{folder}: holds no {suffix} files, one a frame; is it of another form?")
    return files


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        raise DataError(
            f"{path}: {'not a folder' if path.exists() else 'is not there'}; the form is a folder of videos"
        )
    try:
        return sorted(entry for entry in visible(path) if entry.name != TABLE_NAME)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _of_videos(path: Path, entries: Iterable[tuple[str, Path]], split: Split, notes: Notes) -> list[tuple[Video, Path]]:
    found: dict[int, Path] = {}
    videos = videos_by_stem(split)
    for stem, entry in entries:
        try:
            video = video_of_stem(stem, videos)
        except DataError as error:
            raise DataError(f"{path}: {shown(entry.name)}: {error}") from error
        if video.id in found:
            raise DataError(f"{path}: {shown(found[video.id].name)} and {shown(entry.name)} are of one video")
        found[video.id] = entry
    notes.say(WITHOUT, len(split.videos) - len(found))
    return [(video, found[video.id]) for video in split.videos if video.id in found]
