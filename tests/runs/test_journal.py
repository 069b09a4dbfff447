"""What a journal gives back after any end: a checkpoint as it was taken, or nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vis_pipeline.errors import DataError
from vis_pipeline.runs.journal import Journal
from vis_pipeline.structures.checkpoint import Checkpoint

IDENTITY: Mapping[str, Any] = {"config_hash": "0f", "frames_sha256": None, "video_id": 3}
COUNT = 3


def checkpoint(number: int) -> Checkpoint:
    column = torch.arange(4.0) + number
    return Checkpoint(
        [{"of": number}], {"frames": 10 * number}, {"a": column, "b": column[1:], "c": torch.tensor([True])}
    )


def journal(folder: Path, identity: Mapping[str, Any] = IDENTITY) -> Journal:
    return Journal(folder / "3", identity)


def fill(folder: Path, count: int = COUNT) -> Journal:
    kept = journal(folder)
    writer = kept.begin()
    for number in range(1, count + 1):
        writer.append(checkpoint(number))
    return kept


def taken_up(kept: Journal) -> int:
    """The number of the checkpoint that is given back, whole; 0 for none."""
    found = kept.take_up()
    if found is None:
        return 0
    number = found[0].facts["frames"] // 10
    assert found[0].records == [{"of": earlier} for earlier in range(1, number + 1)]
    for name, tensor in checkpoint(number).tensors.items():
        assert torch.equal(found[0].tensors[name], tensor) and found[0].tensors[name].dtype == tensor.dtype
    return int(number)


def test_the_last_checkpoint_comes_back_and_further_ones_follow_it(tmp_path: Path) -> None:
    fill(tmp_path)
    found = journal(tmp_path).take_up()
    assert found is not None
    found[1].append(checkpoint(COUNT + 1))
    assert taken_up(journal(tmp_path)) == COUNT + 1


def test_another_run_or_video_does_not_go_on_from_it(tmp_path: Path) -> None:
    fill(tmp_path)
    for name, value in (("config_hash", "0e"), ("frames_sha256", "aa"), ("video_id", 4)):
        assert taken_up(journal(tmp_path, {**IDENTITY, name: value})) == 0
    assert taken_up(journal(tmp_path)) == COUNT


def test_begun_anew_it_is_empty(tmp_path: Path) -> None:
    kept = fill(tmp_path)
    kept.begin()
    assert not kept.exists() and taken_up(kept) == 0
    assert list(tmp_path.iterdir()) == []
    assert taken_up(kept) == 0


def test_a_kill_between_line_and_state_costs_one_checkpoint(tmp_path: Path) -> None:
    kept = fill(tmp_path, 2)
    state, length = kept.state.read_bytes(), kept.lines.stat().st_size
    found = kept.take_up()
    assert found is not None
    found[1].append(checkpoint(3))
    kept.state.write_bytes(state)
    again = kept.take_up()
    assert again is not None and again[0].facts == {"frames": 20}
    assert kept.lines.stat().st_size == length
    again[1].append(checkpoint(3))
    assert taken_up(kept) == 3


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_cut_anywhere_gives_no_other_checkpoint(tmp_path: Path, data: st.DataObject) -> None:
    kept = fill(tmp_path)
    path = data.draw(st.sampled_from([kept.lines, kept.state]))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert taken_up(kept) == 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_seen(tmp_path: Path, data: st.DataObject) -> None:
    kept = fill(tmp_path)
    path = data.draw(st.sampled_from([kept.lines, kept.state]))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert taken_up(kept) == 0


@pytest.mark.parametrize("lines", [b"", b"[]\n", b"\xff\n", b'{"identity": 3}\n', b"[" * 100_000, b"null\nnull\n"])
def test_what_is_no_journal_is_none(tmp_path: Path, lines: bytes) -> None:
    kept = fill(tmp_path)
    kept.lines.write_bytes(lines)
    assert taken_up(kept) == 0
    kept = fill(tmp_path)
    header = kept.lines.read_bytes().splitlines(keepends=True)[0]
    kept.lines.write_bytes(header + lines)
    assert taken_up(kept) == 0


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    kept = fill(tmp_path)
    kept.remove()
    kept.lines.mkdir()
    with pytest.raises(DataError, match=r"3\.journal: cannot be removed"):
        kept.begin()
