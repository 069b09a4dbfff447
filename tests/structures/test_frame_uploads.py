"""A frame goes to a device once, whoever asks for it."""

import numpy as np
import torch

from vis_pipeline.structures.frames import Frame


def test_all_who_ask_get_the_same_tensor() -> None:
    frame = Frame(1, 0, "a", np.zeros((4, 6, 3), dtype=np.uint8))
    elsewhere = frame.on(torch.device("meta"))
    assert elsewhere.device.type == "meta" and elsewhere.shape == (4, 6, 3) and elsewhere.dtype == torch.uint8
    assert frame.on(torch.device("meta")) is elsewhere
    frame.image[1, 2] = 7
    here = frame.on(torch.device("cpu"))
    assert here[1, 2].tolist() == [7, 7, 7]
    frame.image[1, 2] = 8  # on the CPU it is the same memory
    assert here[1, 2].tolist() == [8, 8, 8]
