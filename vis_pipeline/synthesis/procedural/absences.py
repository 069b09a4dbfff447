"""When which object of a pair is absent."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from vis_pipeline.synthesis.procedural.settings import ReturnsSettings


@dataclass(frozen=True)
class Absence:
    """The frames from `start` to before `stop` for which `member`, 0 or 1, of a pair is absent."""

    member: int
    start: int
    stop: int


def plan_absences(rng: np.random.Generator, settings: ReturnsSettings, pair: int) -> tuple[Absence, ...]:
    """The absences of a pair in time: each member has at least one, and the other is there meanwhile.

    `pair` says with which of the lengths it begins. As many are taken as the video has frames for, and the frames that
    are left are shared out at random between them.

    Raises:
        ValueError: the video is too short for two absences.
    """
    lengths: list[int] = []
    first = pair % len(settings.absences)
    for length in cycle(settings.absences[first:] + settings.absences[:first]):
        if sum(lengths) + length + settings.settled * (len(lengths) + 2) > settings.length:
            break
        lengths.append(length)
    if len(lengths) < 2:
        raise ValueError(f"{settings.length} frames are too few for two absences")
    spare = settings.length - sum(lengths) - settings.settled * (len(lengths) + 1)
    together = settings.settled + rng.multinomial(spare, rng.dirichlet(np.ones(len(lengths) + 1)))
    first_member = int(rng.integers(2))
    absences: list[Absence] = []
    stop = 0
    for turn, length in enumerate(rng.permutation(lengths).tolist()):
        start = stop + int(together[turn])
        stop = start + length
        absences.append(Absence((first_member + turn) % 2, start, stop))
    return tuple(absences)


def stays(absences: tuple[Absence, ...], member: int, length: int) -> list[tuple[int, int]]:
    """The frames (start, stop) for which a member is there, of a video of `length` frames."""
    own = [absence for absence in absences if absence.member == member]
    starts = [0, *(absence.stop for absence in own)]
    stops = [*(absence.start for absence in own), length]
    return list(zip(starts, stops, strict=True))
