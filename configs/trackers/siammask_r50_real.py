"""SiamMask with ResNet-50 for ordinary video, tested on eight sequences that it never saw.

The pictures are those of `recipes/siammask_lite0`, laid out as it says, and an ImageNet trunk in data/: of npm's
`idai-shapes-ceramics_resnet50` by `vis-pipeline weights convert model/model.json data/resnet50.safetensors`. On one H200
0.36 million pairs (`schedule.steps=1400`) took seven minutes beside another training. `siammask_r50_real_refine` may follow.
"""

_base_ = ["./siammask_r50_imagenet.py"]

from configs.recipes import _tracker_pictures

init = dict(path="data/resnet50.safetensors")
sources = _tracker_pictures.sources
pairs = dict(max_gap=40, history=3, crowded=0.4, negatives=0.2, lookalikes=0.6, cache_gigabytes=24, ahead=2)
augment = dict(refine_shift=0.25, refine_scale=(0.6, 1.65), grey=0.15, blur=0.15, light=0.15)
