import importlib.util

import pytest
from numba.core import config


def test_kernels_run_where_nothing_can_be_written(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file in the place of each folder that numba would write to.
    blocked = tmp_path / "blocked"
    blocked.touch()
    (tmp_path / "__pycache__").touch()
    monkeypatch.setattr(config, "CACHE_DIR", "")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(blocked))
    source = tmp_path / "kernels.py"
    source.write_text(
        "from vis_pipeline.masks.compiled import compiled\n\n\n@compiled\ndef twice(number):\n    return 2 * number\n"
    )
    spec = importlib.util.spec_from_file_location("kernels", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.twice(21) == 42
