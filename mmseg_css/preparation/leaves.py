"""The config of a method beside a file of data, network and schedule, as short as a person would write it."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

#: What a config is written for.
Method = Literal[
    "supervised",
    "css",
    "aided_css",
    "pc2seg",
    "fixmatch",
    "mean_teacher",
    "unimatch",
    "unimatch_v2",
    "cps",
    "cps_cutmix",
]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
#: Unless others are asked for: labels alone, the paper's method, and the one that did best on photographs so far
#: (docs/results.md).
DEFAULT: Final = METHODS[:3]
CSS_HEAD: Final = """\
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", projection=dict(type="ProjectionBranch", channels=64, hidden=64)
)
"""
#: Decode heads with what the method contrasts.
HEADS: Final = {
    "css": CSS_HEAD,
    "aided_css": CSS_HEAD,
    "pc2seg": """\
segmentor.decode_head.update(
    type="DeepLabV3PlusProjectionHead", tap="conv_seg", projection=dict(type="LinearProjection", channels=64)
)
""",
}
#: Values that differ from ``configs/_base_/methods``. A quarter turn of the hue would take the green from trees.
SETTINGS: Final = {
    "css": "    augmentation=dict(hue=0.1),\n    pseudo_label_loss=dict(threshold=0.9),\n",
    "aided_css": "    augmentation=dict(hue=0.1),\n",
    "pc2seg": "    augmentation=dict(hue=0.1),\n",
    "cps": "",
}
PAIRED: Final = """\
train_dataloader = dict(batch_size=8, num_workers=2, dataset=dict(labeled=_base_.labeled, unlabeled=_base_.unlabeled))
"""
LENGTH: Final = """\
max_iters = {steps}
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
"""
STRONG: Final = "    augmentation=dict(_delete_=True, **_base_.augmentation, hue=0.1),\n"
# Few labelled images would be told from the rest.
APART: Final = '    statistics="apart",\n'


def leaf_text(
    method: str,
    data: str,
    bases: str,
    *,
    labeled: str | None = None,
    settings: Mapping[str, Any] | None = None,
    steps: int | None = None,
) -> str:
    """A config file.

    Args:
        method: One of `METHODS`.
        data: Path of the shared file.
        bases: Path of this repository's ``configs/_base_``.
        labeled: The labelled list, if it is not the shared file's; an empty one is all images.
        settings: Other values of the model, numbers, strings, None: ``{"pseudo_label_loss.threshold": 0.5}``.
        steps: The length of the training, if it is not the shared file's.

    Raises:
        ValueError: There are settings for `supervised`, which is no method of ours.
    """
    length = "" if steps is None else LENGTH.format(steps=steps)
    if method != "supervised":
        return _ours(method, data, bases, labeled, settings or {}) + length
    if settings:
        raise ValueError(f"a supervised training has no such settings: {', '.join(settings)}")
    listed = "" if labeled is None else f'_base_.labeled.ann_file = "{labeled}"\n'
    return f"""\
_base_ = ["{data}", "{bases}/methods/supervised.py"]
{listed}model = dict(**_base_.segmentor, data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing))
train_dataloader = dict(batch_size=4, num_workers=2, dataset=_base_.labeled)
{length}"""


def _ours(method: str, data: str, bases: str, labeled: str | None, settings: Mapping[str, Any]) -> str:
    """Of a method that learns from unlabelled images, too."""
    file = "css_short" if method == "css" else method
    views = "" if method in SETTINGS else f', "{bases}/views/short.py"'
    listed = "" if labeled is None else f'_base_.labeled.ann_file = _base_.unlabeled.exclude = "{labeled}"\n'
    head = f"segmentor = _base_.segmentor\n{HEADS[method]}" if method in HEADS else ""
    own = SETTINGS.get(method, (APART if method in ("fixmatch", "unimatch") else "") + STRONG)
    more = "".join(_setting(name, value) for name, value in settings.items())
    return f"""\
_base_ = ["{data}", "{bases}/methods/{file}.py"{views}]
{listed}{head}model = dict(
    data_preprocessor=dict(size=_base_.crop_size, **_base_.preprocessing),
    segmentor={"segmentor" if head else "_base_.segmentor"},
{own})
{more}{PAIRED}"""


def _setting(name: str, value: Any) -> str:
    *path, last = name.split(".")
    inner = "".join(f'.setdefault("{part}", {{}})' for part in path)
    literal = json.dumps(value) if isinstance(value, str) else repr(value)  # strings as the rest of the file has them
    return f'model{inner}["{last}"] = {literal}\n'
