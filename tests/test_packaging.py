import importlib.metadata
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from evaluation.dense import annotation, track_result
from evaluation.youtube_vis import evaluate
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.structures.splits import Category, Split, Video

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
LIGHT = ROOT / "evaluation/requirements.txt"
HEAVY = ("torch", "mmdet", "mmcv", "mmengine", "ray")
# The command line with the modules of its first argument out of reach.
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    names = frozenset(sys.argv.pop(1).split(","))
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from vis_pipeline.cli.app import main
main()
"""
# In an environment: what it lacks, whether numba came before it was needed, and CPU seconds of the import.
LIGHT_PROBE = """
import sys, time
from importlib.util import find_spec
begin = time.process_time()
from evaluation.youtube_vis import evaluate
import evaluation, json
print(json.dumps({
    "seconds": time.process_time() - begin,
    "numba": "numba" in sys.modules,
    "found": [name for name in sys.argv[1:] if find_spec(name)],
    "package": evaluation.__file__,
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
        assert "vis-pipeline = vis_pipeline.__main__:main" in archive.read(entry_points).decode()
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


def requirements() -> list[str]:
    lines = (line.strip() for line in LIGHT.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def closure(lines: Sequence[str]) -> Iterator[str]:
    """The names, as pip has them, of what is installed here for these requirements."""
    left, seen = [Requirement(line) for line in lines], set()
    while left:
        requirement = left.pop()
        name = normal(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        yield name
        left += [Requirement(line) for line in importlib.metadata.requires(name) or ()]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def scored(tmp_path: Path) -> dict[str, object]:
    """`instances.json` and `results.json` of two videos, and what they score."""
    true = np.zeros((3, 20, 30), dtype=bool)
    true[:, 5:15, 5:15] = True
    videos = [Video(number, 30, 20, 3, tuple(f"{number}/{frame}.jpg" for frame in range(3))) for number in (1, 2)]
    truth = [annotation(1, 1, 1, true), annotation(2, 2, 2, np.roll(true, 4, axis=2))]
    results = [track_result(1, 1, 0.9, np.roll(true, 1, axis=2)), track_result(2, 2, 0.5, true)]
    split = Split(tuple(videos), (Category(1, "cat"), Category(2, "dog")), tuple(truth))
    (tmp_path / "instances.json").write_text(json.dumps(split_to_json(split)))
    (tmp_path / "results.json").write_text(json.dumps(results_to_json(results)))
    return evaluate(results, split).to_json()


def test_the_evaluators_requirements_are_some_of_the_packages() -> None:
    declared = importlib.metadata.metadata("vis-pipeline").get_all("Requires-Dist") or []
    every = {(normal(one.name), str(one.specifier)) for one in map(Requirement, declared) if not one.marker}
    assert {(normal(one.name), str(one.specifier)) for one in map(Requirement, requirements())} <= every


def test_the_evaluator_needs_no_more_than_its_requirements(tmp_path: Path, scored: dict[str, object]) -> None:
    needed = set(closure(requirements()))
    missing = {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if not needed & {normal(name) for name in distributions} and module not in PACKAGES
    }
    assert set(HEAVY) <= missing
    command = [sys.executable, "-c", WITHOUT, ",".join(sorted(missing)), "evaluate", "results.json"]
    command += ["--gt", "instances.json", "--json", "scores.json", "--explain", "--metrics", "hota,track_map"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    written = json.loads((tmp_path / "scores.json").read_text())
    assert {key: written[key] for key in scored} == scored
    assert (tmp_path / "errors.png").is_file()


@pytest.mark.slow
def test_the_wheel_and_the_evaluators_requirements_score_in_an_empty_environment(
    wheel: Path, tmp_path: Path, scored: dict[str, object]
) -> None:
    python = tmp_path / "empty/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "empty")], check=True)
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
    light = ["--retries", "0", "--timeout", "20", "--no-compile", "--only-binary", ":all:", "-r", str(LIGHT)]
    fetched = subprocess.run([*install, *light], capture_output=True, text=True, check=False)
    if fetched.returncode and re.search("connect|proxy|timed out|resolve host", fetched.stderr, re.IGNORECASE):
        pytest.skip("the evaluator's packages cannot be fetched here")
    assert fetched.returncode == 0, fetched.stderr
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)

    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    found = json.loads(run(python, "-c", LIGHT_PROBE, *HEAVY).stdout)
    assert found["found"] == [] and not found["numba"] and found["seconds"] < 0.5
    assert Path(found["package"]).is_relative_to(tmp_path / "empty")
    command = python.with_name("vis-pipeline")
    finished = run(command, "evaluate", "results.json", "--gt", "instances.json", "--json", "scores.json")
    assert finished.returncode == 0, finished.stderr
    assert {key: json.loads((tmp_path / "scores.json").read_text())[key] for key in scored} == scored
    refused = run(command, "run", "--video", "clip.mp4", "--out", "run")
    assert refused.returncode == 2 and "is not installed, which this command needs" in refused.stderr
