"""Learning rates that decay with the depth of a layer, for models that hold the networks that train as parts."""

from typing import Any

from mmseg.engine.optimizers import LayerDecayOptimizerConstructor, LearningRateDecayOptimizerConstructor
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


class _OfEachNetwork:
    """Give MMSeg's constructor one network after the other.

    Why: it looks for ``model.backbone``, and for layers by names that begin with ``backbone.``; those of a method begin
    with ``student.backbone.``, and would all get the rate of the head. A model of MMSeg's is given as it is.
    """

    def add_params(self, params: list[dict], module: nn.Module, **kwargs: Any) -> None:
        prefixes: tuple[str, ...] = getattr(module, "networks", ())
        for prefix in prefixes:
            super().add_params(params, module.get_submodule(prefix.rstrip(".")), **kwargs)  # type: ignore[misc]
        if not prefixes:
            super().add_params(params, module, **kwargs)  # type: ignore[misc]
        given = {parameter for group in params for parameter in group["params"]}
        for name, parameter in module.named_parameters():
            if parameter.requires_grad and parameter not in given:
                raise ValueError(
                    f"{type(self).__name__} would not train {name}, which belongs to none of the networks "
                    f"({', '.join(prefixes)}): take optim_wrapper.paramwise_cfg.custom_keys instead"
                )


for _kind in (LearningRateDecayOptimizerConstructor, LayerDecayOptimizerConstructor):
    OPTIM_WRAPPER_CONSTRUCTORS.register_module(name=_kind.__name__, force=True)(
        type(_kind.__name__, (_OfEachNetwork, _kind), {"__module__": __name__})
    )
