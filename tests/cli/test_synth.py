"""`vis-pipeline synth` as a user runs it."""

from vis_pipeline.data.splits import read_split


def test_a_crowd_is_written(command, tmp_path):
    arguments = ["synth", "--seed", 10700, "--videos", 1, "--out", tmp_path / "split"]
    code, out, _ = command(*arguments, "--crowd")
    assert code == 0
    assert "objects per video" in out
    assert 7 <= len(read_split(tmp_path / "split/instances.json").annotations) <= 10


def test_two_kinds_at_once_are_refused(command, tmp_path):
    arguments = ["synth", "--seed", 1, "--videos", 1, "--out", tmp_path / "split"]
    code, _, err = command(*arguments, "--crowd", "--hard")
    assert code == 2
    assert err == "error: --hard and --crowd are two kinds of video; give one of them\n"
