import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("vis_pipeline", "detectors", "configs", "evaluation")
PROBE = """
import json
from importlib.resources import files
import configs, vis_pipeline
from vis_pipeline.settings.config import find_config
from vis_pipeline.weights.registry import BUNDLED
from vis_pipeline.cli.app import app
print(json.dumps({
    "package": vis_pipeline.__file__,
    "configs": sorted(path.name for path in files("configs").joinpath("detectors").iterdir()),
    "config": str(find_config("detectors/htc_small_procedural")),
    "weights": {name: [str(weights.path), weights.path.is_file()] for name, weights in BUNDLED.items()},
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the checkout, so that building leaves nothing in it."""
    checkout, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for path in shipped():
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / path).read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(checkout),
    ]
    finished = subprocess.run(build, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    (built,) = out.glob("*.whl")
    return built


def shipped() -> list[Path]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    return [path.relative_to(ROOT) for path in files if "__pycache__" not in path.parts]


def test_wheel_holds_all_that_the_packages_hold(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "vis-pipeline = vis_pipeline.cli.app:main" in archive.read(entry_points).decode()
    assert {path.as_posix() for path in shipped()} <= names
    assert not [name for name in names if name.startswith("tests")]
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}


def test_installed_wheel_finds_its_configs_and_weights(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": str(site)}
    finished = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert Path(found["package"]).is_relative_to(site)
    assert "htc_small_procedural.py" in found["configs"]
    assert Path(found["config"]).is_relative_to(site)
    for name, (path, is_there) in found["weights"].items():
        assert Path(path).is_relative_to(site), name
        assert is_there == (ROOT / "vis_pipeline" / "weights" / f"{name}.safetensors").is_file(), name
