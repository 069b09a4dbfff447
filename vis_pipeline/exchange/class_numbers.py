"""The classes of MOT and MOTS, which know them by numbers of their own.

`car` and `person` or `pedestrian` have the numbers that the benchmarks give them, so that their evaluators score them;
all others follow in the order of the split, past the numbers that mean something else there.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category

MOTS_NAMES = {"car": 1, "pedestrian": 2, "person": 2}
MOTS_IGNORED = 10
SHOWN_CLASSES = 10
# Of MOTChallenge (MOT16 to MOT20).
MOT_NAMES = {
    "pedestrian": 1, "person": 1, "person_on_vehicle": 2, "car": 3, "bicycle": 4, "motorbike": 5, "non_mot_vehicle": 6,
    "static_person": 7, "distractor": 8, "occluder": 9, "occluder_on_ground": 10, "occluder_full": 11,
    "reflection": 12, "crowd": 13,
}  # fmt: skip


def mots_classes(categories: Sequence[Category]) -> dict[int, int]:
    """MOTS's class of each category, by the category's id: from 1, without 10, which is `ignored`."""
    return _numbers(categories, MOTS_NAMES, {*MOTS_NAMES.values(), MOTS_IGNORED})


def mot_classes(categories: Sequence[Category]) -> dict[int, int]:
    """MOTChallenge's class of each category, by the category's id; other categories than theirs are from 14."""
    return _numbers(categories, MOT_NAMES, set(MOT_NAMES.values()))


def category_of_class(number: int, classes: Mapping[int, int]) -> int:
    """The category that has this class.

    Raises:
        DataError: none has.
    """
    for category, known in classes.items():
        if known == number:
            return category
    theirs = ", ".join(str(known) for known in sorted(classes.values())[:SHOWN_CLASSES])
    raise DataError(f"class {number}: no category of the split has it (theirs are {theirs})")


def _numbers(categories: Sequence[Category], names: Mapping[str, int], reserved: set[int]) -> dict[int, int]:
    numbers: dict[int, int] = {}
    free = _free(reserved)
    for category in categories:
        number = names.get(category.name)
        numbers[category.id] = next(free) if number is None or number in numbers.values() else number
    return numbers


def _free(reserved: set[int]) -> Iterator[int]:
    return (number for number in count(1) if number not in reserved)
