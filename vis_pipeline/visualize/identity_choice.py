"""Which identities of a run are drawn: by number, class and score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.visualize.identities import Identity

_MOST_NAMED = 20


@dataclass(frozen=True)
class IdentityChoice:
    """Identities with at least a score, of these numbers and of these classes; None stands for all.

    Attributes:
        least_score: 0..1.
        numbers: as the labels have them.
        categories: ids of classes.
    """

    least_score: float = 0.0
    numbers: frozenset[int] | None = None
    categories: frozenset[int] | None = None

    def of(self, identities: Sequence[Identity]) -> tuple[Identity, ...]:
        """The chosen ones, in order."""
        return tuple(
            one for one in self.without_numbers(identities) if self.numbers is None or one.number in self.numbers
        )

    def without_numbers(self, identities: Sequence[Identity]) -> tuple[Identity, ...]:
        """Those whose class and score are chosen, whatever their number."""
        return tuple(
            one
            for one in identities
            if (one.score is None or one.score >= self.least_score)
            and (self.categories is None or one.category_id in self.categories)
        )

    def require_numbers(self, there: frozenset[int]) -> None:
        """Make sure that each number is one of those that are there.

        Raises:
            ConfigError: one is not.
        """
        for number in sorted(self.numbers or ()):
            if number not in there:
                known = _listed([str(one) for one in sorted(there)]) if there else "none"
                at_least = f" (score ≥ {self.least_score:.2f})" if self.least_score > 0 else ""
                raise ConfigError(f"--ids {number}: no such identity in the videos drawn{at_least}, only {known}")


def numbers_from_text(text: str) -> frozenset[int]:
    """Numbers of identities in a list such as `1,4,7`.

    Raises:
        ConfigError: it is no such list.
    """
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--ids {text}: not a list of identities such as 1,4,7") from error


def categories_from_text(text: str, names: Mapping[int, str]) -> frozenset[int]:
    """Ids of classes in a list of names or ids such as `person,7`; `names` are those there are, by id.

    A name goes before an id, and one that holds a comma may stand alone.

    Raises:
        ConfigError: one of them is no class.
    """
    wanted = [text] if text in names.values() else [part.strip() for part in text.split(",")]
    return frozenset(identifier for part in wanted for identifier in _categories(part, text, names))


def _categories(part: str, text: str, names: Mapping[int, str]) -> list[int]:
    if named := [identifier for identifier, name in names.items() if name == part]:
        return named
    if part.isdecimal() and int(part) in names:
        return [int(part)]
    plain = {identifier: name if name.isprintable() else ascii(name) for identifier, name in names.items()}
    known = _listed([f"{name} ({identifier})" for identifier, name in sorted(plain.items())]) or "none"
    raise ConfigError(f"--classes {text}: no class {part!r}, only {known}{did_you_mean(part, plain.values())}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
