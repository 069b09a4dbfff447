"""Our tracker under the toolkit's own program, and our runner on the same sequences.

To run these: `pip install vot-toolkit 'attributee==0.1.8'`, in an environment of its own beside ours. The supervised
experiment of 0.8 and 0.9 runs no tracker of one object (0.9.0: `initialize` takes its state, a pair, for two objects);
that of 0.7.4 does.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.single_object.number_files import read_rows
from evaluation.single_object.protocols import protocol_scores
from evaluation.single_object.vot_runs import run_files
from vis_pipeline.cli.app import main
from vis_pipeline.protocols.vot.benchmark import SUPERVISED, UNSUPERVISED, VotBenchmark
from vis_pipeline.synthesis.procedural import NORMAL
from vis_pipeline.synthesis.procedural.vot_sequences import write_vot_sequences

STACK = """
title: VOT-ST2018's experiments, without the address of its data
experiments:
  baseline:
    type: supervised
    repetitions: 1
    skip_initialize: 5
    analyses:
      - type: supervised_average_ar
        sensitivity: 30
      - type: supervised_eao_score
        low: 5
        high: 20
  unsupervised:
    type: unsupervised
    repetitions: 1
    analyses:
      - type: average_accuracy
"""


def command(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["vis-pipeline", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn sequences; in the second one the tracker fails."""
    root = tmp_path_factory.mktemp("workspace")
    write_vot_sequences(root / "sequences", 20000, 2, NORMAL)
    (root / "config.yaml").write_text("registry:\n- ./trackers.ini\nstack: ./stack.yaml\nsequences: sequences\n")
    return root


def toolkit(workspace: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vot", *arguments, "--workspace", str(workspace), "ours"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0 and "rror" not in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("benchmark", "protocol"), [(SUPERVISED, "vot2018"), (UNSUPERVISED, "vot-unsupervised")])
def test_the_toolkit_gets_the_results_and_figures_of_our_runner(
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    benchmark: VotBenchmark,
    protocol: str,
) -> None:
    pytest.importorskip("vot", reason="the VOT toolkit is not installed (pip install vot-toolkit)")
    pytest.importorskip("trax", reason="TraX is not installed (pip install vot-trax)")
    version = importlib.metadata.version("vot-toolkit")
    if benchmark is SUPERVISED and version >= "0.8":
        pytest.skip(f"the supervised experiment of vot-toolkit {version} runs no tracker of one object; 0.7.4's does")
    head, _, baseline = STACK.partition("  baseline:")
    baseline, _, unsupervised = baseline.partition("  unsupervised:")
    (workspace / "stack.yaml").write_text(
        head + ("  baseline:" + baseline if benchmark is SUPERVISED else "  unsupervised:" + unsupervised)
    )
    capsys.readouterr()
    command(["trackers-ini", "ours", "--weights", "bundled:siammask_small", "--device", "cpu"], monkeypatch)
    (workspace / "trackers.ini").write_text(capsys.readouterr().out)
    toolkit(workspace, "evaluate")
    given = ["--weights", "bundled:siammask_small", "--preset", "vot18", "--boxes", "mbr", "--device", "cpu"]
    command(["bench", "sot", protocol, "--data", str(workspace), *given, "--out", str(tmp_path / "own")], monkeypatch)
    theirs, ours = workspace / "results/ours", tmp_path / "own/results"
    for name in sorted(path.name for path in (ours / benchmark.experiment).iterdir()):
        (of_toolkit,) = run_files(theirs / benchmark.experiment / name, name)
        (of_runner,) = run_files(ours / benchmark.experiment / name, name)
        assert of_runner.suffix == ".txt"
        for one, other in zip(_rows(of_toolkit), read_rows(of_runner), strict=True):
            # The toolkit keeps 32 bits.
            np.testing.assert_allclose(one, other, atol=1e-4)
    scores = protocol_scores(protocol, theirs, workspace)
    own = json.loads((tmp_path / "own/scores.json").read_text())
    assert scores.overall["accuracy"] == pytest.approx(own["overall"]["accuracy"], abs=1e-6)
    toolkit(workspace, "analysis", "--format", "json")
    (report,) = (workspace / "analysis").glob("*.json")
    results = json.loads(report.read_text())["results"][benchmark.experiment]["results"]
    report.unlink()
    assert scores.overall["accuracy"] == pytest.approx(results[0][0][0], abs=1e-6)
    if benchmark is SUPERVISED:
        assert scores.overall["failures"] == pytest.approx(results[0][0][1])
        curve = scores.curves["EAO"]
        assert curve[5:21].mean() == pytest.approx(results[1][0][0], abs=1e-5)


def _rows(path: Path) -> list[np.ndarray]:
    from evaluation.single_object.vot_binary import read_binary_rows

    return read_binary_rows(path) if path.suffix == ".bin" else read_rows(path)


def test_the_runner_scores_what_it_wrote(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = tmp_path / "one.txt"
    listing.write_text(sorted(path.name for path in (workspace / "sequences").iterdir() if path.is_dir())[1] + "\n")
    asked = ["bench", "sot", "vot2019", "--data", str(workspace), "--sequences", str(listing), "--device", "cpu"]
    asked += ["--weights", "bundled:siammask_small", "--boxes", "mbr", "--out", str(tmp_path / "own")]
    command(asked, monkeypatch)
    scores = json.loads((tmp_path / "own/scores.json").read_text())
    assert scores["overall"]["accuracy"] > 0.4 and scores["overall"]["frames/s"] > 0
    assert scores["attributes"].keys() >= {"occlusion"} and (tmp_path / "own/curves.png").is_file()
    said = capsys.readouterr().out
    assert "frames by attribute" in said
    # Nothing is left to do.
    command(asked, monkeypatch)
    assert "0 frames" in capsys.readouterr().out


def test_the_entry_of_trackers_ini_starts_a_tracker_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trax", reason="TraX is not installed (pip install vot-trax)")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pth").write_bytes(b"")
    command(
        ["trackers-ini", "ours", "--weights", "w.pth", "--two-stage", "--cfg-options", "penalty_k=0.2"], monkeypatch
    )
    said = capsys.readouterr().out
    assert said.startswith("[ours]\n") and f"--weights {tmp_path / 'w.pth'} " in said
    assert "--two-stage" in said and "--cfg-options penalty_k=0.2" in said and "--boxes mbr" in said
