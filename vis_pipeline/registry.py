"""mmengine's registries of this package: mmengine imports this module when a config says `type="vis_pipeline.NAME"`."""

from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import Registry

METRICS = Registry(
    "metric",
    parent=MMENGINE_METRICS,
    scope="vis_pipeline",
    locations=["evaluation.mmengine_metric", "evaluation.frame_metric"],
)
