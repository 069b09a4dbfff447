"""From a detector's classes to the category ids of the split that is processed.

COCO and YouTube-VIS share only part of their classes, and the two years share different parts; the tables are by name,
since ids differ from year to year. What is left out on purpose: COCO's `mouse` is the computer's, YouTube-VIS's the
animal; COCO's `bird` is the `bird` of 2021 but none of the parrots, ducks, owls and eagles of 2019, which it cannot
tell apart; COCO's `bear` is not `giant_panda`. COCO's `car` is wider than the `sedan` of 2019, and is taken for it.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.files.regular_files import MOST_TEXT
from vis_pipeline.structures.splits import Category

YOUTUBE_VIS_2019 = (
    "person", "giant_panda", "lizard", "parrot", "skateboard", "sedan", "ape", "dog", "snake", "monkey", "hand",
    "rabbit", "duck", "cat", "cow", "fish", "train", "horse", "turtle", "bear", "motorbike", "giraffe", "leopard",
    "fox", "deer", "owl", "surfboard", "airplane", "truck", "zebra", "tiger", "elephant", "snowboard", "boat",
    "shark", "mouse", "frog", "eagle", "earless_seal", "tennis_racket",
)  # fmt: skip
"""The classes of YouTube-VIS 2019; the category id is the position, from 1."""

YOUTUBE_VIS_2021 = (
    "airplane", "bear", "bird", "boat", "car", "cat", "cow", "deer", "dog", "duck", "earless_seal", "elephant",
    "fish", "flying_disc", "fox", "frog", "giant_panda", "giraffe", "horse", "leopard", "lizard", "monkey",
    "motorbike", "mouse", "parrot", "person", "rabbit", "shark", "skateboard", "snake", "snowboard", "squirrel",
    "surfboard", "tennis_racket", "tiger", "train", "truck", "turtle", "whale", "zebra",
)  # fmt: skip
"""The classes of YouTube-VIS 2021; the category id is the position, from 1."""

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""The 80 classes of COCO in the order of detectors' outputs."""

_COCO_TO_BOTH = {
    "person": "person",
    "motorcycle": "motorbike",
    "airplane": "airplane",
    "train": "train",
    "truck": "truck",
    "boat": "boat",
    "cat": "cat",
    "dog": "dog",
    "horse": "horse",
    "cow": "cow",
    "elephant": "elephant",
    "bear": "bear",
    "zebra": "zebra",
    "giraffe": "giraffe",
    "snowboard": "snowboard",
    "skateboard": "skateboard",
    "surfboard": "surfboard",
    "tennis racket": "tennis_racket",
}
COCO_TO_YOUTUBE_VIS_2019 = {**_COCO_TO_BOTH, "car": "sedan"}
"""COCO class to YouTube-VIS 2019 class; COCO classes that are not here are dropped."""

COCO_TO_YOUTUBE_VIS_2021 = {**_COCO_TO_BOTH, "car": "car", "bird": "bird", "frisbee": "flying_disc"}
"""COCO class to YouTube-VIS 2021 class; COCO classes that are not here are dropped."""

EVERYDAY = (
    "person", "bicycle", "car", "motorcycle", "large vehicle", "boat", "airplane", "cat", "dog", "horse", "animal",
    "object",
)  # fmt: skip
"""The classes of the bundled detector of ordinary pictures: a `large vehicle` is a bus, train or truck."""

_EVERYDAY_TO_BOTH = {
    **{name: name for name in ("person", "boat", "airplane", "cat", "dog", "horse")},
    "motorcycle": "motorbike",
    "large vehicle": "truck",
}
EVERYDAY_TO_YOUTUBE_VIS_2019 = {**_EVERYDAY_TO_BOTH, "car": "sedan"}
"""Everyday class to YouTube-VIS 2019 class. `animal` and `object` are dropped, for the split's animals are many; trains
come out as trucks."""

EVERYDAY_TO_YOUTUBE_VIS_2021 = {**_EVERYDAY_TO_BOTH, "car": "car"}
"""Everyday class to YouTube-VIS 2021 class, as for 2019."""

# As JSON writes a whole number, of what arrays of ids can hold.
_ID = re.compile(r"-?[0-9]{1,18}")
_HOMONYMS = {"mouse"}
"""Classes of COCO and of YouTube-VIS that share their name only."""

_COCO_TABLES = {"coco-to-ytvis2019": COCO_TO_YOUTUBE_VIS_2019, "coco-to-ytvis2021": COCO_TO_YOUTUBE_VIS_2021}
_EVERYDAY_TABLES = {
    "everyday-to-ytvis2019": EVERYDAY_TO_YOUTUBE_VIS_2019,
    "everyday-to-ytvis2021": EVERYDAY_TO_YOUTUBE_VIS_2021,
}
_TABLES = {
    **{name: ("COCO", COCO, table) for name, table in _COCO_TABLES.items()},
    **{name: ("EVERYDAY", EVERYDAY, table) for name, table in _EVERYDAY_TABLES.items()},
}

ClassMap = tuple[int | None, ...]
"""A category id of the split for each detector class, in the order of its outputs; None drops its detections."""


