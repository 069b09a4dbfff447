"""Functions that are compiled at the first call, where nothing can be written and while other threads call them."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from numba.core import config

from vis_pipeline.masks import compiled


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


def test_the_functions_of_a_module_are_put_in_place_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that finds one there compiles it, and with it what it calls."""
    names = {"compiled": compiled.compiled}
    exec("@compiled\ndef outer():\n return inner() + 1\n\n@compiled\ndef inner():\n return 1", names)
    stand_ins = {name: names[name] for name in ("outer", "inner")}
    seen = []

    def by_numba(function):
        seen.append({name: names[name] for name in stand_ins})
        return function

    monkeypatch.setattr(compiled, "_by_numba", by_numba)
    assert stand_ins["outer"]() == 2
    assert seen == [stand_ins, stand_ins], "none is there before all are"
    assert names["outer"]() == 2 and names["outer"] is not stand_ins["outer"]
