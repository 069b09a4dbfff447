"""When a written frame is shown."""

from fractions import Fraction

NOT_YET = Fraction(-1)
"""In place of the time of a frame before the first."""


def next_time(shown: Fraction, given: float | None, interval: Fraction) -> Fraction:
    """When the frame after that of `shown` is shown, in seconds: as given if that is later, else an interval on."""
    if given is not None and Fraction(given) > shown:
        return Fraction(given)
    return Fraction(0) if shown < 0 else shown + interval
