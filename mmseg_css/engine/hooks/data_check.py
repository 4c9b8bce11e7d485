"""Look at everything that a run will use before it uses the first of it."""

from collections.abc import Iterator
from typing import Any, Final

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmseg.models import SegDataPreProcessor
from mmseg.models.decode_heads import STDCHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from mmseg_css.datasets import PairedDataset, checks
from mmseg_css.datasets.seeded import seeded
from mmseg_css.engine.checkpoints import meta_of
from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.engine.preprocessing import check_preprocessing, other_preprocessing, other_steps
from mmseg_css.registry import HOOKS


def use_data_checks(cfg: Config) -> None:
    """Let the run of a config begin with `DataCheckHook` and `SplitHook`, whose settings may be there already.

    None leaves a hook out, unless the method or its loop registers it all the same. (MMEngine understands None for its
    own, and asserts of others that they are something.)
    """
    hooks = dict(cfg.get("default_hooks") or {})
    kinds = {hook.get("type") for hook in [*hooks.values(), *(cfg.get("custom_hooks") or ())] if hook}
    for name, kind in (("data_check", "DataCheckHook"), ("splits", "SplitHook")):
        if kind not in kinds and hooks.get(name, {}) is not None:
            hooks[name] = {"type": kind, **hooks.get(name, {})}
    cfg.default_hooks = {name: hook for name, hook in hooks.items() if hook is not None or name in MMENGINES}