def build_class_map(classes: Sequence[str], categories: Sequence[Category], name: str) -> ClassMap:
    """Map a detector's classes to the split's categories.

    `name` is `by-name` (every class must be a category; case, spaces and hyphens do not matter), `common` (the same,
    but classes that the split lacks are dropped, as long as one is left), `coco-to-ytvis2019`,
    `coco-to-ytvis2021`, `everyday-to-ytvis2019`, `everyday-to-ytvis2021`, `agnostic` (every class becomes the split's
    first category), or the path of a JSON file `{detector class: category name or null}` that speaks of every class.

    Raises:
        ConfigError: a class maps to nothing known, or the file cannot be used.
    """
    if name == "agnostic":
        return (_first(categories),) * len(classes)
    ids = {_plain(category.name): category.id for category in categories}
    if name == "common":
        if not ids.keys() & {_plain(detector_class) for detector_class in classes}:
            raise ConfigError(
                f"class map {name}: none of the detector's classes {_listed(classes)} is a category of the split; "
                f"its categories are {_listed([entry.name for entry in categories])}"
            )
        return tuple(ids.get(_plain(detector_class)) for detector_class in classes)
    target = _target(name)

    def category_id(detector_class: str) -> int | None:
        category = target(detector_class)
        if category is None:
            return None
        if _plain(category) not in ids:
            hint = " (the class map `common` drops such classes)" if name == "by-name" else ""
            raise ConfigError(
                f"class map {name}: detector class '{detector_class}' maps to '{category}', which the split lacks; "
                f"its categories are {_listed([entry.name for entry in categories])}{hint}"
            )
        return ids[_plain(category)]

    return tuple(category_id(detector_class) for detector_class in classes)


def counterparts(classes: Sequence[str], sources: Sequence[str]) -> dict[str, str]:
    """The class of `sources` that means the same as each of `classes`, in their order, without those that have none.

    Names must be equal but for case, spaces and hyphens. If `sources` are COCO's, the tables above serve too, and
    `mouse` is COCO's only where all of `classes` are.
    """
    by_name = {_plain(name): name for name in sources}
    if set(sources) == set(COCO) and not {_plain(name) for name in classes} <= by_name.keys():
        renamed = {_plain(target): source for table in _COCO_TABLES.values() for source, target in table.items()}
        by_name = {name: source for name, source in by_name.items() if name not in _HOMONYMS} | renamed
    return {name: by_name[_plain(name)] for name in classes if _plain(name) in by_name}


def build_recorded_map(categories: Sequence[Category], name: str | None) -> Callable[[int], int | None]:
    """How the category ids of recorded detections become category ids of the split (None: dropped).

    `name` is None or `by-name` (the ids are the split's own), `agnostic` (everything becomes the split's first
    category), or the path of a JSON file `{recorded category id: category id or name of the split, or null}`. The
    function that is returned raises KeyError for an id that it does not know.

    Raises:
        ConfigError: the file cannot be used, or names a category that the split lacks; or the map is about names.
    """
    if name == "agnostic":
        first = _first(categories)
        return lambda recorded: first
    if name in ("common", *_COCO_TABLES):
        raise ConfigError(f"class map {name}: is about names, and the detections state no `categories`")
    known = {category.id for category in categories}
    if name in (None, "by-name"):
        return {identifier: identifier for identifier in known}.__getitem__
    ids = {_plain(category.name): category.id for category in categories}
    table: dict[int, int | None] = {}
    for key, value in _read_table(name, ("agnostic",)).items():
        wanted = ids.get(_plain(value)) if isinstance(value, str) else value
        if not _ID.fullmatch(key):
            raise ConfigError(f"class map {name}: '{key}' is not a category id")
        if value is not None and (type(wanted) is not int or wanted not in known):
            raise ConfigError(f"class map {name}: {key} maps to {value!r}, which the split lacks")
        table[int(key)] = wanted
    return table.__getitem__


def _target(name: str) -> Callable[[str], str | None]:
    if name == "by-name":
        return lambda detector_class: detector_class
    if name in _TABLES:
        owner, known, table = _TABLES[name]

        def from_table(detector_class: str) -> str | None:
            if detector_class not in known:
                raise ConfigError(f"class map {name}: detector class '{detector_class}' is not a class of {owner}")
            return table.get(detector_class)

        return from_table
    own = _read_table(name, ("by-name", "common", *_TABLES, "agnostic"))

    def from_file(detector_class: str) -> str | None:
        value = own.get(detector_class, 0)
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"class map {name}: detector class '{detector_class}' has no category name or null")
        return value

    return from_file


def _read_table(name: str, known: Sequence[str]) -> Mapping[str, Any]:
    try:
        table = read_json(Path(name), MOST_TEXT)
    except DataError as error:
        what = f"{error}" if os.path.lexists(name) else f"neither a file that can be read nor {' or '.join(known)}"
        raise ConfigError(f"class map {name}: {what}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"class map {name}: not a JSON object")
    return table


def _first(categories: Sequence[Category]) -> int:
    if not categories:
        raise ConfigError("class map agnostic: there is no category to take all objects for")
    return categories[0].id


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
