"""vis-pipeline train redetector redetector_lite_real --work-dir work_dirs/redetector_lite_real

Made `bundled:redetector_lite_real`, the re-detection head for `bundled:htc_lite_real`, on one CPU core: in eight sequences
of DAVIS-2016 that it never learned from the object is found again in 97 % of the frames 6 to 15 frames away.

The data are the real and composed videos of `recipes/siammask_lite0`, where it is said how they are made; left out are the
same eight sequences of DAVIS and 60 photographs.
"""

detector = dict(config="recipes/htc_lite_real", checkpoint="bundled:htc_lite_real")
sources = [
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.3,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(split="data/composed_normal/instances.json", frames="data/composed_normal/JPEGImages", weight=0.25),
    dict(split="data/composed_hard/instances.json", frames="data/composed_hard/JPEGImages", weight=0.2),
    dict(split="data/composed_crowd/instances.json", frames="data/composed_crowd/JPEGImages", weight=0.25),
]
store = dict(frames_per_video=12)
head = dict(conv_channels=48, fc_channels=256)
pairs = dict(regions=20)
hard_examples = dict(neighbours=1500, negatives=12, positives=4, embedding=dict(class_steps=200, instance_steps=400))
schedule = dict(steps=1100, batch=24, learning_rate=2e-3, warm_up=50)
precision = "bfloat16"
checkpoint_every = 50
