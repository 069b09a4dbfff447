"""The code of docs/bridges.md."""

import re
from pathlib import Path

import pytest
from made_runs import run_of_images

PAGE = (Path(__file__).parents[2] / "docs/bridges.md").read_text(encoding="utf-8")


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("supervision", reason="the supervision extra is not installed")
    (text,) = re.findall(r"^```python supervision\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "runs").mkdir()
    run_of_images(tmp_path).rename(tmp_path / "runs/a")
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "docs/bridges.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[2] == "2 [0] ['cat']"
