import numpy as np
import pytest
import typer
from literal_oracle import oracle_scores
from typer.testing import CliRunner

from vis_pipeline.bench import evaluator
from vis_pipeline.bench.plain_evaluator import plain_average_precision
from vis_pipeline.bench.synthetic_results import Workload, make_json
from vis_pipeline.cli import bench
from vis_pipeline.errors import DataError
from vis_pipeline.masks import decode

SMALL = Workload(videos=3, frames=3, predictions=6, truths=2, categories=2, height=90, width=120)


@pytest.mark.parametrize("seed", range(3))
def test_the_plain_procedure_is_the_protocol(seed):
    truth, results = make_json(SMALL, seed)
    expected = oracle_scores(truth, results)
    assert expected["AP"] > 0
    found = plain_average_precision(truth, results)
    assert found == {name: pytest.approx(expected[name], abs=1e-9) for name in ("AP", "APs", "APm", "APl")}


def test_times_both_and_insists_that_they_agree(tmp_path, monkeypatch):
    timing = evaluator.timed(SMALL, 0, tmp_path, with_plain=True)
    assert min(timing.loading, timing.reading, timing.parse, timing.intersect, timing.match, timing.ours) > 0
    assert timing.plain > 0
    monkeypatch.setattr(evaluator, "plain_average_precision", lambda *_: {"AP": 0.123})
    with pytest.raises(DataError, match=r"bench evaluator: AP is .*, by the official procedure 0\.123"):
        evaluator.timed(SMALL, 0, tmp_path, with_plain=True)


def test_taller_masks_have_more_pixels_but_no_more_runs():
    low, tall = (make_json(Workload(videos=1, stretch=stretch), 5)[1][0]["segmentations"][0] for stretch in (0.3, 1.0))
    assert decode(tall).sum() > 2 * decode(low).sum()
    columns = [int(decode(rle).any(axis=0).sum()) for rle in (low, tall)]
    runs = [int((np.diff(decode(rle).T.ravel().astype(int)) == 1).sum()) for rle in (low, tall)]
    assert columns == runs and columns[0] == columns[1]


def test_the_command_prints_its_tables():
    app = typer.Typer()
    bench.register(app)
    outcome = CliRunner().invoke(app, ["bench", "evaluator", "--videos", "2"])
    assert outcome.exit_code == 0, outcome.output
    for text in ("one class", "40 classes", "100 preds", "parse", "IoU", "match", "ratio", "frames", "MB"):
        assert text in outcome.output, text
