"""The files that a data set of one's own needs: two lists, what all configs share, and a config for each method."""

import json
import os
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path, PurePath
from typing import Any, Final, NamedTuple

from mmseg_css.datasets.checks import mirrored
from mmseg_css.locations import bases_from
from mmseg_css.preparation.leaves import DEFAULT, METHODS, leaf_text
from mmseg_css.preparation.own_data.coding import Coding
from mmseg_css.preparation.own_data.images import Input, Sizes
from mmseg_css.preparation.own_data.split import Split

#: Methods whose images are mirrored by the pipelines alone, and how the others' strong views are not mirrored.
UNMIRRORED: Final = ("supervised", "pc2seg", "cps")
STILL: Final = {"augmentation.flip_probability": 0.0}
TALLEST: Final = 4  # an image is resized to its shorter side unless it is longer than this many times that


class Plan(NamedTuple):
    """All that the files say. ``repeated`` are labelled images that the unlabelled folder holds as well.

    ``steps`` is the length of a training.
    ``unlabeled_names`` lists the unlabelled images where masks lie among them, and is empty elsewhere.
    ``before`` are the lists that an earlier call wrote, and ``corrected`` is what was kept of its masks.
    """

    images: Path
    masks: Path
    mask_suffix: str
    unlabeled: Path | None
    repeated: tuple[str, ...]
    split: Split
    coding: Coding
    input: Input
    sizes: Sizes
    steps: int
    unlabeled_names: tuple[str, ...] = ()
    before: Split | None = None
    corrected: tuple[Path, ...] = ()


class Written(NamedTuple):
    """The config of each method; what was there of an earlier call and said something else, under a new name; and
    whether that call had other classes, or took other values of the masks for them."""

    configs: dict[str, Path]
    copies: tuple[Path, ...]
    other_classes: bool


def target_files(out: Path, methods: Iterable[str] = METHODS) -> dict[str, Path]:
    """The config of each method; its name says what the work dir is called."""
    return {method: out / f"{method}_lite0_{out.resolve().name}.py" for method in methods}


def write_configs(plan: Plan, out: Path, methods: Iterable[str] = DEFAULT) -> Written:
    """Write the lists and the configs; only the supervised one where nothing is unlabelled.

    Args:
        plan: What to write.
        out: Folder for the files.
        methods: Of `METHODS`.
    """
    (out / "_base_").mkdir(parents=True, exist_ok=True)
    lists = {"train": plan.split.train, "val": plan.split.val, "repeated": plan.repeated}
    lists["unlabeled"] = plan.unlabeled_names
    texts = {out / f"{name}.txt": "".join(f"{image}\n" for image in images) for name, images in lists.items() if images}
    texts[out / "_base_" / "data.py"] = data_text(plan, out, bases_from(out / "_base_"))
    configs = target_files(out, ["supervised"] if plan.unlabeled is None else methods)
    sides = mirrored(plan.coding.classes)
    for method, path in configs.items():
        settings = STILL if sides and method not in UNMIRRORED else {}
        texts[path] = leaf_text(method, "./_base_/data.py", bases_from(out), settings=settings)
    data = out / "_base_" / "data.py"
    other_classes = data.is_file() and _classes_text(plan.coding).encode() not in data.read_bytes()
    # Of an earlier call: lists that this one does not write, and configs that need unlabelled images if there are none.
    useless = target_files(out).values() if plan.unlabeled is None else ()
    stale = [path for path in (*useless, out / "repeated.txt", out / "unlabeled.txt") if path not in texts]
    changed = [path for path, text in texts.items() if path.is_file() and path.read_bytes() != text.encode()]
    copies = tuple(set_aside(path) for path in (*filter(Path.is_file, stale), *changed))
    for path, text in texts.items():
        path.write_bytes(text.encode())
    return Written(configs, copies, other_classes)


def config_path(path: Path) -> str:
    """A path for a config: relative to the folder we were started from if it lies there, as all our paths are."""
    absolute = Path(os.path.abspath(path))
    return (absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute).as_posix()


def set_aside(path: Path) -> Path:
    """Keep a file, which may have been changed by hand, under the next free name."""
    numbered = (path.with_name(f"{path.name}.~{number}~") for number in count(1))
    return path.rename(next(name for name in numbered if not name.exists()))


# -- texts ------------------------------------------------------------------------------------------------------------


def data_text(plan: Plan, out: Path, bases: str) -> str:
    """The file that the methods share: network, classes, sizes, data."""
    parts = [_network_text(plan, bases), _data_text(plan, out), _labeled_text(plan)]
    if plan.unlabeled is not None:
        parts.append(_unlabeled_text(plan))
    return "".join([*parts, _validation_text(plan)])


