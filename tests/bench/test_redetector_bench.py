"""What `bench redetector` measures: areas under ROC curves, and objects found in whole frames."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redetection_scenes import tiny_redetector

from vis_pipeline.bench.redetector import roc_auc
from vis_pipeline.cli.app import main
from vis_pipeline.synthesis.procedural import NORMAL, write_split
from vis_pipeline.trackers.siam_rcnn.checkpoint import save_redetector


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_the_area_is_the_share_of_pairs_in_the_right_order(positive: list[int], negative: list[int]) -> None:
    won = sum((one > other) + 0.5 * (one == other) for one in positive for other in negative)
    found = roc_auc(np.array(positive, float), np.array(negative, float))
    assert found == pytest.approx(won / len(positive) / len(negative))


def test_nothing_to_compare_with() -> None:
    assert math.isnan(roc_auc(np.zeros(0), np.ones(3)))


def test_a_split_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_split(tmp_path / "split", 13, 2, NORMAL, 1)
    weights = tmp_path / "r.safetensors"
    save_redetector(weights, tiny_redetector(48), "bundled:htc_small")
    where = ["--split", str(tmp_path / "split/instances.json"), "--frames", str(tmp_path / "split/JPEGImages")]
    out = tmp_path / "out.json"
    options = ["--config", "procedural_small", "--every", "12", "--limit", "10", "--json", str(out)]
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", "bench", "redetector", str(weights), *where, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found = json.loads(out.read_text())
    assert [entry["gap"] for entry in found] == [[1, 5], [6, 15], [16, None]]
    assert found[0]["pairs"] == 0  # frames 0 and 12 alone are looked at
    assert 0 < found[1]["pairs"] <= 10 and 0 < found[1]["searched"] <= 4
    assert 0 <= found[1]["auc_others"] <= 1 and 0 < found[1]["same"] < 1 and 0 <= found[1]["found"] <= 1
    assert "6 to 15" in capsys.readouterr().out
