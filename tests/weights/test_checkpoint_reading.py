"""Checkpoints are read without running code from them, and must fit their network."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import (
    load_strictly,
    read_checkpoint,
    read_metadata,
    read_state_dict,
    write_state_dict,
    write_tensors,
    write_whole,
)


class _Touch:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class _Lookup:
    """Unpickling this looks an attribute up, which is how gadgets begin."""

    def __reduce__(self) -> Any:
        return getattr, (np.ndarray, "tofile")


def test_a_checkpoint_of_mmengine_with_its_loss_history(tmp_path: Path) -> None:
    from mmengine.logging import HistoryBuffer

    history = HistoryBuffer([0.5, 0.25], [1, 1])
    content = {
        "meta": {"epoch": 3, "seed": np.int64(4), "dataset_meta": {"classes": ("a", "b")}},
        "state_dict": {"module.x": torch.ones(2)},
        "message_hub": {"log_scalars": {"train/loss": history}},
    }
    path = tmp_path / "epoch_3.pth"
    torch.save(content, path)
    read = read_checkpoint(path)
    assert read["meta"] == content["meta"]
    assert read["message_hub"]["log_scalars"]["train/loss"].mean() == 0.375
    assert read["message_hub"]["log_scalars"]["train/loss"].statistics("max") == 0.5
    assert list(read_state_dict(path)) == ["x"]


@pytest.mark.parametrize("protocol", [2, 4])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    path, touched = tmp_path / "crafted.pth", tmp_path / "touched"
    for payload in (_Touch(touched), _Lookup()):
        torch.save({"state_dict": {"x": torch.ones(1)}, "meta": payload}, path, pickle_protocol=protocol)
        with pytest.raises(WeightsError, match=r"crafted\.pth: not a readable checkpoint"):
            read_checkpoint(path)
    assert not touched.exists()
    path.write_bytes(pickle.dumps({"state_dict": _Touch(touched)}))
    with pytest.raises(WeightsError):
        read_state_dict(path)
    assert not touched.exists()


@pytest.mark.parametrize("content", [[1, 2], {"meta": 1}])
def test_what_is_no_checkpoint(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=r"other\.pth: holds"):
        read_state_dict(path)


def test_a_network_is_loaded_whole_or_the_first_misfit_is_named() -> None:
    network, path = torch.nn.Linear(2, 3), Path("w.pth")
    right = torch.nn.Linear(2, 3).state_dict()
    load_strictly(network, right, path)
    torch.testing.assert_close(network.weight, right["weight"])
    for tensors, words in [
        ({"weight": right["weight"]}, "missing key bias"),
        ({**right, "bias": torch.zeros(4)}, r"wrong shape of bias: \[4\], expected \[3\]"),
        ({**right, "more": torch.zeros(4)}, "unexpected key more"),
    ]:
        with pytest.raises(WeightsError, match=words):
            load_strictly(network, tensors, path)


def test_halving_keeps_what_half_precision_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    tensors = {
        "large": torch.tensor([8e4, 1.0]),
        "plain": torch.tensor([0.1]),
    }
    write_state_dict(path, tensors, {"note": "n"})
    read = read_state_dict(path)
    assert {name: value.dtype for name, value in read.items()} == {
        "large": torch.float32,
        "plain": torch.float16,
    }
    assert torch.equal(read["large"], tensors["large"])
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    assert read_metadata(path) == {"note": "n"}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_text("before")

    def fail(partial: Path) -> None:
        partial.write_text("half of")
        raise OSError(28, "No space left on device")

    with pytest.raises(WeightsError, match=r"net\.pth: cannot be written .*No space left"):
        write_whole(path, fail)
    assert path.read_text() == "before"
    write_whole(path, lambda partial: partial.write_text("after"))
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(WeightsError, match="cannot be written"):
        write_state_dict(tmp_path / "missing" / "net.safetensors", {"x": torch.ones(1)}, {})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    tensors = {"a.weight": torch.ones(2), "b.weight": torch.tensor([1.0, value]), "steps": torch.tensor(3)}
    write_tensors(tmp_path / "net.safetensors", tensors, {})
    torch.save({"state_dict": tensors}, tmp_path / "net.pth")
    for name in ("net.safetensors", "net.pth"):
        with pytest.raises(WeightsError, match=rf"{name}: b\.weight holds values that are not finite"):
            read_state_dict(tmp_path / name)
