"""The hooks of a method: there without being listed, there only once, and missed when they are not."""

from typing import Final, cast

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.registry import HOOKS

#: Hooks of a model that is none of our methods.
PLAIN: Final = ("ProgressHook", "FiniteStepHook")


def unwrap(model: nn.Module) -> SemiSegmentor:
    """The model itself, without the wrappers of distributed training and of ``torch.compile``."""
    while True:
        inner = model.module if is_model_wrapper(model) else getattr(model, "_orig_mod", None)
        if inner is None:
            return cast(SemiSegmentor, model)
        model = cast(nn.Module, inner)


def check_once(runner: Runner, hook: Hook) -> None:
    """Check that a hook is the only one of its kind.

    Raises:
        ValueError: It is registered more than once, and would do its work as often at every step.
    """
    name, times = type(hook).__name__, sum(isinstance(other, type(hook)) for other in runner.hooks)
    if times > 1:
        raise ValueError(
            f"{name} is registered {times} times, and would do its work as often at every step: leave one of those in "
            "custom_hooks, default_hooks and runner.register_hook. (PairedTrainLoop registers what the model needs and "
            "nobody has; list a hook only to change its settings.)"
        )


class MethodHook(Hook):
    """A hook that a method may name in `SemiSegmentor.required_hooks`: it tells the model that it is there.

    It does so before every iteration, and the model forgets it with the loss of that iteration, so that neither the
    loop nor an earlier training can hide that a hook is missing.
    """

    def before_run(self, runner: Runner) -> None:
        check_once(runner, self)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        model = unwrap(runner.model)
        if isinstance(model, SemiSegmentor):
            # A hook derived from one of ours stands for it, too.
            model.present_hooks |= {kind.__name__ for kind in type(self).__mro__}


def register_missing(runner: Runner) -> list[str]:
    """Register the hooks that the model needs, or makes use of, and that nobody has registered; returns their names.

    Not the config: whoever adds a hook of his own to ``custom_hooks`` replaces that list. A plain MMSeg model needs
    `ProgressHook`, so that it resumes exactly, and `FiniteStepHook`, so that it does not go on without numbers.
    """
    model = unwrap(runner.model)
    wanted = (*model.required_hooks, *model.useful_hooks) if isinstance(model, SemiSegmentor) else PLAIN
    present = {kind.__name__ for hook in runner.hooks for kind in type(hook).__mro__}
    missing = [name for name in wanted if name not in present]
    for name in missing:
        runner.register_hook(HOOKS.build({"type": name}))
    return missing
