import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights import fetch as fetch_module
from vis_pipeline.weights.fetch import fetch, verify
from vis_pipeline.weights.registry import PublishedWeights

CONTENT = bytes(range(256)) * 4000


@dataclass
class Server:
    """A file server that can break off, ignore ranges, change its file, or answer with a page."""

    content: bytes = CONTENT
    breaks: int = 0
    break_at: int = 300_000
    ranges: bool = True
    etag: str = '"first"'
    content_type: str = "application/octet-stream"
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.asked.append(asked)
        if not request.path.endswith("/net.pth"):
            request.send_error(404)
            return
        start = 0
        if asked and self.ranges and request.headers.get("If-Range") == self.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Type", self.content_type)
        request.send_header("Content-Length", str(len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        if self.breaks:
            self.breaks -= 1
            request.wfile.write(body[: self.break_at])
            request.wfile.flush()
            request.connection.close()
            return
        request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}/models"
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def published(prefix: str | None = hashlib.sha256(CONTENT).hexdigest()[:8]) -> PublishedWeights:
    return PublishedWeights("net", "http://unreachable.invalid/net.pth", prefix, "", "")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_whole_file_arrives_and_verifies(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = fetch(published(), tmp_path / "cache", lambda done, total: seen.append((done, total)), server.url)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == {"net.pth", "net.pth.sha256"}
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert verify(published(), path.parent) == hashlib.sha256(CONTENT).hexdigest()


def test_fetched_file_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    fetch(published(), tmp_path, base_url=server.url)
    fetch(published(), tmp_path, base_url=server.url)
    assert len(server.asked) == 1


def test_break_is_resumed_within_one_call(server: Server, tmp_path: Path) -> None:
    server.breaks = 2
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT
    assert server.asked[0] is None
    assert all(asked is not None and asked != "bytes=0-" for asked in server.asked[1:])
    assert len(server.asked) == 3


def test_break_is_resumed_by_the_next_call(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "ATTEMPTS", 1)
    server.breaks = 1
    with pytest.raises(WeightsError, match="broke off"):
        fetch(published(), tmp_path, base_url=server.url)
    assert "net.pth" not in names(tmp_path)
    kept = (tmp_path / "net.pth.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
    assert names(tmp_path) == {"net.pth", "net.pth.sha256"}


@pytest.mark.parametrize("etag", ['"first"', 'W/"weak"', ""])
def test_server_without_ranges_starts_again(server: Server, tmp_path: Path, etag: str) -> None:
    server.ranges, server.breaks, server.etag = False, 1, etag
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT


def test_file_that_changed_meanwhile_is_not_mixed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "ATTEMPTS", 1)
    server.breaks = 1
    with pytest.raises(WeightsError):
        fetch(published(None), tmp_path, base_url=server.url)
    server.content, server.etag = CONTENT[::-1], '"second"'
    assert fetch(published(None), tmp_path, base_url=server.url).read_bytes() == CONTENT[::-1]


def test_part_longer_than_the_file_starts_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(CONTENT + b"more")
    (tmp_path / "net.pth.part.validator").write_text(server.etag)
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT


def test_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="00000000") as caught:
        fetch(published("00000000"), tmp_path, base_url=server.url)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_damage_on_disk_is_found_without_a_published_checksum(server: Server, tmp_path: Path) -> None:
    path = fetch(published(None), tmp_path, base_url=server.url)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match="damaged"):
        verify(published(None), tmp_path)


def test_web_page_is_refused(server: Server, tmp_path: Path) -> None:
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(WeightsError, match="web page"):
        fetch(published(None), tmp_path, base_url=server.url)
    assert "net.pth" not in names(tmp_path)


def test_missing_on_the_server_is_named(server: Server, tmp_path: Path) -> None:
    other = PublishedWeights("other", server.url + "/other.pth", None, "", "")
    with pytest.raises(WeightsError, match=r"other\.pth answers 404"):
        fetch(other, tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"), [("http://127.0.0.1:1", "cannot reach"), ("ftp://host", "not an http or https address")]
)
def test_unusable_address_is_named(tmp_path: Path, url: str, expected: str) -> None:
    with pytest.raises(WeightsError, match=expected) as caught:
        fetch(published(), tmp_path, base_url=url)
    assert "\n" not in str(caught.value)


def test_unwritable_cache_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"cannot write .*file"):
        fetch(published(), tmp_path / "file", base_url=server.url)


def test_commands_fetch_list_and_verify(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vis_pipeline.cli.app import app
    from vis_pipeline.weights.registry import PUBLISHED

    monkeypatch.setenv("VIS_PIPELINE_CACHE", str(tmp_path))
    monkeypatch.setitem(PUBLISHED, "net", published())
    runner = CliRunner()
    fetched = runner.invoke(app, ["weights", "fetch", "net", "--url", server.url])
    assert fetched.exit_code == 0, fetched.output
    assert "checksum right" in fetched.output
    assert str(tmp_path) in runner.invoke(app, ["weights", "list"]).output
    assert runner.invoke(app, ["weights", "verify", "net"]).exit_code == 0
    (tmp_path / "net.pth").write_bytes(b"rubbish")
    damaged = runner.invoke(app, ["weights", "verify", "net"])
    assert isinstance(damaged.exception, WeightsError)
    unknown = runner.invoke(app, ["weights", "fetch", "nothing"])
    assert isinstance(unknown.exception, WeightsError)
