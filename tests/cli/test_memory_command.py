"""`bench memory` as a user runs it."""

from pathlib import Path

from redetection_scenes import tiny_redetector

from vis_pipeline.trackers.siam_rcnn.checkpoint import save_redetector


def test_the_command_prints_a_row_for_each(command, tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    save_redetector(weights, tiny_redetector(), "a detector")
    code, out, err = command("bench", "memory", weights, "--away", 2, "--away", 3, "--repeats", 1, "--device", "cpu")
    assert code == 0, err
    assert [line.split()[:2] for line in out.splitlines() if line.strip()[:1].isdigit()] == [["2", "24"], ["3", "36"]]
    code, _, err = command("bench", "memory", weights, "--away", 21)
    assert code == 2 and "--away 21: at most 20 tracks are remembered" in err
