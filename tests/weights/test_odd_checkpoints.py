"""Checkpoints as a stranger would make them: one line each, at once, and with no more memory than they have bytes."""

import json
import os
import random
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from detectors.mmdet_network import checkpoint_classes
from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.weights.files import read_checkpoint, read_metadata, read_state_dict
from vis_pipeline.weights.pretrained import read_pretrained

PLAIN = {"a.weight": torch.ones(3, 3)}
READERS: tuple[Callable[[Path], object], ...] = (
    read_state_dict,
    read_checkpoint,
    read_metadata,
    load_siammask,
    load_redetector,
    read_pretrained,
    checkpoint_classes,
)


def outcomes(path: Path) -> list[str]:
    """What each reader says; any error but ours is raised."""
    said = []
    begun = time.process_time()
    for read in READERS:
        try:
            read(path)
        except WeightsError as error:
            said.append(str(error))
    assert time.process_time() - begun < 10
    assert not any("\n" in line or "Traceback" in line for line in said)
    return said


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({0: torch.ones(2)}, "has 0 among its keys"),
        ({"state_dict": {7: torch.ones(2), "x": torch.ones(1)}}, "has 7 among its keys"),
        ({None: torch.ones(2)}, "has None among its keys"),
        ({"x": torch.ones(1).expand(10**9, 10**3)}, "x is no plain tensor"),
        ({"x": torch.eye(3).to_sparse()}, "x is no plain tensor"),
        ({"x": torch.empty(10**6, 10**6, device="meta")}, "x is no plain tensor"),
        ({"x": torch.tensor([float("nan")])}, "not finite"),
        ({"x": torch.tensor([float("inf")], dtype=torch.bfloat16)}, "not finite"),
        ({"x": torch.tensor([complex("nan")])}, "not finite"),
        ({"state_dict": [1]}, "holds no tensors"),
        ({"state_dict": PLAIN, "meta": {"CLASSES": torch.ones(3)}}, "class names"),
        ({"state_dict": PLAIN, "meta": {"CLASSES": 5}}, "class names"),
        ({"state_dict": PLAIN, "meta": {"dataset_meta": {"classes": "abc"}}}, "class names"),
        ({"state_dict": PLAIN, "meta": {"dataset_meta": {"classes": ["a"] * 20_000}}}, "at most 10,000 names"),
        ({"state_dict": PLAIN, "meta": np.zeros(2, dtype=[("a", "f4")])}, "weights"),
        ({"state_dict": PLAIN, "meta": np.dtype([("a", "i1"), ("b", "f8")], align=True)}, "weights"),
        ({"state_dict": PLAIN, "meta": np.array([1, "a"], dtype=object)}, "weights"),
    ],
)
def test_odd_contents(tmp_path: Path, zipped: bool, content: Any, words: str) -> None:
    path = tmp_path / "odd.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert any(words in line for line in outcomes(path))


def test_floats_of_eight_bits_are_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"x": torch.tensor([float("nan")]).to(torch.float8_e4m3fn)}, path)
    assert any("x holds values that are not finite" in line for line in outcomes(path))


@pytest.mark.parametrize(
    ("function", "named"), [(os.system, "posix.system"), (zipfile.ZipFile, "zipfile"), (np.load, "numpy")]
)
def test_the_refused_global_is_named(tmp_path: Path, function: Any, named: str) -> None:
    class Asks:
        def __reduce__(self) -> Any:
            return function, ("x",)

    path = tmp_path / "asks.pth"
    torch.save({"state_dict": PLAIN, "meta": Asks()}, path)
    with pytest.raises(WeightsError, match=rf"asks\.pth: .*it asks for \S*{named}\S*, which only code needs"):
        read_checkpoint(path)


def test_a_checkpoint_whose_records_are_compressed(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.pth", tmp_path / "bomb.pth"
    torch.save(PLAIN, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for record in source.infolist():
            content = bytes(10**7) if record.filename.endswith("data/0") else source.read(record)
            archive.writestr(record.filename, content)
    with pytest.raises(WeightsError, match="is compressed, which torch never does"):
        read_state_dict(path)


_GIANT = {
    "block": "bottleneck",
    "stem_width": 10**6,
    "widths": [10**6] * 3,
    "depths": [10**6] * 3,
    "adjust_width": 10**6,
    "head_width": 10**6,
}
_MODERATE = {**_GIANT, "stem_width": 4096, "widths": [4096] * 3, "depths": [1, 1, 1], "adjust_width": 8}
_HEAD = {"channels": 60_000, "conv_channels": 60_000, "fc_channels": 60_000, "groups": 1}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"architecture": json.dumps(_GIANT)}, "names no known architecture"),
        ({"architecture": json.dumps({**_MODERATE, "head_width": 4096})}, "not of the architecture"),
        ({"architecture": json.dumps({**_GIANT, "widths": "abc"})}, "names no known architecture"),
        ({"architecture": json.dumps({**_MODERATE, "head_width": -1})}, "names no known architecture"),
        ({"architecture": "[1]"}, "names no known architecture"),
        ({"architecture": "[" * 100_000}, "names no known architecture"),
        ({"redetector": json.dumps(_HEAD)}, "key"),
        ({"redetector": json.dumps({**_HEAD, "fc_channels": 10**9})}, "describes no re-detector"),
        ({"classes": json.dumps(["a"] * 100_000)}, "at most 10,000 names"),
        ({"classes": "5"}, "class names"),
    ],
)
def test_metadata_that_claim_more_than_the_file_holds(tmp_path: Path, metadata: dict[str, str], words: str) -> None:
    path = tmp_path / "odd.safetensors"
    save_file(PLAIN, path, metadata=metadata)
    said = outcomes(path)
    assert any(words in line for line in said)
    assert max(map(len, said)) < 1_000


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_mutations_are_read_or_refused(tmp_path: Path, suffix: str) -> None:
    rng, path = random.Random(5), tmp_path / f"m{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": PLAIN, "meta": {"CLASSES": ("a", "b"), "h": np.float64(1)}}, path)
    else:
        save_file(PLAIN, path, metadata={"architecture": "small", "classes": '["a"]'})
    whole = path.read_bytes()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data if rng.random() < 0.9 else data[: rng.randrange(len(data))])
        for read in (read_state_dict, read_metadata, checkpoint_classes):
            try:
                read(path)
            except WeightsError as error:
                assert "\n" not in str(error)


def test_a_changed_value_is_told(tmp_path: Path) -> None:
    """Torch passes over the checksums of its archives, and safetensors have none but ours."""
    from vis_pipeline.weights.files import write_tensors

    pickled, safe = tmp_path / "w.pth", tmp_path / "w.safetensors"
    tensors = {"x": torch.arange(64, dtype=torch.float32), "half": torch.ones(3).half(), "none": torch.ones(0)}
    torch.save({"state_dict": tensors}, pickled)
    write_tensors(safe, tensors, {"note": "n"})
    for path, words in ((pickled, "has not its checksum"), (safe, "not those of the digest")):
        assert torch.equal(read_state_dict(path)["x"], tensors["x"])
        data = path.read_bytes()
        at = data.index(np.arange(64, dtype=np.float32).tobytes()) + 40
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        with pytest.raises(WeightsError, match=words):
            read_state_dict(path)
    assert read_metadata(safe) == {"note": "n"}
