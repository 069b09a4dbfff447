"""Downloading published weights: resumed where they were cut off, checked, and put in place only when whole."""

import hashlib
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from vis_pipeline.errors import WeightsError
from vis_pipeline.files.whole_files import put_in_place, replacing
from vis_pipeline.weights.registry import PublishedWeights

BLOCK = 1 << 20
ATTEMPTS = 5
TIMEOUT_SECONDS = 30.0

OnProgress = Callable[[int, int | None], None]
"""Told the bytes there are so far, and those there will be (None while unknown)."""


def fetch(
    weights: PublishedWeights,
    cache: Path,
    on_progress: OnProgress = lambda done, total: None,
    base_url: str | None = None,
) -> Path:
    """Download `weights` into `cache`, from their own URL or from a mirror's folder `base_url`; return the file.

    A file that is there and intact is kept. The file's SHA-256 is written beside it, in `sha256sum`'s form.

    Raises:
        WeightsError: the server cannot be reached or refuses, the transfer keeps breaking off (what came is kept and
            resumed by the next call), the checksum is wrong (what came is removed), or `cache` cannot be written.
    """
    target = weights.path(cache)
    if target.is_file():
        verify(weights, cache)
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
        with replacing(_digest_file(target)) as filled:
            filled.write_text(f"{digest}  {target.name}\n")
        put_in_place(part, target)
    except OSError as error:
        raise WeightsError(f"weights {weights.name}: cannot write {cache}: {error.strerror or error}") from error
    return target


def verify(weights: PublishedWeights, cache: Path) -> str:
    """The SHA-256 of the fetched file, after comparing it with what was published and with what was fetched.

    Raises:
        WeightsError: the file is not there or is not what it was.
    """
    target = weights.path(cache)
    if not target.is_file():
        raise WeightsError(f"weights {weights.name}: not fetched yet; run `vis-pipeline weights fetch {weights.name}`")
    digest = sha256(target)
    note = _digest_file(target)
    recorded = note.read_text().split()[0] if note.is_file() else ""
    if not (digest.startswith(weights.sha256_prefix or "") and digest.startswith(recorded)):
        raise WeightsError(f"weights {weights.name}: {target} is damaged; remove it and fetch it again")
    return digest


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
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _open(url: str, part: Path) -> HTTPResponse:
    request = Request(url, headers={"User-Agent": "vis-pipeline", "Accept-Encoding": "identity"})
    validator = _validator_file(part)
    if part.is_file() and part.stat().st_size and validator.is_file():
        # If-Range: a server whose file has changed since then sends the whole of the new one.
        request.add_header("Range", f"bytes={part.stat().st_size}-")
        request.add_header("If-Range", validator.read_text())
    response: HTTPResponse = urlopen(request, timeout=TIMEOUT_SECONDS)
    return response


def _receive(response: HTTPResponse, part: Path, on_progress: OnProgress) -> int | None:
    """Append to `part`, or start it anew, as the answer says; the whole file's size where the server tells it."""
    if response.headers.get_content_type() == "text/html":
        raise WeightsError(f"weights: {response.url} is a web page, not a checkpoint")
    resumed = response.status == 206
    if not resumed:
        _forget(part)
        # Weak validators do not promise the same bytes, so they cannot guard a resumed transfer.
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            _validator_file(part).write_text(validator)
    done = part.stat().st_size if resumed else 0
    length = response.headers.get("Content-Length")
    total = None if length is None else done + int(length)
    on_progress(done, total)
    with part.open("ab") as file:
        while block := response.read(BLOCK):
            file.write(block)
            done += len(block)
            on_progress(done, total)
    return total


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _digest_file(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")
