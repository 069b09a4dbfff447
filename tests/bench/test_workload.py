"""What trackers are compared on."""

import json
from pathlib import Path

import pytest

from vis_pipeline.bench.workload import given_workload, read_workload, without_some
from vis_pipeline.errors import DataError


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
