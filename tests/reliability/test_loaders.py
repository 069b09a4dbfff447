"""Each kind of file is loaded in one place, which is known to run no code: the source has no other loader."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("vis_pipeline", "detectors", "evaluation", "configs")

# What loads, by how it is called, and the modules that may.
PLACES = {
    "torch.load": {"vis_pipeline/weights/files.py"},
    "torch.jit.load": set[str](),
    "safe_open": {"vis_pipeline/weights/files.py"},
    "load_file": set(),
    "safetensors.torch.load": {"vis_pipeline/runs/journal.py"},
    "np.load": {"vis_pipeline/files/arrays.py"},
    "np.fromfile": set(),
    "np.loadtxt": set(),
    "np.genfromtxt": set(),
    "np.memmap": set(),
    "json.load": set(),
    "json.loads": {"vis_pipeline/files/json_files.py"},
    "yaml.load": {"vis_pipeline/settings/plain_configs.py"},
    "yaml.safe_load": set(),
    "yaml.unsafe_load": set(),
    "yaml.full_load": set(),
    "Config.fromfile": {"vis_pipeline/settings/config.py"},
    "Config.fromstring": set(),
    "mmengine.load": set(),
    "cv2.imread": set(),
    "cv2.imdecode": {"vis_pipeline/files/images.py"},
    "cv2.VideoCapture": set(),
    "Image.open": {"vis_pipeline/files/images.py"},
    "av.open": {
        "vis_pipeline/bench/faults.py",  # writes
        "vis_pipeline/data/frames.py",
        "vis_pipeline/data/live.py",
        "vis_pipeline/visualize/gif_writer.py",  # what it wrote itself
        "vis_pipeline/visualize/sound.py",
        "vis_pipeline/visualize/video_writer.py",
    },
    "zipfile.ZipFile": {
        "vis_pipeline/files/json_files.py",
        "vis_pipeline/files/zips.py",  # writes
        "vis_pipeline/protocols/youtube_vos.py",  # the same
        "vis_pipeline/runs/submission.py",  # the same
        "vis_pipeline/weights/files.py",
    },
    "tarfile.open": set(),
    "shutil.unpack_archive": set(),
    "expat.ParserCreate": {"vis_pipeline/exchange/cvat_reading.py"},
    "csv.DictReader": {"vis_pipeline/exchange/tables.py"},
    "csv.reader": set(),
}
# Modules that unpickle, run or parse what may do so: not imported at all.
FORBIDDEN = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "xml.etree", "xml.dom")
RUNNING = ("eval", "exec", "compile")

# What opens a file for reading by itself: the bound of `files/regular_files.py`, and files of the system or our own.
OPENERS = {
    "vis_pipeline/bench/faults.py",  # what it has made
    "vis_pipeline/files/regular_files.py",
    "vis_pipeline/files/memory.py",  # of /proc and /sys
    "vis_pipeline/settings/cores.py",  # the same
    "vis_pipeline/runs/lock.py",  # its own, in a folder that it has made
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


SOURCES = dict(sources())


def called(node: ast.expr) -> str:
    """`torch.load` of the call's function; the last part alone where it stands on something else than names."""
    if isinstance(node, ast.Attribute):
        return f"{called(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All of a module, gone through once for all tests."""
    wanted = (ast.Call, ast.Import, ast.ImportFrom)
    return tuple(node for node in ast.walk(tree) if isinstance(node, wanted))


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in nodes(tree) if isinstance(node, ast.Call))


def loaders(name: str, tree: ast.Module) -> Iterator[str]:
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for call in calls(tree):
        written = called(call.func)
        full = imported.get(written, written).replace("numpy.", "np.")
        for loader, places in PLACES.items():
            if full in PLACES and full != loader:
                continue
            if (full == loader or full.endswith(f".{loader}")) and name not in places:
                yield f"{name}:{call.lineno}: {loader}"


def test_each_kind_is_loaded_in_one_place() -> None:
    assert [found for name, tree in SOURCES.items() for found in loaders(name, tree)] == []


def test_the_places_are_those_that_load() -> None:
    """A place that loads no longer must not stay allowed."""
    for loader, places in PLACES.items():
        for place in places:
            others = {key: set[str]() for key in PLACES} | {}
            assert any(found.endswith(f" {loader}") for found in _with(others, place)), (loader, place)


def _with(places: dict[str, set[str]], name: str) -> list[str]:
    before = dict(PLACES)
    try:
        PLACES.update(places)
        return list(loaders(name, SOURCES[name]))
    finally:
        PLACES.update(before)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch.load(p)",
        "from torch import load\nload(p)",
        "import numpy as np\nnp.load(p)",
        "from numpy import load as read\nread(p)",
        "import json\njson.load(f)",
        "from json import loads\nloads(t)",
        "import yaml\nyaml.load(t)",
        "from PIL import Image\nImage.open(p)",
        "import PIL.Image\nPIL.Image.open(p)",
    ],
)
def test_a_loader_elsewhere_is_found(code: str) -> None:
    assert list(loaders("vis_pipeline/other.py", ast.parse(code)))


def test_nothing_that_unpickles_or_runs_text_is_used() -> None:
    found = []
    for name, tree in SOURCES.items():
        for node in nodes(tree):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNNING:
                found.append(f"{name}:{node.lineno}: {node.func.id}")
            found += [f"{name}: {module}" for module in modules if module.startswith(FORBIDDEN)]
    assert found == []


def opens_for_reading(call: ast.Call) -> bool:
    """`path.read_bytes()`, `path.read_text()`, `path.open()` and `open()` whose mode neither writes nor appends."""
    attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if attribute in ("read_bytes", "read_text"):
        # `read_text(path)` of regular_files is no attribute.
        return True
    if not (attribute == "open" or (isinstance(call.func, ast.Name) and call.func.id == "open")):
        return False
    place = 0 if attribute else 1
    given = list(call.args[place : place + 1])
    given += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    modes = [node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if attribute and given and not modes:
        return False  # another object's `open`, of a video by its id, or of a library by a name
    if attribute and not call.args and not call.keywords:
        return True
    if attribute and not modes:
        return any(keyword.arg in ("encoding", "newline", "errors") for keyword in call.keywords)
    return not any(letter in mode for mode in modes for letter in "wax")


def test_files_are_opened_for_reading_in_one_place() -> None:
    found = [
        f"{name}:{call.lineno}"
        for name, tree in SOURCES.items()
        if name not in OPENERS
        for call in calls(tree)
        if opens_for_reading(call)
    ]
    assert found == []


def test_all_that_is_printed_passes_one_border() -> None:
    found = []
    for name, tree in SOURCES.items():
        if name == "vis_pipeline/terminal.py":
            continue
        for call in calls(tree):
            written = called(call.func)
            if written in ("print", "typer.echo", "click.echo", "Console", "rich.print", "sys.stdout.write"):
                found.append(f"{name}:{call.lineno}: {written}")
    assert found == []
