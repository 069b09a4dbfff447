"""What an installation needs, checked one thing at a time: what is wrong, and how to mend it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from vis_pipeline.settings.cores import CGROUP, cgroup_quota, cores
from vis_pipeline.weights.registry import BUNDLED

OLDEST_TORCH = (2, 6)
FREE_DISK_BYTES = 2 * 10**9
FREE_SHARED_MEMORY_BYTES = 500 * 10**6
_OTHER_WARP = 5
"""OpenCV's first version whose warpAffine no longer rounds to 1/32 pixel: small masks differ by IoU 0.993."""
BUILD_MMCV = (
    'CFLAGS="-O2 -g0 -DNDEBUG" pip install --force-reinstall --no-deps --no-cache-dir --no-build-isolation '
    "onedl-mmcv==2.3.6"
)

_RUN_OPERATORS = """
import sys, torch
from mmcv.ops import nms, roi_align
box = torch.tensor([[0.0, 0.0, 4.0, 4.0]], device=sys.argv[1])
nms(box, torch.ones(1, device=box.device), 0.5)
roi_align(torch.ones(1, 1, 8, 8, device=box.device), torch.cat([torch.zeros_like(box[:, :1]), box], 1), (2, 2))
"""


@dataclass(frozen=True)
class Check:
    """One finding. A failed check that is not `needed` means that the pipeline works, with less."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    needed: bool = True


@dataclass(frozen=True)
class OpenMMLabPackage:
    """An OpenMMLab library: its fork's and its original's distribution, and the versions `first` <= v < `beyond`."""

    module: str
    fork: str
    first: str
    beyond: str
    mend: str


GRAPHICS = (
    "apt-get install libgl1 libglib2.0-0, or: pip install --force-reinstall --no-deps 'opencv-python-headless<4.12'"
)
# What pip calls modules that have another name.
DISTRIBUTIONS = {
    "cv2": "'opencv-python<4.12'",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "mmengine": "onedl-mmengine==0.10.12",
    "mmdet": "onedl-mmdetection==3.5.1",
    "attr": "attrs",
    "dateutil": "python-dateutil",
    "distutils": "'setuptools<82'",
    "google": "protobuf",
    "grpc": "grpcio",
    "mpl_toolkits": "matplotlib",
    "pkg_resources": "'setuptools<82'",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "torch": "torch==2.13.0",
}
LIBRARIES = ("PIL", "pydantic", "safetensors", "numba", "matplotlib", "scipy", "av", "ray")
_GRAPHICS_LIBRARIES = ("libGL", "libglib", "libgthread", "libSM", "libXext", "libXrender", "libxcb")

OPENMMLAB = (
    OpenMMLabPackage("mmengine", "onedl-mmengine", "0.10", "0.11", "pip install onedl-mmengine==0.10.12"),
    OpenMMLabPackage("mmcv", "onedl-mmcv", "2.0", "3.0", BUILD_MMCV),
    OpenMMLabPackage("mmdet", "onedl-mmdetection", "3.3", "4.0", "pip install onedl-mmdetection==3.5.1"),
)


def run_checks() -> list[Check]:
    """Every check, in the order in which things are to be mended."""
    checks: list[Callable[[], Check]] = [
        check_python,
        partial(check_import, "packaging"),
        partial(check_import, "numpy"),
        check_torch,
        check_opencv,
        *(partial(check_openmmlab, package) for package in OPENMMLAB),
        check_mmcv_operators,
        *(partial(check_import, module) for module in ("mmdet.models", "pycocotools.mask", *LIBRARIES)),
        partial(check_shared_memory, Path("/dev/shm")),
        check_gpu,
        check_bundled_weights,
        partial(check_free_disk, Path()),
        check_cores,
    ]
    return [check() for check in checks]


def check_cores() -> Check:
    """The cores that may be used, and how many threads a process of its own takes."""
    count, threads = cores(), os.environ.get("OMP_NUM_THREADS", "as many as OpenMP likes")
    quota = cgroup_quota(CGROUP)
    limited = "" if quota is None else f", by the container's quota of {quota:g}"
    detail = f"{count} usable{limited}; threads of a process: {threads}, idle ones wait {_waiting()}"
    return Check("cores", True, detail)


def _waiting() -> str:
    return "passively" if os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE" else "in a busy loop"


def usable(checks: Iterable[Check]) -> bool:
    """Whether all that the pipeline needs is right."""
    return all(check.ok or not check.needed for check in checks)


def check_python(running: tuple[int, int] = sys.version_info[:2]) -> Check:
    """The interpreter is one of those that every dependency has builds for."""
    detail = ".".join(map(str, running))
    return Check(
        "python", (3, 10) <= running <= (3, 12), detail, "use Python 3.10 to 3.12: make clean setup PYTHON=..."
    )


def check_torch() -> Check:
    """Torch is there and new enough."""
    mend = "pip install torch==2.13.0"
    try:
        import torch
    except (ImportError, OSError) as error:
        return Check("torch", False, _line(error), mend)
    return Check("torch", _release(torch.__version__) >= OLDEST_TORCH, torch.__version__, mend)


def check_openmmlab(package: OpenMMLabPackage) -> Check:
    """The fork or the original is installed, not both, in a version that the code runs on."""
    found = {name: _version(name) for name in (package.fork, package.module) if _version(name)}
    if not found:
        return Check(package.module, False, "not installed", package.mend)
    if len(found) > 1:
        both = " ".join(found)
        return Check(package.module, False, "two in one place", f"pip uninstall {both}; then: {package.mend}")
    ((name, installed),) = found.items()
    fits = _release(package.first) <= _release(installed) < _release(package.beyond)
    wanted = "" if fits else f", not from {package.first} to below {package.beyond}"
    return Check(package.module, fits, f"{name} {installed}{wanted}", package.mend)


def check_mmcv_operators() -> Check:
    """Mmcv's compiled operators are there and fit the installed torch."""
    name = "mmcv operators"
    try:
        import_module("mmcv")
        import_module("mmcv._ext")
    except ModuleNotFoundError as error:
        missing = "mmcv was installed without them" if error.name == "mmcv._ext" else _line(error)
        return Check(name, False, missing, _mend_import(error, BUILD_MMCV))
    except Exception as error:  # whatever a broken installation raises is the finding
        foreign = "undefined symbol" in str(error) or "mmcv" in str(error)
        found = f"compiled for another torch ({_line(error)})" if foreign else f"mmcv does not import ({_line(error)})"
        return Check(name, False, found, _mend_import(error, BUILD_MMCV))
    failure = operators_failure("cpu")
    return (
        Check(name, False, f"do not run: {failure}", BUILD_MMCV) if failure else Check(name, True, "compiled, and run")
    )


