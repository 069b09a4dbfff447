"""Every command of docs/guides, run in this process as a reader would, on two short drawn videos."""

import json
import re
import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import pytest
import ray
from live_servers import live_http, live_rtsp
from short_splits import shorten
from without_workers import track_here

from vis_pipeline.cli.app import main
from vis_pipeline.data.splits import read_split

GUIDES = Path(__file__).parents[1] / "docs/guides"
PAGES = sorted(path.stem for path in GUIDES.glob("*.md"))
LENGTH = 6

NOT_RUN = {
    "vis-pipeline weights fetch htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco": "downloads",
    "vis-pipeline weights fetch SiamMask_DAVIS": "downloads",
    "vis-pipeline run youtube_vis_2019_coco --split valid/instances.json --frames valid/JPEGImages --out runs/valid": (
        "needs the published weights and the data set"
    ),
    "vis-pipeline run --video 0 --out runs/watched --show": "opens a window; tests/visualize/test_window.py does so",
    "ray start --head --port 6379": "the cluster here is started by the test",
    "ray start --address=HOST:6379": "needs a second machine",
}
# What a command has besides, so that it is quick or stays on the CPU, by its beginning; the last of an option counts.
BESIDES = {
    "vis-pipeline run --video 0 ": "--device cpu --reconnect 0",
    "vis-pipeline run --video rtsp:": "--device cpu --reconnect 0",
    "vis-pipeline run ": "--device cpu --workers 1",
    "vis-pipeline train detector": (
        "--cfg-options train_cfg.max_iters=2 --cfg-options train_cfg.val_interval=2 --cfg-options warmup_iters=1"
        " --cfg-options train_dataloader.batch_size=1 --cfg-options train_dataloader.num_workers=0"
        " --cfg-options train_dataloader.persistent_workers=False --cfg-options val_dataloader.num_workers=0"
        " --cfg-options val_dataloader.persistent_workers=False --cfg-options custom_hooks.0.interval=1"
    ),
    "vis-pipeline train tracker": "--cfg-options schedule.steps=2 --cfg-options schedule.batch=2"
    " --cfg-options schedule.warm_up=1 --cfg-options schedule.norm_batches=1 --cfg-options precision=float32",
}


def commands(page: str) -> list[str]:
    """The lines of a page's blocks of commands, continued ones joined."""
    text = (GUIDES / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in re.sub(r" *\\\n\s*", " ", block).splitlines()]


def follow(page: str, patch: pytest.MonkeyPatch, stand_ins: dict[str, str] | None = None) -> None:
    """Run a page's commands in the present folder, with other words in the place of some."""
    for line in commands(page):
        if line in NOT_RUN:
            continue
        extra = next((more for start, more in BESIDES.items() if line.startswith(start)), "")
        words = [(stand_ins or {}).get(word, word) for word in shlex.split(line)]
        patch.setattr(sys, "argv", words + shlex.split(extra))
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code in (None, 0), line
        if " synth " in line:
            shorten(Path("videos"), LENGTH)


def write_clip(path: Path, images: list[Path]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv444p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.imread(str(image)), format="bgr24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Ray on this machine: the address of what `ray start` would have started."""
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 * 2**20,
    )
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader stands who has followed the guide of a split and has a clip.

    The split is tracked in this process: Ray's start costs more than that (tests/cli/test_end_to_end.py has it).
    """
    folder = tmp_path_factory.mktemp("guides")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        track_here(patch)
        follow("split", patch)
        images = sorted(Path("videos/JPEGImages/00000").glob("*.jpg"))[:LENGTH]
        write_clip(Path("clip.mp4"), images)
        Path("photographs").mkdir()
        for image in images[:2]:
            shutil.copy(image, "photographs")
    return folder


@pytest.fixture
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def assert_written(page: str) -> None:
    """What a page says one gets is there: every path that it names below `runs` and `work`, and files of its own."""
    text = (GUIDES / f"{page}.md").read_text(encoding="utf-8")
    (got,) = re.findall(r"\*\*You get\*\*(.*?)\*\*Next:\*\*", text, flags=re.DOTALL)
    paths = re.findall(r"`((?:runs|work)/[\w./-]+|\w+\.(?:json|csv))`", re.sub(r"```.*?```", "", got, flags=re.DOTALL))
    assert paths
    for path in paths:
        found = Path(path)
        assert any(found.iterdir()) if found.is_dir() else found.stat().st_size, path


def results(run: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(Path(run, "results.json").read_text())
    return found


@pytest.mark.slow
def test_a_split(there: Path) -> None:
    assert_written("split")
    assert {track["video_id"] for track in results("runs/a")} == {1, 2}
    assert json.loads(Path("scores.json").read_text())["AP"] > 0.3
    assert len(list(Path("runs/a/pictures").glob("*.mp4"))) == 2


@pytest.mark.slow
def test_a_submission(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("submission", monkeypatch)
    assert_written("submission")
    with zipfile.ZipFile("runs/a/submission.zip") as archive:
        assert archive.namelist() == ["results.json"]


@pytest.fixture(scope="module")
def with_clip(folder: Path) -> Path:
    """The same, after the guide of one's own video."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        follow("own_video", patch)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("with_clip")
