"""HTCs narrow enough for tests."""

from typing import Any

CHANNELS = 8


def narrow(model: Any) -> Any:
    """The model of `htc_small_procedural` with all its parts, at a sixth of the width; changed in place."""
    model.backbone.update(base_channels=8, stem_channels=8)
    model.neck.update(in_channels=[8, 16, 32, 64], out_channels=CHANNELS)
    model.rpn_head.update(in_channels=CHANNELS, feat_channels=CHANNELS)
    head = model.roi_head
    for extractor in (head.bbox_roi_extractor, head.mask_roi_extractor, head.semantic_roi_extractor):
        extractor.out_channels = CHANNELS
    for box, mask in zip(head.bbox_head, head.mask_head, strict=True):
        box.update(in_channels=CHANNELS, fc_out_channels=16)
        mask.update(in_channels=CHANNELS, conv_out_channels=CHANNELS)
    head.semantic_head.update(in_channels=CHANNELS, conv_out_channels=CHANNELS)
    return model


def narrow_light(model: Any) -> Any:
    """The model of `htc_lite_real` at an eighth of the width behind its trunk; changed in place."""
    model.neck.out_channels = CHANNELS
    model.rpn_head.update(in_channels=CHANNELS, feat_channels=CHANNELS)
    head = model.roi_head
    for extractor in (head.bbox_roi_extractor, head.mask_roi_extractor):
        extractor.out_channels = CHANNELS
    for box, mask in zip(head.bbox_head, head.mask_head, strict=True):
        box.update(in_channels=CHANNELS, fc_out_channels=16)
        mask.update(in_channels=CHANNELS, conv_out_channels=CHANNELS)
    return model
