"""The authors' own loss lines on random logits: `shared/golden/baselines.pt`.

The network is a classifier of single pixels that reads its logits out of the image, so that a whole step of every
method is given the logits of each of its passes.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from mmseg_css.functional.mixing import paste
from mmseg_css.models import SemiSegmentor
from mmseg_css.models.segmentors import base, unimatch, unimatch_v2
from mmseg_css.models.segmentors.batch import Images
from mmseg_css.registry import MODELS
from mmseg_css.types import View
from tests.configs.helpers import ROOT
from tests.models.helpers import batch_of
from tests.models.methods.helpers import reading_config

GOLDEN = ROOT.parent / "shared" / "golden" / "baselines.pt"
TOLERANCE = 1e-5
PROBLEMS = torch.load(GOLDEN, weights_only=True) if GOLDEN.is_file() else []

pytestmark = pytest.mark.skipif(not GOLDEN.is_file(), reason=f"{GOLDEN} missing")


@pytest.fixture(params=PROBLEMS, ids=lambda problem: f"seed {problem['seed']}")
def problem(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def step(model: SemiSegmentor, monkeypatch: pytest.MonkeyPatch, problem: dict, images: tuple[Tensor, Tensor]) -> dict:
    """Losses, with the problem's padding."""
    given = [torch.ones_like(problem["gt"], dtype=torch.bool), problem["ignore_mask"] != 255]
    monkeypatch.setattr(base, "images_of", lambda images, samples: Images(images, given.pop(0), samples))
    inputs, samples = batch_of(images[0], problem["gt"], images[1])
    return model.loss(inputs, samples)


def build(method: str, problem: dict, channels: int = 1) -> Any:
    """A network whose logits are the image's first channels; ``channels`` times as many are there."""
    classes = problem["k"]
    config = reading_config(method, classes)
    config.pseudo_label_loss.threshold = 0.0 if method.startswith("cps") else problem["thresh"]
    config.segmentor.decode_head.in_channels = config.segmentor.decode_head.channels = channels * classes
    model = MODELS.build(config).train()
    for number, name in enumerate(("student", "peer")):
        if network := getattr(model, name, None):
            read(network, number if channels > 1 else 0, classes)
    if model.teacher is not None:
        model.teacher.reset(model.student)
    return model


def read(network: torch.nn.Module, number: int, classes: int) -> None:
    """Let a network give channels ``number * classes`` and so on as its logits."""
    head = network.decode_head.conv_seg
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        for channel in range(classes):
            head.weight[channel, number * classes + channel] = 1.0


def give_views(model: SemiSegmentor, monkeypatch: pytest.MonkeyPatch, problem: dict, partner: View | None) -> None:
    """Let the strong views be the problem's, with its boxes, in turn. Without a partner it is the batch reversed."""
    drawn = [("pred_u_s1", "box1"), ("pred_u_s2", "box2")]

    def augment(view: View, generator: torch.Generator, labeled: object) -> View:
        logits, box = drawn.pop(0)
        other = partner or View(*(field.flip(0) for field in view))
        return paste(view, other, problem[box] == 1)._replace(image=problem[logits])

    monkeypatch.setattr(model, "augment", augment)


def partner_of(model: SemiSegmentor, problem: dict) -> View:
    logits, valid = problem["pred_u_w_mix"], problem["ignore_mask_mix"] != 255
    return model.pseudo_labelled(Images(logits, valid, []), logits)


def close(found: Tensor | float, expected: float) -> None:
    assert float(found) == pytest.approx(expected, abs=TOLERANCE)


def test_fixmatch(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("fixmatch", problem)
    give_views(model, monkeypatch, problem, partner_of(model, problem))
    losses = step(model, monkeypatch, problem, (problem["pred_x"], problem["pred_u_w"]))
    out = problem["out"]
    close(losses["sup.loss_ce"], out["loss_x"])
    close(losses["unsup.loss_pseudo_label"], out["unimatch_s1"])
    close(model.parse_losses(losses)[0], out["fixmatch"])


def test_fixmatch_with_a_teacher_has_the_same_losses(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("mean_teacher", problem)
    give_views(model, monkeypatch, problem, partner_of(model, problem))
    losses = step(model, monkeypatch, problem, (problem["pred_x"], problem["pred_u_w"]))
    close(model.parse_losses(losses)[0], problem["out"]["fixmatch"])


def test_unimatch(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("unimatch", problem)
    give_views(model, monkeypatch, problem, partner_of(model, problem))
    perturbed = torch.cat([problem["pred_x"], problem["pred_u_w_fp"]])
    monkeypatch.setattr(unimatch, "drop_channels", lambda features, probability, generator: [perturbed])
    losses = step(model, monkeypatch, problem, (problem["pred_x"], problem["pred_u_w"]))
    out = problem["out"]
    close(losses["unsup.loss_strong"], 0.25 * (out["unimatch_s1"] + out["unimatch_s2"]))
    close(losses["unsup.loss_feature"], 0.5 * out["unimatch_fp"])
    close(model.parse_losses(losses)[0], out["unimatch"])


def test_unimatch_v2(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("unimatch_v2", problem)
    give_views(model, monkeypatch, problem, None)
    monkeypatch.setattr(unimatch_v2, "drop_complementary", lambda features, generator: features)
    losses = step(model, monkeypatch, problem, (problem["pred_x"], problem["pred_u_w"]))
    out = problem["out"]
    close(losses["unsup.loss_strong"], (out["v2_s1"] + out["v2_s2"]) / 2)
    close(model.parse_losses(losses)[0], out["unimatch_v2"])


def test_cps(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without padding: the authors' code knows none."""
    problem = {**problem, "ignore_mask": torch.zeros_like(problem["ignore_mask"])}
    model = build("cps", problem, channels=2)
    images = tuple(torch.cat([problem[f"p1_{half}"], problem[f"p2_{half}"]], dim=1) for half in ("l", "u"))
    losses = step(model, monkeypatch, problem, images)
    out = problem["out"]
    close(losses["sup.loss_ce"] + losses["sup.peer.loss_ce"], out["cps_sup"])
    close(losses["unsup.loss_cross"], 1.5 * out["cps"])
    close(model.parse_losses(losses)[0], out["cps_sup"] + 1.5 * out["cps"])


def test_cps_with_cutmix(problem: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {**problem, "ignore_mask": torch.zeros_like(problem["ignore_mask"])}
    model = build("cps_cutmix", problem, channels=2)

    def augment(view: View, generator: torch.Generator, labeled: object) -> View:
        partners = [problem["p1_u1"], problem["p2_u1"]]
        everywhere = torch.ones_like(problem["gt"], dtype=torch.bool)
        other = model.pseudo_labelled(Images(view.image, everywhere, []), *partners)
        mixed = paste(view, other, problem["box1"] == 1)
        return mixed._replace(image=torch.cat([problem["s1"], problem["s2"]], dim=1))

    monkeypatch.setattr(model, "augment", augment)
    images = tuple(torch.cat([problem[f"p1_{half}"], problem[f"p2_{half}"]], dim=1) for half in ("l", "u"))
    losses = step(model, monkeypatch, problem, images)
    close(losses["unsup.loss_cross"], 1.5 * problem["out"]["cps_cutmix"])


def test_every_golden_value_is_compared() -> None:
    compared = {"loss_x", "fixmatch", "unimatch_s1", "unimatch_s2", "unimatch_fp", "unimatch"}
    compared |= {"v2_s1", "v2_s2", "unimatch_v2", "cps_sup", "cps", "cps_cutmix"}
    assert all(set(problem["out"]) == compared for problem in PROBLEMS)
