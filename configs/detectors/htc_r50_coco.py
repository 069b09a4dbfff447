"""mmdet's HTC R-50 as it was trained on COCO; on YouTube-VIS use it with a `coco-to-ytvis...` class map."""

_base_ = ["mmdet::htc/htc_r50_fpn_1x_coco.py"]