def _network_text(plan: Plan, bases: str) -> str:
    colour = plan.input.channels == 3
    # For two classes MMSeg recommends a single output otherwise, of which pseudo-labels cannot be made.
    outputs = ", out_channels=len(classes)" if len(plan.coding.classes) == 2 else ""
    repeat = " * 3" if colour else ""
    backbone = "" if colour else f"backbone=dict(in_channels={plan.input.channels}), "
    return f"""\
# Written by mmseg-css init; yours to change (docs/own-data.md says what). Paths start from the folder that
# training is started from.
_base_ = [
    "{bases}/default_runtime.py",
    "{bases}/models/deeplabv3plus_efficientnet-lite0.py",
    "{bases}/schedules/adamw_own.py",
]
# A larger network: models/deeplabv3plus_r50_os16.py or models/deeplabv3plus_r101_os16.py above, and below
# mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375] where images have three channels.
preprocessing = dict(mean=[127.0]{repeat}, std=[128.0]{repeat}, bgr_to_rgb=True, pad_val=0, seg_pad_val=255)
{_classes_text(plan.coding)}palette = [
{_lines(*(f"{list(colour)}," for colour in plan.coding.palette), depth=4)}]
segmentor = dict({backbone}decode_head=dict(num_classes=len(classes){outputs}))
# Steps of each training; why so many: docs/budgets.md.
max_iters = {plan.steps}
train_cfg = dict(max_iters=max_iters)
"""


def _data_text(plan: Plan, out: Path) -> str:
    crop, side = plan.sizes
    resized = "" if side is None else f"scale = ({TALLEST * side}, {side})  # the shorter side becomes {side} pixels\n"
    return f"""\
crop_size = ({crop}, {crop})
{resized}images = {_literal(config_path(plan.images))}
masks = {_literal(config_path(plan.masks))}
lists = {_literal(config_path(out))}
loading = [
{_lines(*(f"{_literal(transform)}," for transform in plan.input.loading), depth=4)}]
"""


def _labeled_text(plan: Plan) -> str:
    resized = 'dict(type="RandomResize", scale=scale, ratio_range=(0.75, 1.5), keep_ratio=True),'
    pipeline = _lines(
        "*loading,",
        'dict(type="LoadAnnotations"),',
        'dict(type="RandomScale", scale=(0.75, 1.5)),' if plan.sizes.shorter_side is None else resized,
        'dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),',
        _flip(plan),
        'dict(type="PhotoMetricDistortion"),' if plan.input.channels == 3 else "",
        'dict(type="PackSegInputs"),',
        depth=8,
    )
    return f"""\
labeled = dict(
    type="FolderDataset",
    metainfo=dict(classes=classes, palette=palette),
    data_prefix=dict(img_path=images, seg_map_path=masks),
    seg_map_suffix={_literal(plan.mask_suffix)},
    ann_file=f"{{lists}}/train.txt",
    pipeline=[
{pipeline}    ],
)
"""


def _unlabeled_text(plan: Plan) -> str:
    folder, exclude = "images", 'exclude=[f"{lists}/train.txt", f"{lists}/val.txt"],'
    if plan.unlabeled is not None and plan.unlabeled != plan.images:
        folder = _literal(config_path(plan.unlabeled))
        exclude = 'exclude=f"{lists}/repeated.txt",' if plan.repeated else ""
    if plan.unlabeled_names:  # masks lie among the images
        suffixes = sorted({PurePath(name).suffix.lower() for name in plan.unlabeled_names})
        exclude = f'ann_file=f"{{lists}}/unlabeled.txt", suffixes={_literal(suffixes)},'
    pipeline = _lines(
        "*loading,",
        _resize(plan.sizes),
        'dict(type="RandomCrop", crop_size=crop_size),',
        _flip(plan),
        'dict(type="PackSegInputs"),',
        depth=8,
    )
    return f"""\
unlabeled = dict(
    type="UnlabeledDataset",
    data_prefix=dict(img_path={folder}),
{_lines(exclude, depth=4)}    pipeline=[
{pipeline}    ],
)
"""


def _validation_text(plan: Plan) -> str:
    load = 'dict(type="LoadAnnotations"),'
    return f"""\
test_pipeline = [
{_lines("*loading,", _resize(plan.sizes), load, 'dict(type="PackSegInputs"),', depth=4)}]
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="FolderDataset",
        metainfo=dict(classes=classes, palette=palette),
        data_prefix=dict(img_path=images, seg_map_path=masks),
        seg_map_suffix={_literal(plan.mask_suffix)},
        ann_file=f"{{lists}}/val.txt",
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
"""


def _flip(plan: Plan) -> str:
    """Left and right are what a mirror exchanges."""
    return "" if mirrored(plan.coding.classes) else 'dict(type="RandomFlip", prob=0.5),'


def _resize(sizes: Sizes) -> str:
    return "" if sizes.shorter_side is None else 'dict(type="Resize", scale=scale, keep_ratio=True),'


def _classes_text(coding: Coding) -> str:
    """Names, with what stands for them in the original masks where that is not their index."""
    lines = []
    for index, name in enumerate(coding.classes):
        sources = coding.sources(index)
        comment = "" if sources in ([], [str(index)]) else f"  # {' and '.join(sources)} in the original masks"
        lines.append(f"    {_literal(name)},{comment}\n")
    return f"classes = [\n{''.join(lines)}]\n"


def _lines(*lines: str, depth: int) -> str:
    return "".join(f"{' ' * depth}{line}\n" for line in lines if line)


def _literal(value: Any) -> str:
    """Python as the other configs write it: dict(key=value), double quotes, umlauts as they are."""
    if isinstance(value, Mapping):
        return f"dict({', '.join(f'{key}={_literal(part)}' for key, part in value.items())})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
