from pathlib import Path

import pytest

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.registry import BUNDLED, PUBLISHED, BundledWeights, cache_folder, resolve


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIS_PIPELINE_CACHE", str(tmp_path))
    return tmp_path


def test_path_is_itself(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(b"x")
    assert resolve(str(file)) == file


def test_bundled_is_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "htc_small.safetensors"
    file.write_bytes(b"x")
    monkeypatch.setattr(BundledWeights, "path", file)
    assert resolve("bundled:htc_small") == file


def test_published_is_in_the_cache_once_fetched(cache: Path) -> None:
    with pytest.raises(WeightsError, match="vis-pipeline weights fetch SiamMask_DAVIS"):
        resolve("SiamMask_DAVIS")
    (cache / "SiamMask_DAVIS.pth").write_bytes(b"x")
    assert resolve("SiamMask_DAVIS") == cache / "SiamMask_DAVIS.pth"


@pytest.mark.parametrize("reference", ["bundled:nothing", "no_such_name", "/no/such/file.pth"])
def test_unknown_reference_is_named(reference: str) -> None:
    with pytest.raises(WeightsError, match=reference):
        resolve(reference)


def test_missing_bundled_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BundledWeights, "path", tmp_path / "gone.safetensors")
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        resolve("bundled:siammask_small")


def test_default_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIS_PIPELINE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/vis_pipeline/weights")


def test_htc_checkpoints_are_those_of_the_packaged_model_zoo() -> None:
    from importlib.util import find_spec

    import yaml

    spec = find_spec("mmdet")
    assert spec is not None
    assert spec.origin is not None
    packaged = Path(spec.origin).parent / ".mim" / "configs" / "htc"
    zoo = {
        model["Name"]: model["Weights"] for model in yaml.safe_load((packaged / "metafile.yml").read_text())["Models"]
    }
    ours = {name: weights for name, weights in PUBLISHED.items() if name.startswith("htc_")}
    assert {name: weights.url for name, weights in ours.items()} == zoo
    for name, weights in ours.items():
        assert weights.config == f"mmdet::htc/{name}.py"
        assert (packaged / f"{name}.py").is_file()
        assert weights.sha256_prefix is not None
        assert len(weights.sha256_prefix) == 8
        assert weights.file_name.endswith(f"-{weights.sha256_prefix}.pth")


def test_no_name_is_both_bundled_and_published() -> None:
    assert not BUNDLED.keys() & PUBLISHED.keys()