#: Hooks that MMEngine has without being told.
MMENGINES: Final = ("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Before the first step, or the first image of a test: files, masks, classes and the ignored label are in order.

    The validation set is looked at before a training begins, and not when it is first used. See ``docs/bad-input.md``.

    Args:
        files: Look at the files, too, and not at the settings alone.

    Raises:
        FileNotFoundError: An image or a mask is missing.
        ValueError: Something does not fit.
    """

    priority = "VERY_HIGH"

    def __init__(self, *, files: bool = True) -> None:
        self.files = files
        self._checked: set[str] = set()

    def before_run(self, runner: Runner) -> None:
        built = _loops(runner)
        loops = {name: loop for name, loop in built.items() if name not in self._checked}
        model, training = _network(runner.model), built.get("training set")
        heads = {f"model.{place}": head.num_classes for place, head in _heads(model)}
        for name, loop in loops.items():
            if classes := _metainfo(loop).get("classes"):
                checks.check_num_classes(heads, classes, name)
                _check_auxiliary(model, len(classes), name)
            if training is not None and loop is not training:
                checks.check_same_classes(_metainfo(loop), _metainfo(training), name=name)
        if "training set" in loops:
            _check_preprocessor(loops["training set"].dataloader.dataset, model.data_preprocessor)
            checks.check_views(_metainfo(training), getattr(model, "augmentation", None))
        _check_ignored_value(model, loops)
        for name, loop in loops.items():
            if self.files:
                _check_files(name, loop)
            for metric in _metrics(loop):
                if folder := getattr(metric, "output_dir", None):
                    checks.check_output_names(loop.dataloader.dataset, folder)
        if self.files and "training set" in loops and getattr(model, "augmentation", None) is not None:
            _check_values(loops["training set"].dataloader.dataset)
        self._checked |= loops.keys()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """A network that was trained on other classes, or sees other pictures, goes on as if nothing were wrong."""
        learnt = meta_of(checkpoint).get("dataset_meta") or {}
        loops = _loops(runner)
        prepare, path = _network(runner.model).data_preprocessor, runner._load_from or "the checkpoint"
        if "training set" not in loops:
            check_preprocessing(prepare, checkpoint, path)
            if note := other_steps(runner.cfg, checkpoint, path):
                runner.logger.warning(note)
        elif not runner.cfg.get("resume") and (other := other_preprocessing(prepare, checkpoint)):
            runner.logger.warning(
                f"{path}, which the training starts from, learnt images normalised in another way: {other} here; that "
                "is unlearnt first, unless it is corrected in model.data_preprocessor"
            )
        if "training set" not in loops or runner.cfg.get("resume"):
            for name, loop in loops.items():
                checks.check_same_classes(_metainfo(loop), learnt, name=name, other_name="training of the checkpoint")


def _check_preprocessor(dataset: Any, prepare: Any) -> None:
    paired = isinstance(dataset, PairedDataset)
    checks.check_crops([dataset.labeled, dataset.unlabeled] if paired else [dataset], getattr(prepare, "size", None))
    if paired and type(prepare) is SegDataPreProcessor:
        raise ValueError(
            "model.data_preprocessor is a SegDataPreProcessor, which knows no labelled and unlabelled halves of a "
            "batch: set its type to SemiDataPreprocessor, which takes the same arguments"
        )


def _check_values(dataset: Any) -> None:
    if isinstance(dataset, PairedDataset):
        with seeded(0):  # the training draws as it would without this
            sample = dataset.unlabeled[0]
        checks.check_values(sample, checks.SET_REMEDY)


def _loops(runner: Runner) -> dict[str, BaseLoop]:
    """The loops that this run has built."""
    loops = {"training set": runner._train_loop, "validation set": runner._val_loop, "test set": runner._test_loop}
    return {name: loop for name, loop in loops.items() if isinstance(loop, BaseLoop)}


def _metainfo(loop: BaseLoop) -> dict[str, Any]:
    return getattr(loop.dataloader.dataset, "metainfo", {})


def _network(model: Any) -> Any:
    """The segmentor itself, below the wrappers of training and of test-time augmentation."""
    model = unwrap(model)
    return getattr(model, "module", model)


def _heads(model: Any) -> Iterator[tuple[str, Any]]:
    """The heads that predict, those with a number of classes and an ignored label."""
    head = getattr(model, "decode_head", None)
    heads = {"decode_head": head}
    if isinstance(head, nn.ModuleList):  # a cascade
        heads = {f"decode_head[{index}]": one for index, one in enumerate(head)}
    for place, one in heads.items():
        if isinstance(getattr(one, "num_classes", None), int) and isinstance(getattr(one, "ignore_index", None), int):
            yield place, one


def _check_auxiliary(model: Any, classes: int, name: str) -> None:
    """A label beyond the outputs of a head is an index out of range, which on a GPU names nothing."""
    for place, head in getattr(model, "student", model).named_modules():
        learns = isinstance(head, BaseDecodeHead) and not isinstance(head, STDCHead)  # which learns outlines
        if place.startswith("auxiliary_head") and learns and head.num_classes < classes:
            key = "model.segmentor" if hasattr(model, "student") else "model"
            raise ValueError(
                f"{key}.{place}.num_classes={head.num_classes}, but the {name} has {classes} classes: set it to that"
            )


def _check_ignored_value(model: Any, loops: dict[str, BaseLoop]) -> None:
    heads = list(_heads(model))
    if not heads:
        return
    place, head = heads[-1]
    others = {
        f"model.{name}.ignore_index": module.ignore_index
        for name, module in model.named_modules()
        if isinstance(getattr(module, "ignore_index", None), int) and not type(module).__module__.startswith("torch.")
    }
    for name, loop in loops.items():
        dataset = loop.dataloader.dataset
        others.update(checks.ignored_values(getattr(dataset, "labeled", dataset), name))
        for metric in _metrics(loop):
            if isinstance(getattr(metric, "ignore_index", None), int):
                others[f"ignore_index of {type(metric).__name__} on the {name}"] = metric.ignore_index
    if "training set" in loops and hasattr(model.data_preprocessor, "seg_pad_val"):
        others["model.data_preprocessor.seg_pad_val"] = model.data_preprocessor.seg_pad_val
    checks.check_ignored_value(head.ignore_index, f"model.{place}.ignore_index", others)


def _metrics(loop: BaseLoop) -> list[Any]:
    return list(getattr(getattr(loop, "evaluator", None), "metrics", []))


def _check_files(name: str, loop: BaseLoop) -> None:
    dataset, metrics = loop.dataloader.dataset, _metrics(loop)
    if name == "training set":
        if not isinstance(dataset, PairedDataset):  # which has looked already
            checks.check_set(dataset, checks.TRAINING)
        return
    checks.check_stackable(dataset, loop.dataloader.batch_size, name)
    only_written = bool(metrics) and all(getattr(metric, "format_only", False) for metric in metrics)
    checks.check_set(dataset, checks.EVALUATION, with_masks=not only_written)
