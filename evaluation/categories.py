"""One set of categories where several splits are scored together: ids differ from year to year."""

from collections.abc import Sequence

from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category


def require_same_categories(
    first: Sequence[Category], second: Sequence[Category], first_name: str, second_name: str
) -> None:
    """Require that two lists hold the same categories, in whatever order.

    Raises:
        DataError: the first difference by id, with the names given for the two lists.
    """
    first_names, second_names = ({category.id: category.name for category in part} for part in (first, second))
    for identifier in sorted(first_names.keys() | second_names.keys()):
        one, other = (_described(names.get(identifier)) for names in (first_names, second_names))
        if one != other:
            raise DataError(f"category {identifier} is {one} in {first_name}, but {other} in {second_name}")


def _described(name: str | None) -> str:
    return "missing" if name is None else f'"{name}"'