def test_own_video(there: Path) -> None:
    assert_written("own_video")
    assert read_split(Path("runs/clip/split.json")).videos[0].length == LENGTH
    assert [video.length for video in read_split(Path("own/split.json")).videos] == [LENGTH, 2]


@pytest.mark.slow
def test_live(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with live_http(frames=4, rate=10) as camera, live_rtsp(frames=8) as stream:
        follow("live", monkeypatch, {"0": camera.url("cam.mjpg"), "rtsp://HOST:554/stream": stream.url})
    assert_written("live")
    assert read_split(Path("runs/stream/split.json")).videos[0].length > 1
    assert list(Path("runs/camera/pictures").glob("*.mp4"))
    texts = [path.read_text() for path in Path("runs/stream").rglob("*") if path.suffix in (".json", ".txt")]
    assert texts and not any("secret" in text for text in texts)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_mmengine")
def test_train(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "held_out"):
        shutil.copytree("videos", name)
    follow("train", monkeypatch)
    assert_written("train")
    assert Path("work/detector/best.safetensors").is_file()
    config = json.loads(Path("runs/trained/config.json").read_text())["config"]
    used = {str(Path(path).relative_to(there)) for path in config["checkpoints"].values()}
    assert used == {"work/detector/detector.safetensors", "work/tracker/tracker.safetensors"}
    known = {category.name for category in read_split(Path("runs/trained/split.json")).categories}
    assert known == {category.name for category in read_split(Path("mine/instances.json")).categories}


@pytest.fixture
def quick_mmengine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a short training would go into laying the config out with yapf and into collecting garbage."""
    monkeypatch.setattr("yapf.yapflib.yapf_api.FormatCode", lambda text, **_: (text, True))
    monkeypatch.setattr("mmengine.dataset.base_dataset.gc", SimpleNamespace(collect=lambda: 0))


@pytest.mark.slow
def test_a_cluster(there: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("cluster", monkeypatch, {"HOST:6379": cluster})
    assert_written("cluster")
    # Not to the last bit: the detector's rounding differs with the threads of its process.
    assert [track["category_id"] for track in results("runs/cluster")] == [
        track["category_id"] for track in results("runs/a")
    ]


@pytest.mark.slow
def test_results_of_others(there: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", "export", "runs/a", "--form", "mots-png", "--out", "theirs"])
    with pytest.raises(SystemExit):
        main()
    follow("others_results", monkeypatch)
    assert_written("others_results")
    assert "HOTA" in capsys.readouterr().out
    assert len(results("runs/theirs")) == len(results("runs/a"))
    assert len(read_split(Path("theirs.json")).annotations or ()) == len(results("runs/a"))


@pytest.mark.slow
@pytest.mark.usefixtures("with_clip")
def test_the_report(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("report", monkeypatch)
    assert_written("report")
    assert Path("runs/clip/report/index.html").is_file()


@pytest.mark.slow
def test_corrections(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```$", (GUIDES / "correct.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    run = json.loads(Path("runs/a/config.json").read_text())["hash"]
    Path("edits.json").write_text(json.dumps(json.loads(text) | {"run": run}))
    before = results("runs/a")
    follow("correct", monkeypatch)
    assert_written("correct")
    assert results("runs/a") == before and len(results("runs/a-corrected")) == len(before)
    assert json.loads(Path("runs/a-corrected/config.json").read_text())["config"]["edited"]


def test_each_guide_is_followed_and_each_line_that_is_not_run_is_there() -> None:
    followed = set(re.findall(r'follow\("(\w+)"', Path(__file__).read_text()))
    assert followed == set(PAGES)
    assert set(NOT_RUN) <= {line for page in PAGES for line in commands(page)}
