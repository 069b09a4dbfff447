"""CSV files read by the names of their columns."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_JSON, open_regular

# Characters; Python's own limit is less than the run-lengths of a large mask may take.
LONGEST_CELL = 1 << 26


def table_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with these columns at least, each with its line in the file.

    Raises:
        DataError: it cannot be read, lacks a column, or a row has too few cells.
    """
    csv.field_size_limit(LONGEST_CELL)
    try:
        with open_regular(path, MOST_JSON) as opened, TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: has no column `{missing[0]}`; its first line must name the columns")
            for row in reader:
                if any(row[column] is None for column in columns):
                    raise DataError(f"{path}: line {reader.line_num}: fewer cells than columns")
                yield reader.line_num, row
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table in UTF-8 ({error})") from error
