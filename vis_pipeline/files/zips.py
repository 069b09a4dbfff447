"""Zip files of files that are there."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_IMAGE, read_regular
from vis_pipeline.files.whole_files import replacing

_EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)


def write_zip(path: Path, files: Mapping[str, Path]) -> None:
    """Write a zip of files under the names that it is to have them by; the same content gives the same bytes.

    Raises:
        DataError: a file cannot be read, or the zip cannot be written.
    """
    try:
        with replacing(path) as filled, zipfile.ZipFile(filled, "w") as archive:
            for name, file in files.items():
                entry = zipfile.ZipInfo(name, _EARLIEST_TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, read_regular(file, MOST_IMAGE), zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise DataError(f"{path}: cannot be made ({error.filename or 'zip'}: {error.strerror})") from error
