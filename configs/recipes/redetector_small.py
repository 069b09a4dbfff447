"""vis-pipeline train redetector redetector_small --work-dir work_dirs/redetector_small

Made `bundled:redetector_small`, the re-detection head for `bundled:htc_small`, on one CPU core: AUC of pair scores 0.75
against objects of the same class in the same video, 0.89 in other videos, 6 to 15 frames apart.

The data, of seeds that neither the detector nor a test has: `vis-pipeline synth --seed 3000 --videos 200` in
data/drawn, `--seed 3500 --videos 120 --hard` in data/drawn_hard, `--seed 3700 --videos 60 --crowd` in data/drawn_crowd,
and `--seed 3900 --videos 48 --returns` in data/returns.
"""

detector = dict(config="recipes/htc_small_mixed", checkpoint="bundled:htc_small")
sources = [
    dict(split="data/returns/instances.json", frames="data/returns/JPEGImages", weight=0.35),
    dict(split="data/drawn/instances.json", frames="data/drawn/JPEGImages", weight=0.25),
    dict(split="data/drawn_hard/instances.json", frames="data/drawn_hard/JPEGImages", weight=0.25),
    dict(split="data/drawn_crowd/instances.json", frames="data/drawn_crowd/JPEGImages", weight=0.15),
]
# A lookalike differs in shade, so that the light changes little.
looks = dict(plain=0.6, gamma=1.12, grey=0.02, blur=0.2, longest_blur=7, scale=(0.75, 1.3))
store = dict(frames_per_video=12)
head = dict(fc_channels=256)
pairs = dict(regions=20)
hard_examples = dict(neighbours=1500, negatives=12, positives=4, embedding=dict(class_steps=200, instance_steps=400))
schedule = dict(steps=1050, batch=24, learning_rate=2e-3, warm_up=50)
precision = "bfloat16"
checkpoint_every = 50
