import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from typer.testing import CliRunner

from vis_pipeline import doctor
from vis_pipeline.doctor import Check
from vis_pipeline.weights.registry import BundledWeights


def mmcv_without_operators(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def importing(name: str) -> ModuleType:
        if name == "mmcv._ext":
            raise error
        return import_module(name)

    monkeypatch.setattr(doctor, "import_module", importing)


def with_versions(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str]) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: versions.get(name, ""))


@pytest.mark.parametrize(("running", "ok"), [((3, 9), False), ((3, 10), True), ((3, 12), True), ((3, 13), False)])
def test_python_range(running: tuple[int, int], ok: bool) -> None:
    assert doctor.check_python(running).ok is ok


def test_operators_left_out_of_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    mmcv_without_operators(monkeypatch, ModuleNotFoundError("No module named 'mmcv._ext'", name="mmcv._ext"))
    check = doctor.check_mmcv_operators()
    assert not check.ok
    assert check.needed
    assert "without" in check.detail
    assert "--no-build-isolation" in check.mend


def test_operators_of_another_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    mmcv_without_operators(monkeypatch, ImportError("_ext.so: undefined symbol: _ZN2at4_ops"))
    check = doctor.check_mmcv_operators()
    assert not check.ok
    assert "another torch" in check.detail


def test_operators_here_are_compiled() -> None:
    assert doctor.check_mmcv_operators().ok


def test_missing_mmcv_is_not_taken_for_missing_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    mmcv_without_operators(monkeypatch, ModuleNotFoundError("No module named 'mmcv'", name="mmcv"))
    assert "No module named 'mmcv'" in doctor.check_mmcv_operators().detail


@pytest.mark.parametrize(
    ("versions", "ok"),
    [
        ({"onedl-mmcv": "2.3.6"}, True),
        ({"mmcv": "2.1.0"}, True),
        ({"mmcv": "1.7.2"}, False),
        ({"onedl-mmcv": "3.0.0"}, False),
        ({"onedl-mmcv": "2.3.6", "mmcv": "2.1.0"}, False),
        ({}, False),
    ],
)
def test_fork_or_original_in_range(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], ok: bool) -> None:
    with_versions(monkeypatch, versions)
    (mmcv,) = [package for package in doctor.OPENMMLAB if package.module == "mmcv"]
    assert doctor.check_openmmlab(mmcv).ok is ok


def test_import_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text("raise AssertionError('first\\nsecond')")
    monkeypatch.syspath_prepend(tmp_path)
    assert doctor.check_import("broken_module") == Check(
        "broken_module",
        False,
        "AssertionError: first second",
        "pip install --force-reinstall --no-deps broken_module",
    )


NO_CUDA = SimpleNamespace(is_available=lambda: False)


def lacking(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named '{name}'", name=name)


NO_GL = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
OTHER_TORCH = ImportError("/lib/mmcv/_ext.so: undefined symbol: _ZN2at4_ops")


@pytest.mark.parametrize(
    ("check", "error", "mend"),
    [
        ("cv2", NO_GL, doctor.GRAPHICS),
        ("cv2", lacking("cv2"), "pip install 'opencv-python<4.12'"),
        ("cv2", lacking("numpy"), "pip install numpy"),
        (
            "cv2",
            RuntimeError("built for another numpy"),
            "pip install --force-reinstall --no-deps 'opencv-python<4.12'",
        ),
        ("packaging", lacking("packaging"), "pip install packaging"),
        ("mmdet.models", lacking("mmdet"), "pip install onedl-mmdetection==3.5.1"),
        ("mmdet.models", lacking("mmengine.config"), "pip install --force-reinstall --no-deps onedl-mmengine==0.10.12"),
        ("mmdet.models", lacking("yaml"), "pip install pyyaml"),
        ("mmdet.models", lacking("PIL"), "pip install pillow"),
        ("mmdet.models", NO_GL, doctor.GRAPHICS),
        ("pycocotools.mask", lacking("pycocotools._mask"), "pip install --force-reinstall --no-deps pycocotools"),
        ("pycocotools.mask", ImportError("x"), "pip install --force-reinstall --no-deps pycocotools"),
        (
            "scipy",
            OSError("libopenblas.so: cannot open shared object file"),
            "pip install --force-reinstall --no-deps scipy",
        ),
        ("av", lacking("av"), "pip install av"),
        ("ray", lacking("ray"), "pip install ray"),
        ("mmcv", NO_GL, doctor.GRAPHICS),
        ("mmcv", lacking("packaging"), "pip install packaging"),
        ("mmcv", lacking("mmcv"), doctor.BUILD_MMCV),
        ("mmcv", OTHER_TORCH, doctor.BUILD_MMCV),
    ],
)
def test_what_mends_an_import(monkeypatch: pytest.MonkeyPatch, check: str, error: Exception, mend: str) -> None:
    def importing(name: str) -> ModuleType:
        raise error

    monkeypatch.setattr(doctor, "import_module", importing)
    found = doctor.check_mmcv_operators() if check == "mmcv" else doctor.check_import(check)
    assert not found.ok and found.needed and found.mend == mend
    assert ("another torch" in found.detail) == (error is OTHER_TORCH)


NO_GLIB = ImportError("libgthread-2.0.so.0: cannot open shared object file: No such file or directory")
OLD_NUMPY = RuntimeError("module compiled against ABI version 0x1000009 but this version of numpy is 0x2000000")
FORK = {"onedl-mmengine": "0.10.12", "onedl-mmcv": "2.3.6", "onedl-mmdetection": "3.5.1"}


@dataclass(frozen=True)
class Broken:
    """An environment: which imports raise what, which distributions there are, which torch, and what operators say."""

    raises: Mapping[str, Exception] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: FORK)
    torch: str | None = "2.13.0"
    operators: str = ""


