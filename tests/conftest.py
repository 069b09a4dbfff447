"""Hypothesis without its clock: what an example costs depends on the machine, and the first one may compile kernels."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
