"""What to call the files of a video: names that every file system takes, and no two the same."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256

# Bytes; a file's name may have 255, and gets a suffix, an id, and more while it is being written.
LONGEST_NAME = 160
# Separators and control characters, what FAT, NTFS and SMB shares refuse, and halves of characters.
_REFUSED = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
# Names of devices there, whatever their suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def file_stem(name: str) -> str:
    """A video's name as a file's, without suffix: no folders, not hidden, of bounded length, never empty.

    What it cannot hold becomes `_`; where much is cut off, a digest tells the rest apart.
    """
    flat = _REFUSED.sub("_", name)
    flat = re.sub(r"^[. ]|[. ]$", "_", flat) or "_"
    if _DEVICE.match(flat):
        flat = f"_{flat}"
    if len(flat.encode()) <= LONGEST_NAME:
        return flat
    kept = flat.encode()[:LONGEST_NAME].decode(errors="ignore")
    return f"{kept}_{sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def file_stems(names: Mapping[int, str]) -> dict[int, str]:
    """The stem of each video, by its id, from their names.

    Those that a file system without letter case would take for one get their ids; so it depends on all the names, not
    on which of the videos are drawn.
    """
    stems = {identifier: file_stem(name) for identifier, name in names.items()}
    while twice := [key for key, count in Counter(map(_folded, stems.values())).items() if count > 1]:
        stems = {
            identifier: f"{stem}_{identifier}" if _folded(stem) in twice else stem for identifier, stem in stems.items()
        }
    return stems


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFC", stem.casefold())