REINSTALL = "pip install --force-reinstall --no-deps "
ENVIRONMENTS: dict[str, tuple[Broken, str, str]] = {
    "no packaging": (Broken({"packaging": lacking("packaging")}), "packaging", "pip install packaging"),
    "no numpy": (Broken({"numpy": lacking("numpy")}), "numpy", "pip install numpy"),
    "no torch": (Broken(torch=None), "torch", "pip install torch==2.13.0"),
    "an old torch": (Broken(torch="2.3.1"), "torch", "pip install torch==2.13.0"),
    "no OpenCV": (Broken({"cv2": lacking("cv2")}), "cv2", "pip install 'opencv-python<4.12'"),
    "no libGL": (Broken({"cv2": NO_GL}), "cv2", doctor.GRAPHICS),
    "no glib": (Broken({"cv2": NO_GLIB}), "cv2", doctor.GRAPHICS),
    "OpenCV for another numpy": (Broken({"cv2": OLD_NUMPY}), "cv2", f"{REINSTALL}'opencv-python<4.12'"),
    "no mmengine": (
        Broken(versions={**FORK, "onedl-mmengine": ""}),
        "mmengine",
        "pip install onedl-mmengine==0.10.12",
    ),
    "no mmcv": (Broken(versions={**FORK, "onedl-mmcv": ""}), "mmcv", doctor.BUILD_MMCV),
    "an old mmcv": (Broken(versions={**FORK, "onedl-mmcv": "", "mmcv": "1.7.2"}), "mmcv", doctor.BUILD_MMCV),
    "two of mmdet": (
        Broken(versions={**FORK, "mmdet": "3.3.0"}),
        "mmdet",
        "pip uninstall onedl-mmdetection mmdet; then: pip install onedl-mmdetection==3.5.1",
    ),
    "mmcv without operators": (Broken({"mmcv._ext": lacking("mmcv._ext")}), "mmcv operators", doctor.BUILD_MMCV),
    "mmcv for another torch": (Broken({"mmcv._ext": OTHER_TORCH}), "mmcv operators", doctor.BUILD_MMCV),
    "operators that crash": (
        Broken(operators="the process was ended by SIGSEGV"),
        "mmcv operators",
        doctor.BUILD_MMCV,
    ),
    "mmdet without YAML": (Broken({"mmdet.models": lacking("yaml")}), "mmdet.models", "pip install pyyaml"),
    "mmdet without pkg_resources": (
        Broken({"mmdet.models": lacking("pkg_resources")}),
        "mmdet.models",
        "pip install 'setuptools<82'",
    ),
    "a broken pycocotools": (
        Broken({"pycocotools.mask": ImportError("x")}),
        "pycocotools.mask",
        f"{REINSTALL}pycocotools",
    ),
    "no Pillow": (Broken({"PIL": lacking("PIL")}), "PIL", "pip install pillow"),
    "no pydantic": (Broken({"pydantic": lacking("pydantic")}), "pydantic", "pip install pydantic"),
    "half of pydantic": (
        Broken({"pydantic": lacking("pydantic_core._pydantic_core")}),
        "pydantic",
        f"{REINSTALL}pydantic_core",
    ),
    "numba for another numpy": (
        Broken({"numba": ImportError("Numba needs NumPy 2.2 or less")}),
        "numba",
        f"{REINSTALL}numba",
    ),
    "no PyAV": (Broken({"av": lacking("av")}), "av", "pip install av"),
    "no Ray": (Broken({"ray": lacking("ray")}), "ray", "pip install ray"),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_broken_environments(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The whole of doctor in each: the first line that it prints of a problem is the right one, with its command."""
    from vis_pipeline.cli.app import app

    broken, wrong, mend = ENVIRONMENTS[name]

    def importing(module: str) -> ModuleType:
        if module in broken.raises:
            raise broken.raises[module]
        return ModuleType(module)

    stub = None if broken.torch is None else SimpleNamespace(__version__=broken.torch, cuda=NO_CUDA)
    monkeypatch.setitem(sys.modules, "torch", stub)
    monkeypatch.setattr(doctor, "import_module", importing)
    monkeypatch.setattr(doctor, "_module_version", lambda module: "4.11")
    monkeypatch.setattr(doctor, "operators_failure", lambda device: broken.operators)
    with_versions(monkeypatch, dict(broken.versions))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 2, result.output
    first = next(line for line in result.output.splitlines() if line.startswith("PROBLEM"))
    assert first.split(None, 1)[1].startswith(f"{wrong} ")
    assert first.endswith(f"To mend: {mend}")
    assert ("another torch" in first) == (name == "mmcv for another torch")
    assert "Traceback" not in result.output


def test_no_finding_hangs_on_packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "packaging", None)
    monkeypatch.setitem(sys.modules, "packaging.version", None)
    checks = [doctor.check_import("packaging"), doctor.check_torch(), *map(doctor.check_openmmlab, doctor.OPENMMLAB)]
    assert [check.ok for check in checks] == [False, True, True, True, True]
    assert checks[0].mend == "pip install packaging"


@pytest.mark.parametrize(
    ("version", "fits"), [("2.5.9", False), ("2.6", True), ("2.6.0rc1", True), ("2.13.0+cpu", True), ("3", True)]
)
def test_versions_are_compared_as_numbers(monkeypatch: pytest.MonkeyPatch, version: str, fits: bool) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__version__=version))
    assert doctor.check_torch().ok is fits


@pytest.mark.parametrize(("version", "ok"), [("4.11.0", True), ("5.0.0", False)])
def test_opencv_with_another_warp_is_a_note(monkeypatch: pytest.MonkeyPatch, version: str, ok: bool) -> None:
    monkeypatch.setattr(doctor, "_module_version", lambda module: version)
    check = doctor.check_opencv()
    assert check.ok is ok
    assert check.needed is ok


@pytest.mark.parametrize(
    ("available", "driver", "failure", "ok"),
    [
        (False, False, "", True),
        (False, True, "", False),
        (True, True, "RuntimeError: nms_impl: implementation for device cuda:0 not found.", False),
        (True, True, "", True),
    ],
)
def test_gpu(monkeypatch: pytest.MonkeyPatch, available: bool, driver: bool, failure: str, ok: bool) -> None:
    device = SimpleNamespace(name="GPU", total_memory=2**36)
    cuda = SimpleNamespace(is_available=lambda: available, get_device_properties=lambda index: device)
    torch = SimpleNamespace(cuda=cuda, version=SimpleNamespace(cuda="13.0"), __version__="2.13.0")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/nvidia-smi" if driver else None)
    monkeypatch.setattr(doctor, "operators_failure", lambda device: failure)
    check = doctor.check_gpu()
    assert check.ok is ok
    assert failure in check.detail
    assert not check.needed or ok


def test_operators_that_crash_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """As mmcv's do where they were compiled for another torch than the one that is there."""
    monkeypatch.setattr(doctor, "_RUN_OPERATORS", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    check = doctor.check_mmcv_operators()
    assert (check.ok, check.mend) == (False, doctor.BUILD_MMCV)
    assert "SIGSEGV" in check.detail


def test_operators_that_raise_are_a_finding() -> None:
    assert "RuntimeError" in doctor.operators_failure("no such device")


def test_little_room_is_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**6))
    checks = [doctor.check_free_disk(tmp_path), doctor.check_shared_memory(tmp_path)]
    assert not any(check.ok for check in checks)
    assert doctor.usable(checks)


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(BundledWeights, "path", tmp_path / "gone.safetensors")
    assert "gone.safetensors" in doctor.check_bundled_weights().detail


@pytest.mark.parametrize(("needed", "code"), [(True, 2), (False, 0)])
def test_exit_code_and_one_line_each(monkeypatch: pytest.MonkeyPatch, needed: bool, code: int) -> None:
    from vis_pipeline.cli.app import app

    checks = [Check("one", True, "fine"), Check("two", False, "[broken]", "mend " * 60, needed)]
    monkeypatch.setattr(doctor, "run_checks", lambda: checks)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == code
    lines = result.output.splitlines()
    assert len(lines) == 2
    assert "[broken]. To mend: mend mend" in lines[1]
