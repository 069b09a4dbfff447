"""The mean of weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.average import average
from vis_pipeline.weights.files import read_metadata, read_state_dict, write_state_dict


def written(path: Path, number: float, **more: Tensor) -> Path:
    tensors = {"weight": torch.full((2, 2), float(number)), "norm.num_batches_tracked": torch.tensor(int(number))}
    write_state_dict(path, tensors | more, {"classes": [path.stem]})
    return path


def test_the_mean_of_three_with_the_header_of_the_last(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{name}.safetensors", number) for name, number in zip("abc", (1, 2, 6), strict=True)]
    out = tmp_path / "mean.safetensors"
    result = CliRunner().invoke(app, ["weights", "average", *map(str, paths), "--out", str(out)])
    assert result.exit_code == 0, result.output
    tensors = read_state_dict(out)
    assert tensors["weight"].tolist() == [[3, 3], [3, 3]]
    assert tensors["norm.num_batches_tracked"] == 6
    assert read_metadata(out)["classes"] == ["c"]


@pytest.mark.parametrize("more", [{"other": torch.zeros(1)}, {"weight": torch.zeros(3)}])
def test_other_networks_are_named(tmp_path: Path, more: dict[str, Tensor]) -> None:
    paths = [written(tmp_path / "a.safetensors", 1), written(tmp_path / "b.safetensors", 1, **more)]
    with pytest.raises(WeightsError, match=r"b\.safetensors: (other|weight) is not as in .*a\.safetensors"):
        average(paths, tmp_path / "mean.safetensors")
