import importlib.util
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

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


def test_the_first_calls_may_come_from_many_threads_and_through_a_name_taken_before(tmp_path) -> None:
    source = tmp_path / "others.py"
    source.write_text(
        "from vis_pipeline.masks.compiled import compiled\n\n\n@compiled\ndef twice(number):\n    return 2 * number\n"
        "\n\n@compiled\ndef more(number):\n    return twice(number) + 1\n"
    )
    spec = importlib.util.spec_from_file_location("others", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    taken, barrier = module.more, Barrier(4)

    def call(number):
        barrier.wait()
        return taken(number)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(4))) == [1, 3, 5, 7]
    assert taken(4) == module.more(4) == 9
    assert module.more is not taken
