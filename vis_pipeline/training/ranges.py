"""Numbers of training settings, by what they may be."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _rising(factors: tuple[float, float]) -> tuple[float, float]:
    if factors[0] > factors[1]:
        raise ValueError("the least factor comes first")
    return factors


Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]
Factors = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
"""The least and the greatest."""
