"""The figures that the official evaluator prints, for a whole split and for each category."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figures:
    """AP and AR as fractions; -1 where no ground truth makes a number possible.

    AP is the mean precision over 101 recalls and the IoU thresholds 0.50 to 0.95 in steps of 0.05; AR the mean final
    recall with at most 1, 10 or 100 predictions a video and category. The letters s, m and l stand for objects up to
    128^2, up to 256^2, and of more pixels (mean over the frames where they show).
    """

    AP: float
    AP50: float
    AP75: float
    APs: float
    APm: float
    APl: float
    AR1: float
    AR10: float
    AR100: float
    ARs: float
    ARm: float
    ARl: float


@dataclass(frozen=True)
class CategoryScores(Figures):
    """The figures of one category."""

    id: int
    name: str


@dataclass(frozen=True)
class Scores(Figures):
    """The figures of a split, means over the categories that have ground truth, and those of each category.

    Attributes:
        categories: in the order of their ids, those without ground truth too.
    """

    categories: tuple[CategoryScores, ...]

    @property
    def per_category(self) -> dict[str, float | None]:
        """AP by category name, in the order of the ids; None where there is no ground truth.

        A name that several categories have is followed by the id.
        """
        times = Counter(category.name for category in self.categories)
        return {
            category.name if times[category.name] == 1 else f"{category.name} ({category.id})": (
                None if category.AP < 0 else category.AP
            )
            for category in self.categories
        }

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values under their names, with `per_category` before `categories`."""
        values = asdict(self)
        categories = values.pop("categories")
        return {**values, "per_category": self.per_category, "categories": list(categories)}
