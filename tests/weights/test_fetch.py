import gzip
import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
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
    range_from: int | str | None = "right"
    headers: dict[str, str] = field(default_factory=dict)
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
        if start and start >= len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Type", self.content_type)
        for name, value in ({"Content-Length": str(len(body))} | self.headers).items():
            request.send_header(name, value)
        if start and self.range_from is not None:
            first = start if self.range_from == "right" else self.range_from
            request.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
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
    assert hashlib.sha256(CONTENT).hexdigest() in (found := verify(published(), path.parent))
    assert "as published" in found


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
        fetch(published(None), tmp_path, base_url=server.url, read=Path.stat)
    server.content, server.etag = CONTENT[::-1], '"second"'
    assert fetch(published(None), tmp_path, base_url=server.url, read=Path.stat).read_bytes() == CONTENT[::-1]


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
    path = fetch(published(None), tmp_path, base_url=server.url, read=Path.stat)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match="damaged"):
        verify(published(None), tmp_path, Path.stat)


def test_web_page_is_refused(server: Server, tmp_path: Path) -> None:
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(WeightsError, match="web page"):
        fetch(published(None), tmp_path, base_url=server.url, read=Path.stat)
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


@pytest.mark.parametrize("range_from", [0, 17, None, "x"])
def test_a_rest_that_does_not_begin_where_the_part_ends_is_not_joined_to_it(
    server: Server, tmp_path: Path, range_from: int | str | None
) -> None:
    (tmp_path / "net.pth.part").write_bytes(CONTENT[:1000])
    (tmp_path / "net.pth.part.validator").write_text(server.etag)
    server.range_from = range_from
    with pytest.raises(WeightsError, match="bytes from 1000 on"):
        fetch(published(None), tmp_path, base_url=server.url, read=Path.stat)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content-Length": "many"}, "length of 'many'"),
        ({"Content-Length": "-1"}, "length of '-1'"),
        ({"Content-Length": "9" * 15}, "more than 16 GB"),
        ({"Content-Length": "9" * 400}, "length of '999"),
        ({"Content-Encoding": "gzip"}, "compressed"),
    ],
)
def test_odd_headers_are_one_line(server: Server, tmp_path: Path, headers: dict[str, str], words: str) -> None:
    server.headers = headers
    with pytest.raises(WeightsError, match=words) as caught:
        fetch(published(), tmp_path, base_url=server.url)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "net.pth").exists()


@pytest.mark.parametrize("etag", ['"' + "x" * 5000 + '"', '"tab\there"', '"\u00e9"'])
def test_an_odd_name_of_the_file_is_not_sent_back(server: Server, tmp_path: Path, etag: str) -> None:
    server.etag, server.breaks = etag, 1
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT
    assert server.asked == [None, None]


@pytest.mark.parametrize("stored", [b"", b"\xff\xfe", b'"first"\r\nX-Other: 1', b"x" * 9999])
def test_a_damaged_note_of_a_part_begins_it_anew(server: Server, tmp_path: Path, stored: bytes) -> None:
    (tmp_path / "net.pth.part").write_bytes(b"of something else")
    (tmp_path / "net.pth.part.validator").write_bytes(stored)
    assert fetch(published(), tmp_path, base_url=server.url).read_bytes() == CONTENT
    assert server.asked == [None]


@pytest.mark.parametrize("noted", [b"", b"\n", b"\xff\xfe\x00", b"no digest", b"12 net.pth"])
def test_a_damaged_digest_file_is_named(server: Server, tmp_path: Path, noted: bytes) -> None:
    fetch(published(), tmp_path, base_url=server.url)
    (tmp_path / "net.pth.sha256").write_bytes(noted)
    with pytest.raises(WeightsError, match=r"net\.pth\.sha256 holds no SHA-256"):
        verify(published(), tmp_path)


def whole_siammask(folder: Path) -> bytes:
    from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_official
    from vis_pipeline.weights.registry import resolve

    save_official(folder / "whole.pth", load_siammask(resolve("bundled:siammask_small")))
    return (folder / "whole.pth").read_bytes()


@pytest.mark.parametrize("kind", ["whole", "empty", "garbage", "gzip", "cut", "another network"])
def test_what_has_no_digest_must_be_a_checkpoint_of_the_right_tensors(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from vis_pipeline.cli.app import app
    from vis_pipeline.weights.registry import PUBLISHED

    whole = whole_siammask(tmp_path)
    other = io.BytesIO()
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(8, 3, 3, 3)}}, other)
    server.content = {
        "whole": whole,
        "empty": b"",
        "garbage": CONTENT,
        "gzip": gzip.compress(whole, 1),
        "cut": whole[:-5000],
        "another network": other.getvalue(),
    }[kind]
    cache = tmp_path / "cache"
    monkeypatch.setitem(PUBLISHED, "net", PublishedWeights("net", "http://x/net.pth", None, "--preset davis", ""))
    result = CliRunner().invoke(app, ["weights", "fetch", "net", "--url", server.url, "--cache", str(cache)])
    if kind == "whole":
        assert result.exit_code == 0, result.output
        assert "no checksum is published; it has the right tensors" in result.output
        checked = CliRunner().invoke(app, ["weights", "verify", "net", "--cache", str(cache)])
        assert "readable; no published digest to compare" in checked.output
        return
    assert isinstance(result.exception, WeightsError)
    assert "is not it, and was removed" in str(result.exception)
    assert names(cache) == set()
