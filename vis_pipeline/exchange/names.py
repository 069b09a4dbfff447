"""Names from the data in the names of files, in lines of text and in XML, and their way back.

A video or frame is called by :func:`vis_pipeline.files.file_names.file_stems` of all names of the split, so it
depends on the split alone and is undone by calling the split's own names once more. Ids decide in all other places,
and names in them are there for people.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Notes
from vis_pipeline.files.file_names import file_stems
from vis_pipeline.structures.splits import Category, Split, Video

# What lies beside the videos' files and folders.
TABLE_NAME, LABELS_NAME = "tracks.csv", "labels.txt"
OWN_NAMES = (TABLE_NAME, LABELS_NAME)
SHOWN_NAMES = 5
LONGEST_SHOWN = 60
# XML 1.0 has no way to say these; a carriage return, tab or line feed it has.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# A cell that begins so is a formula to spreadsheets.
_FORMULA = ("=", "+", "-", "@")


def video_stems(split: Split, notes: Notes) -> dict[int, str]:
    """What each video's file or folder is called, by its id; a note where that is not its name."""
    stems = _stems(split)
    changed = [(video.name, stems[video.id]) for video in split.videos if stems[video.id] != video.name]
    if changed:
        name, stem = changed[0]
        notes.say(f"{{count}} videos have names that no file can have: {shown(name)} is called {stem}", len(changed))
    return stems


def videos_by_stem(split: Split) -> dict[str, Video]:
    """The videos by what their files are called; also by the last part of their names, where it tells them apart."""
    stems = _stems(split)
    last = Counter(PurePosixPath(video.name).name for video in split.videos)
    short = {PurePosixPath(video.name).name: video for video in split.videos}
    found = {name: video for name, video in short.items() if last[name] == 1}
    return {**found, **{stems[video.id]: video for video in split.videos}}


def _stems(split: Split) -> dict[int, str]:
    names = {video.id: video.name for video in split.videos}
    return file_stems({key: f"_{name}" if name.casefold() in OWN_NAMES else name for key, name in names.items()})


def video_of_stem(stem: str, videos: dict[str, Video]) -> Video:
    """The video that a file or folder of that name is of.

    Raises:
        DataError: the split has none that would be called so; the text says how they are called.
    """
    if stem not in videos:
        called = ", ".join(list(videos)[:SHOWN_NAMES])
        more = ", ..." if len(videos) > SHOWN_NAMES else ""
        raise DataError(f"no video of the split is called so; they are {called}{more}")
    return videos[stem]


def frame_stems(video: Video) -> tuple[str, ...]:
    """What each frame's file is called, without suffix: as the image, or as a file can be called."""
    names = {index: PurePosixPath(name).stem for index, name in enumerate(video.file_names)}
    return tuple(file_stems(names).values())


def shown(name: str) -> str:
    """A name in a message: on one line, of bounded length, nothing in it that a terminal acts on."""
    text = ascii(name)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def one_line(name: str) -> str:
    """A name as one line of text: control characters, and the ends of lines, become `\\xNN`."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", name)


def cell(name: str) -> str:
    """A name as a cell of a table: one line, and an apostrophe before what spreadsheets would take for a formula."""
    text = one_line(name)
    return f"'{text}" if text.startswith(_FORMULA) else text


def xml_text(name: str) -> str:
    """A name as XML can hold it: characters that it cannot become `\\xNN`."""
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", name)


def labels(categories: Sequence[Category]) -> dict[int, str]:
    """A label for each category, by its id, for tools that know classes by their names and hold XML's characters.

    It is the name; of names that would be the same, or empty, the id follows in brackets.
    """
    texts = {category.id: xml_text(category.name) for category in categories}
    while twice := {text for text, count in Counter(texts.values()).items() if count > 1 or not text.strip()}:
        texts = {identifier: f"{text} ({identifier})" if text in twice else text for identifier, text in texts.items()}
    return texts


def category_of_label(label: str, categories: Sequence[Category]) -> int:
    """The category that has this label.

    Raises:
        DataError: none has.
    """
    ids = {text: identifier for identifier, text in labels(categories).items()}
    if label not in ids:
        called = ", ".join(shown(text) for text in list(ids)[:SHOWN_NAMES])
        raise DataError(f"label {shown(label)}: the split has no such category; it has {called}")
    return ids[label]
