"""What tests share: hypothesis without its clock, and ways to spare Ray's start."""

import signal
from collections.abc import Iterator
from functools import cache

import pytest
import typer.main
from hypothesis import settings
from without_workers import track_here

from vis_pipeline.runs.parallel import RaySettings
from vis_pipeline.runs.parallel.cluster import ray_session

# What an example costs depends on the machine, and the first one may compile kernels.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# To build the parser of all commands costs 20 ms, as much as many a command itself, at each call of the command line.
typer.main.get_command = cache(typer.main.get_command)

# A shell that starts the tests in the background has them ignore Ctrl-C, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what a run makes; how it is spread is tested in tests/runs and tests/cli/test_end_to_end.py."""
    track_here(monkeypatch)


@pytest.fixture(scope="module")
def one_ray() -> Iterator[None]:
    """One Ray, started as a run does, for all runs of a module."""
    with ray_session(RaySettings(workers=2)):
        yield
