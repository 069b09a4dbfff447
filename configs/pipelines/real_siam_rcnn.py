"""Ordinary video by the bundled light HTC and Siam R-CNN: every object is looked for over the whole of every frame."""

_base_ = ["./real_small.py"]

tracker = dict(
    _delete_=True,
    type="siam_rcnn",
    checkpoint="bundled:redetector_lite_real",
    box_to_mask="mask_head",
    redetection=dict(max_per_template=20, min_score=0.05, refined=20, looks="colours"),
)
