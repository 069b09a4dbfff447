"""mmdet's own way to detect, `inference_detector` frame by frame, as the baseline of our detector."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from numpy.typing import NDArray

from detectors.mmdet_config import register_mmdet
from detectors.mmdet_network import build_model, model_settings, test_pipeline


class StockDetector:
    """A model of mmdet with its config's own limits and test pipeline, one frame at a time.

    Raises:
        ConfigError: the config cannot be used.
        WeightsError: the checkpoint is missing, damaged, or does not fit the model.
    """

    def __init__(self, config: str, checkpoint: Path, device: torch.device) -> None:
        register_mmdet()
        # Only now, without mmdet's remarks on what is not installed.
        from mmdet.apis import inference_detector

        self._infer = inference_detector
        settings = model_settings(config, checkpoint)
        self._model: Any = build_model(settings, config, checkpoint).to(device).eval()
        self._model.cfg = settings
        steps = [step for step in test_pipeline(settings) if "Load" not in str(step["type"])]
        self._pipeline = Compose([{"type": "mmdet.LoadImageFromNDArray"}, *steps])

    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """The masks of what is found in a frame, uint8 [H, W, 3] BGR: bool [M, H, W] on the host."""
        found = self._infer(self._model, image, test_pipeline=self._pipeline).pred_instances
        return np.asarray(found.masks.cpu().numpy(), dtype=np.bool_)
