"""Downloading published weights: resumed where they were cut off, checked, and put in place only when whole."""

import hashlib
import re
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from vis_pipeline.errors import WeightsError
from vis_pipeline.files.regular_files import MOST_BYTES, MOST_DOWNLOAD, MOST_TEXT, open_regular, read_regular
from vis_pipeline.files.whole_files import put_in_place, replacing
from vis_pipeline.weights.files import read_state_dict
from vis_pipeline.weights.registry import PublishedWeights

BLOCK = 1 << 20
ATTEMPTS = 5
TIMEOUT_SECONDS = 30.0

OnProgress = Callable[[int, int | None], None]
"""Told the bytes there are so far, and those there will be (None while unknown)."""

Read = Callable[[Path], object]
"""Reads a file as what it ought to be, and raises WeightsError where it is not."""

_DIGEST = re.compile(rb"([0-9a-f]{64})[ \t]")
_STORED_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
# What may stand in a header, and no more than servers send.
_VALIDATOR = re.compile(rb"[\x20-\x7e]{1,200}")


def fetch(
    weights: PublishedWeights,
    cache: Path,
    on_progress: OnProgress = lambda done, total: None,
    base_url: str | None = None,
    read: Read = read_state_dict,
) -> Path:
    """Download `weights` into `cache`, from their own URL or from a mirror's folder `base_url`; return the file.

    A file that is there and intact is kept. One of which no digest is published takes its name only once `read` has
    read it. The file's SHA-256 is written beside it, in `sha256sum`'s form.

    Raises:
        WeightsError: the server cannot be reached or refuses, the transfer keeps breaking off (what came is kept and
            resumed by the next call), the checksum is wrong or the file is not what it ought to be (what came is
            removed), or `cache` cannot be written.
    """
    target = weights.path(cache)
    if target.is_file():
        verify(weights, cache, read)
        return target
    url = weights.url if base_url is None else f"{base_url.rstrip('/')}/{weights.file_name}"
    part = target.with_name(target.name + ".part")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        download(url, part, on_progress)
        digest = sha256(part)
        if not digest.startswith(weights.sha256_prefix or ""):
            part.unlink()
            raise WeightsError(
                f"weights {weights.name}: {url} has SHA-256 {digest[:8]}..., not {weights.sha256_prefix}...; "
                "it was removed, try again or another mirror"
            )
        if weights.sha256_prefix is None:
            _require_sound(weights, part, url, read)
        with replacing(_digest_file(target)) as filled:
            filled.write_text(f"{digest}  {target.name}\n")
        put_in_place(part, target)
    except OSError as error:
        raise WeightsError(f"weights {weights.name}: cannot write {cache}: {error.strerror or error}") from error
    return target


def verify(weights: PublishedWeights, cache: Path, read: Read = read_state_dict) -> str:
    """What was found of the fetched file: that its digest is as published, or else that `read` can read it.

    Raises:
        WeightsError: the file is not there, is not what it was, or is not what it ought to be.
    """
    target = weights.path(cache)
    if not target.is_file():
        raise WeightsError(f"weights {weights.name}: not fetched yet; run `vis-pipeline weights fetch {weights.name}`")
    try:
        digest = sha256(target)
    except OSError as error:
        raise WeightsError(f"weights {weights.name}: {target} cannot be read ({error.strerror})") from error
    recorded = _recorded(_digest_file(target))
    if not digest.startswith(weights.sha256_prefix or "") or recorded not in (None, digest):
        raise WeightsError(f"weights {weights.name}: {target} is damaged; remove it and fetch it again")
    if weights.sha256_prefix is not None:
        return f"SHA-256 {digest}, whose first {len(weights.sha256_prefix)} digits are as published"
    read(target)
    since = "as when it was fetched" if recorded else "not noted when it came"
    return f"readable; no published digest to compare; SHA-256 {digest}, {since}"


