"""SiamMask with ResNet-50 on YouTube-VIS 2021, both stages at once, on a GPU.

Put the data set into data/youtube_vis_2021 (its train.json and train/JPEGImages), or override `sources`.
"""

architecture = "resnet50"
seed = 0
device = None
precision = "bfloat16"
sources = [dict(split="data/youtube_vis_2021/train.json", frames="data/youtube_vis_2021/train/JPEGImages")]
pairs = dict(max_gap=20, history=3, negatives=0.2, cache_gigabytes=48)
losses = dict(mask=36.0, refined=36.0, second_stage=36.0)
schedule = dict(steps=20000, batch=64, learning_rate=1e-3, warm_up=500, freeze_norm_at=0.6)
checkpoint_every = 500
log_every = 20
