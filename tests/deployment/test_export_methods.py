"""The network of every method leaves as an ordinary MMSeg model: the one that was asked for, and all of one kind.

All are read by one process, where this package cannot be imported.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.apis import inference_model, init_model

from mmseg_css.deployment.plain import Exported, export_segmentor
from mmseg_css.models import SemiSegmentor
from mmseg_css.registry import MODELS
from tests.configs.groups import METHODS
from tests.deployment.alone import PREDICT, run_alone
from tests.models.methods import helpers
from tests.trained import MakeConfig

#: Those with a teacher.
AVERAGED = [method for method in METHODS if helpers.METHODS[method].get("teacher") is not None]
#: Of a method the network that is expected, and the one that is asked for: none, and it is the one that predicts.
NETWORKS = [
    *((method, "teacher" if method in AVERAGED else "student", None) for method in METHODS),
    *((method, "student", "student") for method in AVERAGED),
]
each = pytest.mark.parametrize(("method", "network"), [one[:2] for one in NETWORKS])


class One(NamedTuple):
    """A method as it was saved, its exported networks, and what they say without this package."""

    config: Path
    checkpoint: Path
    state: dict[str, torch.Tensor]
    exported: dict[str, Exported]
    said: dict[str, np.ndarray]


def differing(model: SemiSegmentor) -> SemiSegmentor:
    """With other weights and statistics in each of its networks, as after a training."""
    generator = torch.Generator().manual_seed(1)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            noise = 0.05 * torch.randn(value.shape, generator=generator)
            value.add_(noise.abs() if name.endswith("running_var") else noise)
    return model


@pytest.fixture(scope="module")
def methods(
    make_config: MakeConfig,
    image: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, One]:
    init_default_scope("mmseg")
    root = tmp_path_factory.mktemp("exported")
    found = {}
    for method in METHODS:
        config = make_config(f"exported_{method}", method=method)
        cfg = Config.fromfile(config)
        torch.manual_seed(0)
        state = differing(MODELS.build(cfg.model)).state_dict()
        checkpoint = root / f"{method}.pth"
        meta = {"dataset_meta": {"classes": [*"abcde"], "palette": [[0, 0, 0]] * 5}}
        torch.save({"state_dict": state, "meta": meta}, checkpoint)
        exported = {
            network: export_segmentor(config, str(checkpoint), root / f"{method}_{network}", asked)
            for own, network, asked in NETWORKS
            if own == method
        }
        found[method] = One(config, checkpoint, state, exported, {})
    outs = {(method, network): root / f"{method}_{network}.npz" for method, network, _ in NETWORKS}
    run_alone((PREDICT, found[method].exported[network], image, out) for (method, network), out in outs.items())
    for (method, network), out in outs.items():
        found[method].said[network] = np.load(out)["logits"]
    return found


@each
def test_it_predicts_the_same_without_this_package(
    methods: dict[str, One],
    image: Path,
    method: str,
    network: str,
) -> None:
    one = methods[method]
    options: dict[str, Any] = {"model.predict_on": network} if len(one.said) > 1 else {}
    ours = init_model(str(one.config), str(one.checkpoint), device="cpu", cfg_options=options)
    expected = inference_model(ours, str(image)).seg_logits.data.numpy()
    np.testing.assert_array_equal(one.said[network], expected)
    assert np.ptp(expected) > 0 and one.exported[network].notes == []


@each
def test_its_weights_are_those_of_the_network(methods: dict[str, One], method: str, network: str) -> None:
    """Of two networks the student's; all of them but the projection branch."""
    prefix = {"student": "student.", "teacher": "teacher.model."}[network]
    own = {name.removeprefix(prefix): value for name, value in methods[method].state.items() if name.startswith(prefix)}
    own = {name: value for name, value in own.items() if not name.startswith("decode_head.projection.")}
    weights = torch.load(methods[method].exported[network].checkpoint, weights_only=True)["state_dict"]
    assert [*weights] == [*own] and all(torch.equal(weights[name], own[name]) for name in own)


@pytest.mark.parametrize("method", sorted({*METHODS} - {*AVERAGED}))
def test_a_teacher_that_is_not_there(methods: dict[str, One], method: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no teacher: export its student"):
        export_segmentor(methods[method].config, str(methods[method].checkpoint), tmp_path / "other", "teacher")


def test_all_methods_leave_one_kind_of_model(methods: dict[str, One]) -> None:
    """So that what holds of the ONNX file of one (test_export.py) holds of those of all: only weights differ."""
    configs = [one.config for own in methods.values() for one in own.exported.values()]
    assert len({path.read_text().partition("register_head()\n\n")[0] for path in configs}) == 1
    models = [Config.fromfile(path).model for path in configs]
    assert all(model == models[0] for model in models)
