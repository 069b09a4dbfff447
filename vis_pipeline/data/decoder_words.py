"""What FFmpeg's decoders say of damage that they conceal: it stands in their log alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import av.logging

# Of H.264, HEVC, MPEG-1, -2 and -4. What else they complain of, such as references that a trimmed file lacks, is shown
# as it should be.
_DAMAGE = re.compile(
    r"error while decoding MB|error decoding MB|concealing \d+|cabac decode of|Reference \d+ >= \d+|Slice overlaps"
    r"|Invalid NAL unit|Error splitting the input|corrupted macroblock|in [IPB] slice too large|out of range intra"
    r"|negative number of zero coeffs|block unavailable for requested|tex damaged|MVs? (?:not|out)|slice mismatch"
    r"|Error at MB|invalid (?:cbp|mb_type|dct)|illegal (?:ac|dc)|CABAC_MAX_BIN|overflow in cbp|ref \d+ overflow"
    r"|deblocking_filter_offset|cu_qp_delta|The slice QP|Invalid slice|skip_run"
)
_lock = Lock()
_listening = 0


@contextmanager
def heard() -> Iterator[list[str]]:
    """The damage that decoders tell of while the block runs: filled when it ends, a line each."""
    said: list[str] = []
    with _at_errors(), av.logging.Capture(False) as logged:
        yield said
        said += [text.strip() for _, _, text in logged if _DAMAGE.search(text)]


@contextmanager
def _at_errors() -> Iterator[None]:
    """PyAV says nothing unless asked, and to whom it is not captured for it would go to standard error."""
    global _listening
    with _lock:
        _listening += 1
        av.logging.set_level(av.logging.ERROR)
    try:
        yield
    finally:
        with _lock:
            _listening -= 1
            if not _listening:
                av.logging.set_level(None)