def download(url: str, part: Path, on_progress: OnProgress) -> None:
    """Bring `part` to the whole of `url`, going on from what `part` holds where the server still has the same file.

    Raises:
        WeightsError: the server cannot be reached or refuses, or the transfer broke off in every attempt.
        OSError: `part` cannot be written.
    """
    if not url.startswith(("http://", "https://")):
        raise WeightsError(f"weights: {url} is not an http or https address")
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            with _open(url, part) as response:
                total = _receive(response, part, on_progress)
        except HTTPError as error:
            if error.code != 416:  # a part longer than the file: it is another file's
                raise WeightsError(f"weights: {url} answers {error.code} {error.reason}") from error
            _forget(part)
            continue
        except URLError as error:
            raise WeightsError(f"weights: cannot reach {url} ({error.reason}); what came is kept") from error
        except ValueError as error:
            raise WeightsError(f"weights: {url} is no address that can be asked ({error})") from error
        except (HTTPException, ConnectionError, TimeoutError, SSLError) as error:
            problem = str(error) or type(error).__name__
            continue
        size = part.stat().st_size
        if total is None or size == total:
            _validator_file(part).unlink(missing_ok=True)
            return
        problem = f"{size} of {total} bytes came"
    raise WeightsError(
        f"weights: {url} broke off {ATTEMPTS} times ({problem}); run the command again to go on from there"
    )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open_regular(path, MOST_BYTES) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _open(url: str, part: Path) -> HTTPResponse:
    request = Request(url, headers={"User-Agent": "vis-pipeline", "Accept-Encoding": "identity"})
    validator = _stored_validator(part)
    if part.is_file() and part.stat().st_size and validator is not None:
        # If-Range: a server whose file has changed since then sends the whole of the new one.
        request.add_header("Range", f"bytes={part.stat().st_size}-")
        request.add_header("If-Range", validator)
    response: HTTPResponse = urlopen(request, timeout=TIMEOUT_SECONDS)
    return response


def _receive(response: HTTPResponse, part: Path, on_progress: OnProgress) -> int | None:
    """Append to `part`, or start it anew, as the answer says; the whole file's size where the server tells it."""
    if response.headers.get_content_type() == "text/html":
        raise WeightsError(f"weights: {response.url} is a web page, not a checkpoint")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WeightsError(f"weights: {response.url} comes compressed, which was not asked for; take another mirror")
    resumed = response.status == 206
    if resumed:
        _require_rest(response, part)
    else:
        _forget(part)
        # Weak validators do not promise the same bytes, so they cannot guard a resumed transfer.
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/") and _VALIDATOR.fullmatch(validator.encode()):
            _validator_file(part).write_text(validator)
    done = part.stat().st_size if resumed else 0
    length = _stated_length(response)
    total = None if length is None else done + length
    _require_moderate(response, total or 0)
    on_progress(done, total)
    with part.open("ab") as file:
        while block := response.read(BLOCK):
            file.write(block)
            done += len(block)
            _require_moderate(response, done)
            on_progress(done, total)
    return total


def _require_rest(response: HTTPResponse, part: Path) -> None:
    """What comes begins where `part` ends; after any other answer nothing is left to go on from."""
    stated = response.headers.get("Content-Range", "")
    found = _STORED_RANGE.fullmatch(stated.strip())
    size = part.stat().st_size
    if found is None or int(found[1]) != size:
        _forget(part)
        raise WeightsError(
            f"weights: {response.url} was asked for its bytes from {size} on and sends {stated[:60] or 'others'!r}; "
            "what came before is removed, run the command again"
        )


def _stated_length(response: HTTPResponse) -> int | None:
    stated = response.headers.get("Content-Length")
    if stated is None:
        return None
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 16):
        raise WeightsError(f"weights: {response.url} states a length of {stated[:60]!r}; take another mirror")
    return int(stated)


def _require_moderate(response: HTTPResponse, size: int) -> None:
    if size > MOST_DOWNLOAD:
        raise WeightsError(
            f"weights: {response.url} sends more than {MOST_DOWNLOAD / 1e9:.0f} GB, which no checkpoint has"
        )


def _require_sound(weights: PublishedWeights, part: Path, url: str, read: Read) -> None:
    try:
        read(part)
    except WeightsError as error:
        _forget(part)
        raise WeightsError(
            f"weights {weights.name}: what came from {url} is not it, and was removed ({error})"
        ) from error


def _recorded(note: Path) -> str | None:
    """The digest that was noted when the file came; None where none was."""
    try:
        found = _DIGEST.match(read_regular(note, MOST_TEXT))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsError(f"weights: {note} cannot be read ({error.strerror}); remove it") from error
    if found is None:
        raise WeightsError(f"weights: {note} holds no SHA-256; remove it, and verify again")
    return found[1].decode()


def _stored_validator(part: Path) -> str | None:
    """What the server called the file of which `part` is; None where that is not known for certain."""
    try:
        stored = read_regular(_validator_file(part), MOST_TEXT)
    except OSError:
        return None
    return stored.decode() if _VALIDATOR.fullmatch(stored) else None


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _digest_file(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")
