"""Where the reading of a video ends before the video does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that is read of a video; None sets no bound.

    Attributes:
        frames: so many frames, bad ones too.
        seconds: of the video's own time, from its first frame on: a frame that is shown later is not read.
    """

    frames: int | None = None
    seconds: float | None = None

    def __bool__(self) -> bool:
        return self.frames is not None or self.seconds is not None

    def reached(self, count: int, passed: float | None) -> bool:
        """Whether a frame is beyond them that comes after `count` others, `passed` seconds after the first."""
        if self.frames is not None and count >= self.frames:
            return True
        return self.seconds is not None and passed is not None and passed >= self.seconds


NO_LIMITS = Limits()
