"""What happens to images before a network sees them: a checkpoint notes it, and is then used with the same."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from mmengine.config import Config
from mmseg.models.segmentors import EncoderDecoder
from torch import nn

from mmseg_css.engine.checkpoints import META_KEY, meta_of
from mmseg_css.models.data_preprocessor import turns_channels

#: What the run that wrote a checkpoint notes of its images, under ``run`` of its meta.
PREPROCESSING: Final = "model.data_preprocessor"
STEPS: Final = "pipeline of the validation images"
#: Steps that read and hand over, and are not what a network learns to expect.
READING: Final = ("LoadImageFromFile", "LoadAnnotations", "PackSegInputs")


def pipeline_of(cfg: Config, part: str = "test") -> list[Any] | None:
    """The transforms of a config's images for tests (or ``val``), whatever their data set is wrapped in, if it says."""
    dataset = (cfg.get(f"{part}_dataloader") or {}).get("dataset") or {}
    return _pipeline(dataset) or cfg.get(f"{part}_pipeline")


def _pipeline(dataset: Mapping[str, Any]) -> list[Any] | None:
    inner = dataset.get("dataset") or next(iter(dataset.get("datasets") or ()), None)
    return dataset.get("pipeline") or (_pipeline(inner) if inner else None)


def steps_of(cfg: Config, part: str = "test") -> list[str] | None:
    """What `pipeline_of` does between reading and packing, in words."""
    pipeline = pipeline_of(cfg, part)
    return None if pipeline is None else [_named(step) for step in pipeline if _kind(step) not in READING]


def _named(step: Mapping[str, Any]) -> str:
    return f"{_kind(step)}({', '.join(f'{key}={_plain(step[key])!r}' for key in sorted(step) if key != 'type')})"


def _kind(step: Mapping[str, Any]) -> str:
    kind = step["type"]
    return str(kind if isinstance(kind, str) else kind.__name__).rpartition(".")[2]


def _plain(value: Any) -> Any:
    """The same for a config as it was written and as it was dumped, which sorts keys and may turn tuples into lists."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def other_steps(cfg: Config, checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> str | None:
    """What to say of a config whose test images go through other steps than the training validated with."""
    then = meta_of(checkpoint).get(META_KEY, {}).get("run", {}).get(STEPS)
    now = steps_of(cfg)
    augmented = any(step.startswith("TestTimeAug") for step in now or ())
    if now is None or then is None or now == then or augmented:  # older checkpoints do not say
        return None
    return (
        f"images go through {', '.join(now) or 'no step'} here (test_dataloader.dataset.pipeline), and those that "
        f"{path} was validated with went through {', '.join(then) or 'none'}: unless that is meant, take the pipeline "
        "of the training"
    )


def channels_of(network: EncoderDecoder) -> int:
    """How many channels the pictures of a network have: those of its first convolution."""
    convolutions = (layer for layer in network.backbone.modules() if isinstance(layer, nn.Conv2d))
    first = next(convolutions, None)
    return 3 if first is None else first.in_channels


def preprocessing_of(prepare: Any) -> dict[str, Any]:
    """How a data preprocessor normalises images, as checkpoints note it."""
    normalised = getattr(prepare, "_enable_normalize", False)
    mean, std = (prepare.mean.flatten().tolist(), prepare.std.flatten().tolist()) if normalised else ([0.0], [1.0])
    return {"mean": mean, "std": std, "channels turned": turns_channels(prepare)}


def check_preprocessing(prepare: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> None:
    """Check that images are normalised as when the checkpoint was trained; older checkpoints do not say how.

    Raises:
        ValueError: They are not, so that what it predicts would mean nothing.
    """
    if other := other_preprocessing(prepare, checkpoint):
        raise ValueError(
            f"{path} was trained on images normalised in another way: {other} in this config, so that the network "
            "would see other pictures than it knows. Take the config that it was trained with (it lies in its work "
            "dir), or correct mean, std, bgr_to_rgb and rgb_to_bgr of model.data_preprocessor"
        )


def other_preprocessing(prepare: nn.Module, checkpoint: Mapping[str, Any]) -> str | None:
    """What is normalised in another way than when the checkpoint was trained, in words, by more than rounding."""
    now = preprocessing_of(prepare)
    then = meta_of(checkpoint).get(META_KEY, {}).get("run", {}).get(PREPROCESSING, now)
    differing = [key for key in now if not _alike(then[key], now[key])]
    return f"{differing[0]} was {then[differing[0]]}, and is {now[differing[0]]}" if differing else None


def _alike(one: list[float] | bool, other: list[float] | bool) -> bool:
    """Whether values for each channel are the same; a single one is that of all channels."""
    first, second = np.atleast_1d(one), np.atleast_1d(other)
    lengths = {len(first), len(second)}
    return (len(lengths) == 1 or 1 in lengths) and np.allclose(first, second, rtol=1e-3, atol=1e-3)
