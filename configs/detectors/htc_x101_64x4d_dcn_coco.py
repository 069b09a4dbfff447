"""mmdet's HTC X-101-64x4d-DCN as it was trained on COCO; on YouTube-VIS use it with a `coco-to-ytvis...` class map."""

_base_ = ["mmdet::htc/htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco.py"]
