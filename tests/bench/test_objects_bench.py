"""`bench objects` times what it says."""

import pytest
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError


def bench(*arguments: str):
    command = ["bench", "objects", "--weights", "bundled:siammask_small", "--device", "cpu", "--frames", "2"]
    return CliRunner().invoke(app, [*command, *arguments])


def test_both_ways_are_timed() -> None:
    done = bench("--objects", "1,2")
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines() if line.split()[:1] in (["1"], ["2"])]
    assert [row[0] for row in rows] == ["1", "2"]
    for row in rows:
        together, apart, ratio = map(float, row[1:])
        assert together > 0 and ratio == pytest.approx(apart / together, abs=0.02)


def test_numbers_that_are_none_are_one_line() -> None:
    done = bench("--objects", "2,x")
    assert isinstance(done.exception, ConfigError) and "--objects 2,x: not numbers" in str(done.exception)
