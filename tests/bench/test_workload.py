"""What trackers are compared on."""

import json
from pathlib import Path

import pytest

from vis_pipeline.bench.workload import Source, given_workload, read_workload, sources, without_some
from vis_pipeline.errors import ConfigError, DataError


def test_dropping_detections_drops_about_the_share_and_always_the_same() -> None:
    entries = [{"number": number} for number in range(3000)]
    kept = without_some(entries, 1 / 3, seed=4)
    assert kept == without_some(entries, 1 / 3, seed=4)
    assert 1900 < len(kept) < 2100
    assert without_some(entries, 0.0, seed=4) == entries


def test_a_workload_is_found_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    workload = given_workload(tmp_path / "split.json", tmp_path / "frames", tmp_path / "found.json", out)
    assert read_workload(out) == workload
    assert json.loads((out / "workload.json").read_text())["split"] == str(tmp_path / "split.json")
    with pytest.raises(DataError, match=r"no workload\.json of `vis-pipeline bench ablation` there"):
        read_workload(tmp_path)


A, B, F, G = (Path(name) for name in "abfg")


@pytest.mark.parametrize(
    ("splits", "frames", "detections", "seeds", "expected"),
    [
        ([], [], [], [7], [Source(None, None, None, 7)]),
        ([], [], [], [7, 8], [Source(None, None, None, 7), Source(None, None, None, 8)]),
        ([A], [F], [], [7, 8], [Source(A, F, None, 7), Source(A, F, None, 8)]),
        ([A, B], [F, G], [], [7, 8], [Source(A, F, None, 7), Source(B, G, None, 8)]),
        ([A, B], [F], [], [7], [Source(A, F, None, 7), Source(B, F, None, 7)]),
        ([A, B], [F, G], [G, F], [7], [Source(A, F, G, 7), Source(B, G, F, 7)]),
        ([A], [F], [G, F], [7], [Source(A, F, G, 7), Source(A, F, F, 7)]),
    ],
)
def test_what_is_given_once_serves_all(splits, frames, detections, seeds, expected) -> None:
    assert sources(splits, frames, detections, seeds) == expected


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((2, 3, 0, 1), "--split is given 2 times, --frames 3 times"),
        ((2, 2, 1, 1), "--detections is given 1 times, --split 2 times"),
        ((3, 3, 0, 2), "--seed is given 2 times, --split 3 times"),
        ((1, 1, 2, 3), "--detections is given 2 times, --seed 3 times"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(numbers, message) -> None:
    given = [[A] * number for number in numbers]
    with pytest.raises(ConfigError, match=message):
        sources(*given)
