"""`vis-pipeline synth` as a user runs it."""

import sys

from vis_pipeline.cli import app as application
from vis_pipeline.data.youtube_vis import read_split


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["x", *map(str, arguments)])
    try:
        application.main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    return code, capsys.readouterr()


def test_a_crowd_is_written(tmp_path, monkeypatch, capsys):
    arguments = ["synth", "--seed", 10700, "--videos", 1, "--out", tmp_path / "split"]
    code, printed = run(monkeypatch, capsys, *arguments, "--crowd")
    assert code == 0
    assert "objects per video" in printed.out
    assert 7 <= len(read_split(tmp_path / "split/instances.json").annotations) <= 10


def test_two_kinds_at_once_are_refused(tmp_path, monkeypatch, capsys):
    arguments = ["synth", "--seed", 1, "--videos", 1, "--out", tmp_path / "split"]
    code, printed = run(monkeypatch, capsys, *arguments, "--crowd", "--hard")
    assert code == 2
    assert printed.err == "error: --hard and --crowd are two kinds of video; give one of them\n"
