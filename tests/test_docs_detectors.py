"""Every block of docs/detectors.md, run in its order as a reader would."""

import json
import re
import shlex
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from detectors.mmdet_config import read_config, register_mmdet, without_downloads
from vis_pipeline.cli.app import main
from vis_pipeline.data.splits import read_split

PAGE = (Path(__file__).parent.parent / "docs/detectors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
MASK_RCNN = "mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"


def write_clip(path: Path) -> None:
    """Two frames of a bright square that moves as in the page's file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        for left in (4, 8):
            image = np.full((48, 64, 3), 60, np.uint8)
            image[10:26, left : left + 16] = (40, 200, 240)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def write_mask_rcnn(path: Path) -> None:
    """Random weights in the form of mmdet's checkpoints, of a network that takes everything for a dog."""
    from mmdet.registry import MODELS

    register_mmdet()
    torch.manual_seed(0)
    model = MODELS.build(without_downloads(read_config(MASK_RCNN).model))
    with torch.no_grad():
        model.roi_head.bbox_head.fc_cls.bias[16] += 5
    torch.save({"state_dict": model.state_dict(), "meta": {}}, path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all blocks were run."""
    folder = tmp_path_factory.mktemp("page")
    write_clip(folder / "clip.mp4")
    write_mask_rcnn(folder / "mask_rcnn.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for language, text in BLOCKS:
            if language == "json":
                Path("found.json").write_text(text)
            elif language == "python":
                exec(compile(text, "docs/detectors.md", "exec"), {"__name__": "page"})
            else:
                assert language == "sh"
                for line in text.replace("\\\n", " ").splitlines():
                    patch.setattr(sys, "argv", shlex.split(line))
                    with pytest.raises(SystemExit) as left:
                        main()
                    assert left.value.code in (None, 0), line
    return folder


def results(run: Path) -> list[tuple[str, int]]:
    """The class and the number of masks of each track."""
    config = json.loads((run / "config.json").read_text())["config"]
    names = {category.id: category.name for category in read_split(run / config["split"]).categories}
    return [
        (names[track["category_id"]], sum(mask is not None for mask in track["segmentations"]))
        for track in json.loads((run / "results.json").read_text())
    ]


@pytest.mark.slow
def test_any_mmdet_model_detects(ran: Path) -> None:
    found = json.loads((ran / "runs/maskrcnn/detections.json").read_text())
    assert found and {entry["frame_index"] for entry in found} == {0, 1}
    assert {name for name, _ in results(ran / "runs/maskrcnn")} == {"dog"}
    assert results(ran / "runs/maskrcnn-again") == results(ran / "runs/maskrcnn")


@pytest.mark.slow
def test_the_pages_file_and_the_pages_code_give_the_square(ran: Path) -> None:
    assert results(ran / "runs/found") == [("box", 2)]
    assert results(ran / "runs/mine") == [("ball", 2)]
