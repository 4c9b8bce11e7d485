"""The tables of segmentors and heads in docs/compatibility.md: complete, and true row by row."""

import re
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS as MMSEG

from mmseg_css.deployment.plain import plain_model
from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.models.segmentors.decoding import logits_of
from mmseg_css.registry import MODELS
from tests.compat.heads import CASCADED, HEADS, segmentor_of
from tests.compat.helpers import ROOT, only_onedl
from tests.models.helpers import NORM, PREPROCESSOR, random_batch
from tests.models.methods.helpers import METHODS, networks_of, step_at

WITHOUT = ("fixmatch", "mean_teacher", "unimatch", "unimatch_v2", "cps", "cps_cutmix")
PAGE = (ROOT / "docs" / "compatibility.md").read_text()


def rows_of(title: str) -> dict[str, list[str]]:
    """The cells of a table, by the name in the first."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in re.findall(r"^\|.*\|$", section, re.M)]
    return {name: cells for name, *cells in rows[2:]}


TABLE = rows_of("Decode heads")


def heads_that(status: str, column: int) -> list[str]:
    return [name for name, cells in TABLE.items() if cells[column] == status]


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


def build(method: str, segmentor: dict[str, Any]) -> SemiSegmentor:
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict({"data_preprocessor": PREPROCESSOR, **METHODS[method], "segmentor": segmentor}))
    for network in networks_of(model):  # MMSeg's method of the model would log every parameter
        network.init_weights()
    return model.train()


def check_step(method: str, segmentor: dict[str, Any], side: int = 64) -> None:
    """Losses are finite and reach every parameter of the head; what predicts gives classes."""
    model = build(method, segmentor)
    batch = random_batch(size=(side, side))
    for sample in batch[1]["labeled"]:
        sample.gt_edge_map = PixelData(data=(sample.gt_sem_seg.data == 0).long())
    losses = {name: loss for name, loss in step_at(model, batch).items() if "loss" in name}
    assert any(name.startswith("unsup.") for name in losses)
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    for network in networks_of(model):
        head = network.decode_head
        assert not [name for name, p in head.named_parameters() if p.requires_grad and p.grad is None]
    [sample, *_] = model.eval().predict(batch[0]["unlabeled"], batch[1]["unlabeled"])
    assert sample.pred_sem_seg.data.shape == (1, 32, 32)


def side_of(head: str) -> int:
    return 200 if head == "LRASPPHead" else 64  # which pools 49 x 49


# -- the tables are complete ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "package"), [("Decode heads", "decode_heads"), ("Segmentors", "segmentors")])
def test_tables_name_all_that_mmseg_has(title: str, package: str) -> None:
    found = {name for name, kind in MMSEG.module_dict.items() if kind.__module__.startswith(f"mmseg.models.{package}.")}
    table = rows_of(title).keys()
    assert not found - table, f"docs/compatibility.md says nothing of {', '.join(sorted(found - table))}"


def test_each_status_is_one_of_four() -> None:
    known = {"works", "refused", "not tried", "does not apply"}
    assert {status for cells in TABLE.values() for status in cells[:2]} <= known
    assert {cells[0] for cells in rows_of("Segmentors").values()} <= known


# -- heads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", heads_that("works", 0))
def test_without_contrast(head: str) -> None:
    check_step("fixmatch", segmentor_of(head), side_of(head))


@pytest.mark.parametrize("method", WITHOUT[1:])
@pytest.mark.parametrize("head", ["DAHead", "DDRHead", "EncHead", "IterativeDecodeHead", "OCRHead", "PIDHead"])
def test_heads_of_several_outputs_in_every_method(head: str, method: str) -> None:
    check_step(method, segmentor_of(head))


@pytest.mark.parametrize("head", heads_that("works", 1))
def test_with_contrast(head: str) -> None:
    check_step("css", segmentor_of(head, projection=True), side_of(head))


@pytest.mark.parametrize("head", heads_that("refused", 0))
@pytest.mark.parametrize("method", ["fixmatch", "css"])
def test_heads_without_logits_are_refused(method: str, head: str) -> None:
    """Before they are built, since some of them need further packages for that."""
    segmentor = segmentor_of("FCNHead")
    segmentor["decode_head"] = {"type": head}
    with pytest.raises(TypeError, match=f"decode_head is a {head}, which .*docs/compatibility.md lists what works"):
        build(method, segmentor)


@pytest.mark.parametrize("head", [head for head in heads_that("refused", 1) if TABLE[head][0] == "works"])
@pytest.mark.parametrize("method", ["css", "pc2seg"])
def test_what_no_contrast_can_read_is_refused(method: str, head: str) -> None:
    said = "several outputs|has no convolution 'conv_seg'|CascadeEncoderDecoder of 2 heads"
    with pytest.raises(TypeError, match=said):
        build(method, segmentor_of(head, projection=head not in CASCADED))


@only_onedl  # beside mmcv-lite they are built, and their operators say it when they are called
@pytest.mark.parametrize("head", heads_that("not tried", 0))
def test_heads_of_compiled_operators(head: str) -> None:
    try:
        segmentor = segmentor_of(head)
        build("fixmatch", segmentor)
    except RuntimeError as error:
        assert "install" in str(error)
    else:
        pytest.fail(f"{head} can be built here: try it, and correct docs/compatibility.md")


@pytest.mark.parametrize("method", ["unimatch", "unimatch_v2"])
def test_channels_are_not_dropped_beside_class_tokens(method: str) -> None:
    with pytest.raises(TypeError, match="wants a class token beside each map.*take MapDPTHead"):
        build(method, segmentor_of("DPTHead"))


def test_bases_of_a_teacher_are_the_students() -> None:
    """Those of an EMAHead, which move in training mode alone."""
    model = build("css", segmentor_of("EMAHead", projection=True))
    before = model.teacher.model.decode_head.ema_module.bases.clone()
    step_at(model, random_batch(size=(64, 64)))
    model.teacher.update(model.student)
    networks = (model.student, model.teacher.model)
    student, teacher = (network.decode_head.ema_module.bases for network in networks)
    assert torch.equal(teacher, student)
    assert not torch.equal(teacher, before)


def test_stdc_heads_are_auxiliary() -> None:
    auxiliary = {
        "type": "STDCHead",
        "in_channels": 8,
        "in_index": 0,
        "channels": 4,
        "num_convs": 1,
        "num_classes": 2,
        "boundary_threshold": 0.1,
        "concat_input": False,
        "norm_cfg": NORM,
        "loss_decode": [{"type": "CrossEntropyLoss", "use_sigmoid": True}, {"type": "DiceLoss"}],
    }
    check_step("fixmatch", {**segmentor_of("FCNHead"), "auxiliary_head": auxiliary})


def test_a_head_of_ones_own_with_several_outputs_is_refused_at_the_first_pass() -> None:
    name = "TwoMaps"
    if name not in MODELS.module_dict:
        kind = MMSEG.get("FCNHead")
        forward = {"forward": lambda self, features: [kind.forward(self, features)] * 2}
        MODELS.register_module(name=name)(type(name, (kind,), forward))
    segmentor = segmentor_of("FCNHead", type=name)
    with pytest.raises(TypeError, match="TwoMaps, which gives 2 outputs, and nothing says which"):
        step_at(build("fixmatch", segmentor), random_batch())


@pytest.mark.parametrize("head", ["OCRHead", "DAHead", "EncHead", "IterativeDecodeHead", "PIDHead", "UPerHead"])
def test_a_plain_form_gives_the_same_logits(head: str) -> None:
    """What `mmseg-css export` writes."""
    segmentor = segmentor_of(head, projection=head == "UPerHead")
    student = build("css" if head == "UPerHead" else "fixmatch", segmentor).student.eval()
    config, definition = plain_model(ConfigDict(segmentor))
    assert not definition
    plain = MMSEG.build(config).eval()
    weights = {name: value for name, value in student.state_dict().items() if "projection" not in name}
    plain.load_state_dict(weights)
    images = random_batch()[0]["labeled"]
    metas = [{"img_shape": (32, 32)}] * 2
    assert torch.equal(plain.encode_decode(images, metas), student.encode_decode(images, metas))
    assert torch.equal(logits_of(plain, images), logits_of(student, images))


# -- segmentors -------------------------------------------------------------------------------------------------------


def test_a_cascade_learns_as_in_mmseg() -> None:
    """The losses of the labelled images are those of MMSeg's own class, by name and value."""
    model = build("mean_teacher", segmentor_of("OCRHead", dropout_ratio=0.0))
    model.student.decode_head[0].dropout = None
    (images, labels) = random_batch(size=(64, 64))
    found = step_at(model, (images, labels))
    expected = model.student.loss(images["labeled"], labels["labeled"])
    assert expected.keys() == {"decode_0.loss_ce", "decode_0.acc_seg", "decode_1.loss_ce", "decode_1.acc_seg"}
    for name, value in expected.items():
        torch.testing.assert_close(found[f"sup.{name}"], value)


