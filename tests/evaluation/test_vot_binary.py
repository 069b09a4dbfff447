import struct
from pathlib import Path

import numpy as np
import pytest
from test_single_object_scores import vot_files

from evaluation.single_object.number_files import read_rows
from evaluation.single_object.protocols import protocol_scores
from evaluation.single_object.vot_binary import read_binary_rows
from vis_pipeline.errors import DataError


def binary(rows: list[np.ndarray]) -> bytes:
    data = struct.pack("<hI", 1, len(rows))
    for row in rows:
        if len(row) == 1:
            data += struct.pack("<BI", 0, int(row[0]))
        elif len(row) == 4:
            data += struct.pack("<B4f", 1, *row)
        else:
            data += struct.pack(f"<BH{len(row)}f", 2, len(row) // 2, *row)
    return data


def test_binary_results_are_scored_as_the_text(tmp_path: Path) -> None:
    truth, results = vot_files(tmp_path)
    expected = protocol_scores("vot2018", results, truth)
    for path in sorted(results.glob("baseline/*/*.txt")):
        path.with_suffix(".bin").write_bytes(binary(read_rows(path)))
        path.unlink()
    found = protocol_scores("vot2018", results, truth)
    assert found.overall == pytest.approx(expected.overall) and found.sequences.keys() == expected.sequences.keys()
    # Of both forms of a run the toolkit reads the text.
    (results / "baseline/bag/bag_001.txt").write_text("1\n")
    assert "bag_001.txt: 1 rows" in protocol_scores("vot2018", results, truth).left_out["bag"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cut short"),
        (binary([np.array([1.0]), np.arange(8.0)])[:-3], "cut short"),
        (struct.pack("<hI", 2, 1), "version 2"),
        (struct.pack("<hI", 1, 2) + struct.pack("<BIB", 0, 1, 3), "frame 2: a mask or a point"),
        (struct.pack("<hI", 1, 2**32 - 1), "cut short"),
    ],
)
def test_damaged_binary_results_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a_001.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as raised:
        read_binary_rows(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_the_toolkits_own_binary_files_are_read(tmp_path: Path) -> None:
    pytest.importorskip("vot", reason="the VOT toolkit is not installed (pip install vot-toolkit)")
    files, region = pytest.importorskip("vot.region.io"), pytest.importorskip("vot.region")
    regions = [region.Special(1), region.Rectangle(1.5, 2, 3, 4), region.Polygon([(1, 2), (3, 4), (5, 6.25), (0, 1)])]
    path = tmp_path / "a_001.bin"
    files.write_trajectory(str(path), regions)
    found = [row.tolist() for row in read_binary_rows(path)]
    assert found == [[1], [1.5, 2, 3, 4], [1, 2, 3, 4, 5, 6.25, 0, 1]]
