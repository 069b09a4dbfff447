"""`vis-pipeline weights convert` and `export` on files that the tests make."""

from pathlib import Path

import pytest
import torch

from vis_pipeline.trackers.siammask.architectures import Architecture
from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_siammask
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.weights.files import read_metadata, read_state_dict

TINY = Architecture(block="bottleneck", stem_width=4, widths=(4, 4, 8), depths=(1, 1, 1), adjust_width=8, head_width=8)


@pytest.fixture
def tracker(tmp_path: Path) -> Path:
    path = tmp_path / "tracker.safetensors"
    torch.manual_seed(0)
    save_siammask(path, SiamMask(TINY), {"training": {"seed": 4}})
    return path


def test_a_tracker_in_both_forms(command, tracker: Path, tmp_path: Path) -> None:
    official = tmp_path / "tracker.pth"
    assert command("weights", "export", tracker, official, "--official-keys")[0] == 0
    saved = torch.load(official, weights_only=True)["state_dict"]
    loaded = load_siammask(tracker).state_dict()
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(value, loaded[name]) for name, value in saved.items())
    copy = tmp_path / "copy.safetensors"
    assert command("weights", "export", tracker, copy)[0] == 0
    assert read_metadata(copy) == read_metadata(tracker)


def test_a_checkpoint_converted_as_caffes(command, tracker: Path, tmp_path: Path) -> None:
    trunk = {f"backbone.{name}": value for name, value in SiamMask(TINY).features.features.state_dict().items()}
    torch.save({"state_dict": trunk}, tmp_path / "resnet.pth")
    converted = tmp_path / "resnet.safetensors"
    code, out, _ = command("weights", "convert", tmp_path / "resnet.pth", converted, "--caffe")
    assert code == 0
    assert "style caffe, learned on BGR minus 103.939/116.779/123.68" in out
    assert read_metadata(converted)["pretraining"]["style"] == "caffe"
    assert torch.equal(read_state_dict(converted)["conv1.weight"], trunk["backbone.conv1.weight"])


def test_names_that_could_not_be_read_again_are_refused(command, tracker: Path, tmp_path: Path) -> None:
    for arguments, suffix in [
        (("export", tracker, tmp_path / "out.pth"), ".safetensors"),
        (("export", tracker, tmp_path / "out.safetensors", "--official-keys"), ".pth or .pt"),
        (("convert", tracker, tmp_path / "out.pth"), ".safetensors"),
    ]:
        code, _, err = command("weights", *arguments)
        assert code == 2
        assert f"end its name in {suffix}" in err
        assert err.count("\n") == 1
