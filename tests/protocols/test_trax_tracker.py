"""The tracker against the client of PyPI's vot-trax, in this process: the server takes a socket from TRAX_SOCKET."""

import configparser
import shlex
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from vot_scenes import polygons, told, walk, write_images

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.vot.regions import upright_box
from vis_pipeline.protocols.vot.trax_tracker import registry_entry, require_trax, serve

TRUTH = walk(12)


@contextmanager
def waiting(trackers: Trackers, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, Future[None]]]:
    """A socket that the server comes to, and what becomes of that."""
    pytest.importorskip("trax", reason="TraX is not installed (pip install vot-trax)")
    came_of_it: Future[None] = Future()

    def work() -> None:
        try:
            came_of_it.set_result(serve(trackers))
        except BaseException as error:
            came_of_it.set_exception(error)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        monkeypatch.setenv("TRAX_SOCKET", str(listening.getsockname()[1]))
        Thread(target=work, daemon=True).start()
        yield listening, came_of_it


@contextmanager
def served(trackers: Trackers, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Future[None]]]:
    """A client of TraX, and what becomes of the server."""
    with waiting(trackers, monkeypatch) as (listening, came_of_it):
        from trax.client import Client

        connected = Client(stream=listening.fileno(), timeout=10, log=lambda text: None)
        yield connected, came_of_it
        connected.quit()


def picture(folder: Path, frame: int) -> dict[str, Any]:
    import trax.image

    return {"color": trax.image.FileImage.create(str(folder / f"{frame + 1:08}.jpg"))}


def rectangle(box: np.ndarray) -> list[tuple[Any, dict[str, str]]]:
    import trax.region

    return [(trax.region.Rectangle.create(*box.tolist()), {})]


def polygon(corners: np.ndarray) -> list[tuple[Any, dict[str, str]]]:
    import trax.region

    return [(trax.region.Polygon.create([tuple(point) for point in corners.reshape(4, 2).tolist()]), {})]


def test_a_client_gets_the_regions_of_each_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path, 12)
    begun: list[np.ndarray] = []
    trackers = told(lambda start, frame: TRUTH[frame] + [frame - start + 0.12344, 0, 0, 0], begun)
    with served(trackers, monkeypatch) as (client, serving):
        client.initialize(picture(tmp_path, 0), rectangle(TRUTH[0]), {})
        for frame in (1, 2):
            ((region, _),), _ = client.frame(picture(tmp_path, frame), {}, [])
            np.testing.assert_allclose(region.bounds(), TRUTH[frame] + [frame + 0.1234, 0, 0, 0], atol=1e-5)
        # Started anew later on, from four corners.
        turned = np.array([20, 5, 35, 20, 25, 30, 10, 15.1234])
        client.initialize(picture(tmp_path, 7), polygon(turned), {})
        ((region, _),), _ = client.frame(picture(tmp_path, 8), {}, [])
        np.testing.assert_allclose(region.bounds(), TRUTH[8] + [1.1234, 0, 0, 0], atol=1e-5)
        client.quit()
        assert serving.result(10) is None
    np.testing.assert_array_equal(begun[0], TRUTH[0])
    # To the last bit that of the runner, although the wire carries 32 bits.
    np.testing.assert_array_equal(begun[1], upright_box(turned))


def test_rotated_boxes_are_polygons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path, 2)
    trackers = Trackers(told(lambda start, frame: TRUTH[frame]).follow, None, "mbr")
    with served(trackers, monkeypatch) as (client, _):
        client.initialize(picture(tmp_path, 0), rectangle(TRUTH[0]), {})
        ((region, _),), _ = client.frame(picture(tmp_path, 1), {}, [])
        np.testing.assert_allclose(np.ravel(list(region)), polygons(TRUTH)[1])


def test_a_mask_comes_as_the_box_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    region = pytest.importorskip("trax.region", reason="TraX is not installed (pip install vot-trax)")
    write_images(tmp_path, 1)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:21, 20:41] = 1
    begun: list[np.ndarray] = []
    with served(told(lambda start, frame: TRUTH[frame], begun), monkeypatch) as (client, _):
        client.initialize(picture(tmp_path, 0), [(region.Mask.create(mask), {})], {})
    np.testing.assert_array_equal(begun, [[19.5, 9.5, 21, 11]])


def test_what_cannot_be_done_is_said_to_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trax = pytest.importorskip("trax", reason="TraX is not installed (pip install vot-trax)")
    write_images(tmp_path, 1)
    with served(told(lambda start, frame: TRUTH[frame]), monkeypatch) as (client, serving):
        client.initialize(picture(tmp_path, 0), rectangle(TRUTH[0]), {})
        with pytest.raises(trax.TraxException, match=r"cannot be read .*00000002\.jpg"):
            client.frame(picture(tmp_path, 1), {}, [])
        with pytest.raises(DataError, match=r"00000002\.jpg"):
            serving.result(10)


def test_a_client_that_breaks_off_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with waiting(told(lambda start, frame: TRUTH[frame]), monkeypatch) as (listening, serving):
        connection, _ = listening.accept()
        assert connection.recv(4096).startswith(b"@@TRAX:")
        connection.close()
        with pytest.raises(DataError, match=r"^TraX: [^\n]*$"):
            serving.result(10)


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str) -> None:
        raise ModuleNotFoundError(name="trax")

    monkeypatch.setattr("vis_pipeline.bridges.extras.import_module", absent)
    with pytest.raises(ConfigError, match=r"trax is not installed; pip install 'vis-pipeline\[vot\]'"):
        require_trax()


def test_an_entry_is_read_as_the_toolkit_reads_it() -> None:
    command = ["/usr/bin/python3", "-m", "vis_pipeline", "trax", "--weights", "/my weights/50%.pth"]
    config = configparser.ConfigParser()
    config.read_string(registry_entry("ours-1", command) + registry_entry("other", command))
    assert config.sections() == ["ours-1", "other"] and config["ours-1"]["protocol"] == "trax"
    assert shlex.split(config["ours-1"]["command"]) == command
    for name in ("a b", "a]", ""):
        with pytest.raises(DataError, match="takes names of letters"):
            registry_entry(name, command)
