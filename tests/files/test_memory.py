from pathlib import Path

import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.files import memory


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 3 GB available, and no container."""
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable:   3000000 kB\n")
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    return tmp_path


def test_of_the_machine(system: Path) -> None:
    assert memory.free_memory() == 3_072_000_000
    memory.require_memory(3e9)
    with pytest.raises(DataError, match=r"needs about 3\.2 GB of memory, and 3\.1 GB are free"):
        memory.require_memory(3.2e9)


@pytest.mark.parametrize(("limit", "free"), [("2000000000\n", 1_400_000_000), ("max\n", 3_072_000_000)])
def test_a_container_may_have_less(system: Path, limit: str, free: int) -> None:
    (system / "memory.max").write_text(limit)
    (system / "memory.stat").write_text("anon 600000000\nfile 900000000\n")
    assert memory.free_memory() == free


def test_nothing_is_refused_where_the_system_does_not_say(system: Path) -> None:
    (system / "meminfo").unlink()
    assert memory.free_memory() is None
    memory.require_memory(1e15)


def test_this_machine_has_some() -> None:
    if not memory.MEMORY_INFO.is_file():
        pytest.skip("the system does not tell its memory")
    free = memory.free_memory()
    assert free is not None and 2**20 < free < 2**50
