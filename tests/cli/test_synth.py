"""`vis-pipeline synth` as a user runs it."""

import pytest

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
    assert err == "error: --hard and --crowd are different kinds of video; give one of them\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--returns", "--hard", "--crowd"],
            "--hard and --crowd and --returns are different kinds of video; give one of them",
        ),
        (["--frames", 300], "--frames is for --returns; videos of other kinds have 24 frames"),
        (["--returns", "--frames", 199], "--frames"),
    ],
)
def test_kinds_and_lengths_that_do_not_go(command, tmp_path, options, message):
    code, _, err = command("synth", "--seed", 1, "--videos", 1, "--out", tmp_path / "split", *options)
    assert code == 2
    assert message in err
    assert not (tmp_path / "split").exists()


def test_a_longer_video_of_returns_is_written(command, tmp_path):
    arguments = ["synth", "--seed", 42000, "--videos", 1, "--out", tmp_path / "split"]
    code, out, _ = command(*arguments, "--returns", "--frames", 210)
    assert code == 0
    assert "tracks that leave, return   100.0%" in out
    (video,) = read_split(tmp_path / "split/instances.json").videos
    assert video.length == len(list((tmp_path / "split/JPEGImages/00000").glob("*.jpg"))) == 210
