"""Which sequences of a folder laid out as DAVIS's are meant: all, or those that a text file names."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from vis_pipeline.data.listings import subfolders
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import read_text

# DAVIS keeps `Annotations/480p/<sequence>`.
RESOLUTIONS = ("480p", "1080p", "Full-Resolution")


def sequence_names(folder: Path, listing: Path | None = None, holds: str = "masks") -> tuple[str, ...]:
    """The folders in `folder` in the order of their names, or those that a text file names.

    `holds` says what the folder has, for the errors; the text file is that of :func:`listed_names`.

    Raises:
        DataError: there is none, or the file cannot be read or names one that is not there.
    """
    if not folder.is_dir():
        raise DataError(f"{holds} {folder}: not a folder")
    if listing is None:
        names = tuple(path.name for path in subfolders(folder))
        if not names:
            raise DataError(f"{holds} {folder}: holds no folders, one a sequence")
    else:
        names = listed_names(listing)
    require_all(names, {name for name in names if (folder / name).is_dir()}, f"{holds} {folder}")
    return names


def listed_names(listing: Path) -> tuple[str, ...]:
    """The sequences that a text file names, in its order, each once.

    A line is a sequence (DAVIS-2017's ImageSets) or begins with a frame's path (DAVIS-2016's), whose folder it is.

    Raises:
        DataError: the file cannot be read, or names none.
    """
    names = tuple(dict.fromkeys(_sequence(line) for line in _text(listing).splitlines() if line.strip()))
    if not names:
        raise DataError(f"sequences {listing}: names none")
    return names


def require_all(wanted: Sequence[str], found: set[str], where: str, advice: str = "") -> None:
    """Raise DataError if a wanted sequence was not found `where`."""
    missing = [name for name in wanted if name not in found]
    if missing:
        more = f" (nor {len(missing) - 1} more of {len(wanted)})" if len(missing) > 1 else ""
        hint = ", a folder of resolutions: give the one inside it" if missing[0] in RESOLUTIONS else ""
        raise DataError(f"{where}: no sequence {missing[0]}{hint}{more}{advice}")


def _sequence(line: str) -> str:
    path = PurePosixPath(line.split()[0])
    return path.parent.name if path.suffix.lower() in (".jpg", ".png") else line.strip()


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"sequences {path}: cannot be read ({reason})") from error