def operators_failure(device: str) -> str:
    """Why mmcv's operators do not run on a device; empty if they do.

    They are run in a process of their own: compiled code that does not fit may crash instead of raising.
    """
    command = [sys.executable, "-c", _RUN_OPERATORS, device]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode < 0:
        return f"the process was ended by {signal.Signals(-ended.returncode).name}"
    said = ended.stderr.strip().splitlines()
    return (said[-1] if said else f"exit code {ended.returncode}") if ended.returncode else ""


def check_opencv() -> Check:
    """OpenCV imports, which its build with windows does not on a machine without the graphics libraries."""
    check = check_import("cv2")
    if check.ok and int(check.detail.split(".")[0]) >= _OTHER_WARP:
        detail = (
            f"{check.detail}, which warps masks a little otherwise than the version that the release's numbers are for"
        )
        return Check(check.name, False, detail, _installing("cv2"), needed=False)
    return check


def check_import(module: str) -> Check:
    """A module imports."""
    try:
        imported = import_module(module)
    except Exception as error:  # whatever a broken installation raises is the finding
        missing = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
        return Check(
            module, False, _line(error), _mend_import(error, (_installing if missing else _reinstalling)(module))
        )
    return Check(module, True, _module_version(imported))


def _mend_import(error: Exception, otherwise: str) -> str:
    """What helps where an import raised this: often it is another module, or a library, that is missing."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(("mmcv", "torch")):
        return (_reinstalling if "." in error.name else _installing)(error.name)
    if "cannot open shared object file" in text and text.startswith(_GRAPHICS_LIBRARIES):
        return GRAPHICS
    return otherwise


def _installing(module: str) -> str:
    return f"pip install {_distribution(module)}"


def _reinstalling(module: str) -> str:
    """What is there and broken, pip leaves as it is unless it is told otherwise."""
    return f"pip install --force-reinstall --no-deps {_distribution(module)}"


def _distribution(module: str) -> str:
    package = module.partition(".")[0]
    return DISTRIBUTIONS.get(package, package)


def check_shared_memory(folder: Path) -> Check:
    """Ray's object store fits in shared memory; without room it works from disk, slowly."""
    if not folder.is_dir():
        return Check("shared memory", True, "not used on this system")
    free = shutil.disk_usage(folder).free
    mend = "give the container more: docker run --shm-size=2g"
    return Check("shared memory", free >= FREE_SHARED_MEMORY_BYTES, f"{free / 1e9:.1f} GB free", mend, needed=False)


def check_gpu() -> Check:
    """Where there is a GPU, torch and mmcv's operators can use it."""
    try:
        import torch
    except (ImportError, OSError):
        return Check("gpu", True, "not looked for without torch")
    has_driver = shutil.which("nvidia-smi") is not None
    if not torch.cuda.is_available():
        if not has_driver:
            return Check("gpu", True, "none: everything runs on the CPU")
        mend = "use a torch build for the CUDA version that nvidia-smi shows: make clean setup TORCH=..."
        return Check("gpu", False, f"torch {torch.__version__} cannot use the GPU", mend, needed=False)
    device = torch.cuda.get_device_properties(0)
    detail = f"{device.name}, {device.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
    if find_spec("mmcv") is None:
        return Check("gpu", True, detail)
    failure = operators_failure("cuda")
    if not failure:
        return Check("gpu", True, f"{detail}; mmcv's operators run on it")
    mend = f"compile mmcv for it, with the nvcc of CUDA {torch.version.cuda}: make clean setup"
    return Check("gpu", False, f"{detail}; mmcv's operators do not run on it: {failure}", mend, needed=False)


def check_bundled_weights() -> Check:
    """The small weights that the demo uses are installed."""
    missing = [weights.path.name for weights in BUNDLED.values() if not weights.path.is_file()]
    detail = f"missing: {', '.join(missing)}" if missing else ", ".join(BUNDLED)
    return Check(
        "bundled weights", not missing, detail, "install vis-pipeline again, from a full checkout", needed=False
    )


def check_free_disk(folder: Path) -> Check:
    """There is room for a run's results and drawings."""
    free = shutil.disk_usage(folder).free
    mend = f"free {FREE_DISK_BYTES / 1e9:.0f} GB, or give another --out"
    return Check("disk", free >= FREE_DISK_BYTES, f"{free / 1e9:.1f} GB free in {folder.resolve()}", mend, needed=False)


def _release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: 2.13.0+cpu gives (2, 13, 0)."""
    return tuple(int(number) for number in re.split(r"[^0-9.]", version, maxsplit=1)[0].split(".") if number)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _module_version(module: ModuleType) -> str:
    package = sys.modules[module.__name__.partition(".")[0]]
    return str(getattr(package, "__version__", "") or _version(package.__name__))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
