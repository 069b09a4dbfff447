"""What stops a training whose loss is no longer a number."""

from collections.abc import Mapping

from vis_pipeline.errors import ConfigError


def not_finite(step: int, what: str, values: Mapping[str, float], cure: str, batch: str) -> ConfigError:
    """The error for a step whose `what` (loss, gradient) is not finite: the settings are at fault.

    Damaged data are told when they are read, and images and masks as whole numbers hold nothing that is not finite. So
    `cure` names the setting to change, and `batch`, what the step learned from, comes after it.
    """
    numbers = ", ".join(f"{name} {value:g}" for name, value in values.items())
    return ConfigError(
        f"training step {step}: the {what} is not finite ({numbers}); {cure}, or look at the batch: {batch}"
    )
