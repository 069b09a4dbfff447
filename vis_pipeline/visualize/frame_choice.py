"""Which frames of a video are drawn: all, stretches of them, or single ones."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from vis_pipeline.errors import ConfigError

_PART = re.compile(r"(\d+)|(\d*):(\d*)(?::(\d*))?")


@dataclass(frozen=True)
class FrameChoice:
    """Frames by their indices, from 0: those of any of the ranges. Without ranges all are chosen."""

    ranges: tuple[slice, ...] = ()

    def has(self, index: int) -> bool:
        """Whether this frame is chosen."""
        return not self.ranges or any(
            (part.start or 0) <= index < (index + 1 if part.stop is None else part.stop)
            and (index - (part.start or 0)) % (part.step or 1) == 0
            for part in self.ranges
        )

    @property
    def end(self) -> int | None:
        """The frames from this one on are not chosen; None where there is no end."""
        ends = [part.stop for part in self.ranges]
        return None if not ends or None in ends else max(ends)

    def of(self, length: int) -> list[int]:
        """The chosen ones of so many frames, in order."""
        if not self.ranges:
            return list(range(length))
        return sorted({index for part in self.ranges for index in range(*part.indices(length))})

    def require_some(self, lengths: Collection[int], where: str) -> None:
        """Make sure that each of the ranges has a frame in one of the videos of these lengths, at least.

        Raises:
            ConfigError: one has none; the line names it and `where` that is.
        """
        longest = max(lengths)
        for part in self.ranges:
            if not range(*part.indices(longest)):
                asked = f"{part.start or 0}:{'' if part.stop is None else part.stop}"
                whose = where if len(lengths) == 1 else f"the longest video of {where}"
                raise ConfigError(
                    f"--only-frames: no frame of {asked} is there; {whose} has the frames 0 to {longest - 1}"
                )


EVERY_FRAME = FrameChoice()


def frame_choice(text: str) -> FrameChoice:
    """Frames such as `20:60`, `::5` or `3,17,40:45`: single indices and Python's ranges, whose ends are not in them.

    Raises:
        ConfigError: it is something else, or a range without a frame.
    """
    ranges = []
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise ConfigError(f"--only-frames {text}: {part!r} is no frame or range of frames such as 7, 20:60 or ::5")
        single, start, stop, step = (None if number in (None, "") else int(number) for number in found.groups())
        chosen = slice(start, stop, step) if single is None else slice(single, single + 1)
        if chosen.step == 0 or (chosen.stop is not None and chosen.stop <= (chosen.start or 0)):
            raise ConfigError(f"--only-frames {text}: {part.strip()!r} has no frame in it; its end is not in a range")
        ranges.append(chosen)
    return FrameChoice(tuple(ranges))
