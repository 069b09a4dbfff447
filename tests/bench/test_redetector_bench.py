"""What `bench redetector` measures: areas under ROC curves, and objects found in whole frames."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from redetection_scenes import tiny_redetector

from vis_pipeline.bench.redetector import know_again, roc_auc
from vis_pipeline.cli.app import main
from vis_pipeline.data.splits import read_split
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.synthesis.procedural import NORMAL, write_split
from vis_pipeline.trackers.siam_rcnn.checkpoint import save_redetector
from vis_pipeline.trackers.siam_rcnn.settings import AlikeSettings, ColourSettings, RedetectionSettings


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


def test_looks_weigh_the_scores(tmp_path: Path) -> None:
    """With a network that knows nothing, colours tell the demo's objects apart."""
    write_split(tmp_path / "split", 13, 2, NORMAL, 1)
    truth, frames = read_split(tmp_path / "split/instances.json"), tmp_path / "split/JPEGImages"
    source = load_pipeline("procedural_small").detector.region_source(torch.device("cpu"))
    found = {}
    for looks in (AlikeSettings(), ColourSettings()):
        settings = RedetectionSettings(looks=looks)
        found[looks.type] = know_again(tiny_redetector(48), source, truth, frames, 12, 40, settings)[1]
    assert found["colours"].auc_others > max(0.8, found["alike"].auc_others + 0.1)
