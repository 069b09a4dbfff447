"""What a benchmark that gives its objects in a frame asks for: its sequences, one's run, the files of results.

:mod:`~vis_pipeline.protocols.spread` runs any benchmark over workers; each benchmark is a module of this package.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeAlias, TypeVar

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.single_object import Follower

if TYPE_CHECKING:
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor

__all__ = ["Benchmark", "BoxKind", "Follower", "Given", "GivenT", "Listing", "Trackers"]

BoxKind: TypeAlias = Literal["state", "min-max", "mbr", "opt"]
"""Which box a result is: the tracker's own, or one of the mask (multi-object paper, section 6.2)."""


@dataclass(frozen=True)
class Trackers:
    """What one process tracks with.

    Attributes:
        follow: one object.
        predictor: many objects at once; None where the tracker is not SiamMask alone.
        boxes: which box goes into results that are boxes.

    Raises:
        ConfigError: the box is to be one of the mask, and SiamMask is to make none.
    """

    follow: Follower
    predictor: "SiamMaskPredictor | None"
    boxes: BoxKind

    def __post_init__(self) -> None:
        if self.boxes != "state" and self.predictor is not None and self.predictor.report != "mask":
            raise ConfigError(f"--boxes {self.boxes}: the tracker makes no masks; give --boxes state")


class Given(Protocol):
    """One sequence with what its benchmark gives of it; small, since it travels to a worker.

    Attributes:
        name: as its results are called.
        length: its frames.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def length(self) -> int: ...  # noqa: D102


GivenT = TypeVar("GivenT", bound=Given)


@dataclass(frozen=True)
class Listing(Generic[GivenT]):
    """The sequences that can be run, and why the others cannot, one line each by their names."""

    found: tuple[GivenT, ...]
    left_out: Mapping[str, str]


class Benchmark(Protocol[GivenT]):
    """One benchmark."""

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[GivenT]:
        """The sequences of a data folder as the benchmark hands it out, or those `wanted`.

        Raises:
            DataError: the folder holds nothing of the benchmark's form.
        """
        ...

    def is_done(self, given: GivenT, results: Path) -> bool:
        """Whether a folder holds the whole result of a sequence."""
        ...

    def run(self, given: GivenT, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """Track a sequence and write its result, whole; `report` is called with the frames done since the last call.

        Raises:
            UserError: a frame cannot be read, or the trackers do not serve this benchmark.
        """
        ...

    def submission(self, listed: Sequence[GivenT], results: Path) -> Path | None:
        """Make what the benchmark's server takes from the results of all sequences; None where that is the folder."""
        ...
