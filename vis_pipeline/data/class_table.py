"""Few classes made of many categories: which is whose, and splits that are labelled so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.files.regular_files import MOST_TEXT
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.structures.splits import Category, Split

REST = "..."
"""Among the categories of a class: all that no other class names."""


class ClassTable:
    """Which class each category belongs to; `classes` names the categories of each, :data:`REST` for all others.

    Raises:
        ConfigError: a category stands in two classes.
    """

    def __init__(self, classes: Mapping[str, Sequence[str]]) -> None:
        self.names = tuple(classes)
        self._members = [tuple(members) for members in classes.values()]
        self._labels: dict[str, int] = {}
        for label, members in enumerate(self._members):
            for member in members:
                if member in self._labels:
                    raise ConfigError(
                        f"classes: {member!r} stands in {self.names[self._labels[member]]!r} and once more"
                    )
                self._labels[member] = label

    def label(self, category: str) -> int | None:
        """Index of the class of a category; None where there is none."""
        return self._labels.get(category, self._labels.get(REST))

    def not_covered(self, labelled: Collection[str], known: Collection[str]) -> tuple[int, ...]:
        """The classes of which not every category is `labelled`, among the `known` categories of a file.

        Raises:
            ConfigError: one that is labelled is not known.
        """
        for name in labelled:
            if name not in known:
                raise ConfigError(f"labelled: {name!r} is no category of the file{did_you_mean(name, list(known))}")
        return tuple(
            label for label, members in enumerate(self._members) if REST in members or not set(members) <= set(labelled)
        )


def regrouped(split: Split, table: ClassTable) -> Split:
    """The split with the classes of the table as categories, from 1 in their order; objects of no class are left out.

    Raises:
        ConfigError: nothing of the split belongs to a class.
    """
    labels = {category.id: table.label(category.name) for category in split.categories}
    if not any(label is not None for label in labels.values()):
        raise ConfigError(f"classes: no category of the split belongs to one of {', '.join(table.names)}")
    kept = tuple(
        replace(annotation, category_id=label + 1)
        for annotation in split.annotations or ()
        if (label := labels[annotation.category_id]) is not None
    )
    categories = tuple(Category(place, name) for place, name in enumerate(table.names, start=1))
    return replace(split, categories=categories, annotations=None if split.annotations is None else kept)


def read_class_table(path: Path) -> ClassTable:
    """Read a table from JSON: class to its categories, `"..."` for all others.

    Raises:
        ConfigError: the file cannot be read or is no such table.
    """
    try:
        content = read_json(path, MOST_TEXT)
    except DataError as error:
        raise ConfigError(f"classes {path}: cannot be read as JSON ({error})") from error
    sound = isinstance(content, dict) and all(
        isinstance(members, list) and all(isinstance(name, str) for name in members) for members in content.values()
    )
    if not sound or not content:
        raise ConfigError(f'classes {path}: not of the form {{"class": ["category", ...], ...}}')
    return ClassTable(content)