@pytest.mark.parametrize("kind", [name for name, cells in rows_of("Segmentors").items() if cells[0] == "refused"])
def test_other_segmentors_are_refused(kind: str) -> None:
    with pytest.raises(TypeError, match=f"model.segmentor is a {kind}, of which no method has logits"):
        build("fixmatch", {**segmentor_of("FCNHead"), "type": kind})


@pytest.mark.parametrize("name", ["loss", "_decode_head_forward_train", "encode_decode"])
@pytest.mark.parametrize("kind", ["EncoderDecoder", "CascadeEncoderDecoder"])
def test_passes_of_a_segmentor_of_ones_own_are_not_left_out(kind: str, name: str) -> None:
    segmentor = segmentor_of("OCRHead" if kind == "CascadeEncoderDecoder" else "FCNHead")
    with pytest.raises(TypeError, match=f"is a Own{kind}, which has a {name} of its own.*into .*loss_by_feat"):
        build("fixmatch", {**segmentor, "type": with_its_own(name, kind)})


def test_a_loss_of_a_head_of_ones_own_is_not_left_out() -> None:
    """One of several; what `loss_by_feat` adds is learnt."""
    cascade = segmentor_of("OCRHead")
    cascade["decode_head"][0]["type"] = with_its_own("loss", "FCNHead")
    for segmentor in (cascade, segmentor_of("FCNHead", type=with_its_own("loss", "FCNHead"))):
        with pytest.raises(TypeError, match="decode_head is a OwnFCNHead, which has a loss of its own.*loss_by_feat"):
            build("mean_teacher", segmentor)
    model = build("mean_teacher", segmentor_of("FCNHead", type=with_its_own("loss_by_feat", "FCNHead")))
    assert step_at(model, random_batch())["sup.loss_own"] == 0.5


def with_its_own(name: str, base: str) -> type:
    """A class with one more loss, or something else in its place."""
    return type(f"Own{base}", (MMSEG.get(base),), {name: lambda self, *given: {"loss_own": torch.tensor(0.5)}})


def test_a_misspelt_segmentor_is_named() -> None:
    with pytest.raises(KeyError, match="EncoderDecodr"):
        build("fixmatch", {**segmentor_of("FCNHead"), "type": "EncoderDecodr"})


def test_point_rend_is_refused() -> None:
    with pytest.raises(TypeError, match="decode_head is a PointHead, which predicts at sampled points"):
        build("fixmatch", segmentor_of("PointHead"))


def test_the_cases_are_those_of_the_table() -> None:
    assert {*HEADS, *CASCADED} <= TABLE.keys()
