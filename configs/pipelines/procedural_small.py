"""The demo's pipeline: the bundled small HTC and small SiamMask, for procedural videos and two CPU cores."""

detector = dict(
    type="mmdet",
    config="recipes/htc_small_mixed",
    checkpoint="bundled:htc_small",
    class_map="common",
    score_threshold=0.05,
    max_per_frame=20,
    batch_size=4,
)
tracker = dict(type="siammask", checkpoint="bundled:siammask_small", preset="davis", stages=2)
tracking = dict()
