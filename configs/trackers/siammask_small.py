"""The small SiamMask on procedural videos, both stages at once, on one CPU core.

Make the data with `vis-pipeline synth --seed 0 --videos 400 --out data/procedural_train`.
"""

architecture = "small"
seed = 0
precision = "bfloat16"
sources = [dict(split="data/procedural_train/instances.json", frames="data/procedural_train/JPEGImages")]
pairs = dict(max_gap=18, history=3, crowded=0.4, negatives=0.2, lookalikes=0.6)
augment = dict(refine_shift=0.2, refine_scale=(0.75, 1.4), grey=0.1, blur=0.15, light=0.12)
labels = dict(hard=0.5, masks=3)
losses = dict(score=2.0, box=1.5, refined=12.0, second_stage=12.0)
schedule = dict(steps=8600, batch=16, learning_rate=1e-3, warm_up=150, freeze_norm_at=0.55,
                search_sides=[(0.0, 191), (0.48, 255)])
checkpoint_every = 300
log_every = 20
