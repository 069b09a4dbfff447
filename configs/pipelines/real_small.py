"""Ordinary video on CPU cores: people, animals, vehicles and things, by the bundled light HTC and light SiamMask."""

detector = dict(
    type="mmdet",
    config="recipes/htc_lite_real",
    checkpoint="bundled:htc_lite_real",
    class_map="by-name",
    score_threshold=0.2,
    max_per_frame=30,
    batch_size=4,
    overlap_iou=0.5,
    overlap_share=0.8,
)
tracker = dict(type="siammask", checkpoint="bundled:siammask_lite0", preset="davis", stages=2, precision="fast")
tracking = dict(confirm_score=0.7)
