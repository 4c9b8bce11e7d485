"""Which configs there are: the methods, and for each network and data set the labelled lists by their lengths.

And which of them make a step.
"""

from mmseg_css.models import CPS, CSS, FixMatch, PC2Seg, UniMatch, UniMatchV2
from tests.configs.helpers import CONFIGS

NAMES = [f"{path.parent.name}/{path.stem}" for path in CONFIGS]
#: Methods whose models have no strong view.
WITHOUT_STRONG_VIEW = ("cps",)
METHODS: dict[str, type] = {
    "css": CSS,
    "pc2seg": PC2Seg,
    "fixmatch": FixMatch,
    "mean_teacher": FixMatch,
    "unimatch": UniMatch,
    "unimatch_v2": UniMatchV2,
    "cps": CPS,
    "cps_cutmix": CPS,
    "aided_css": CSS,
}
#: Beside CSS itself the first method of each way to be looked at; tests/models/methods/test_inspection.py has all.
LOOKED_AT = sorted({kind.inspect: method for method, kind in reversed(METHODS.items()) if method != "css"}.values())
BASELINES = tuple(method for method in METHODS if method not in ("css", "pc2seg"))
#: Whose supervised-only configs are a method's, too.
SHARED = {"fixmatch": "unimatch", "cps_cutmix": "cps"}
CEILINGS = {"ceiling/ceiling_lite0_demo", "ceiling/ceiling_lite0_camvid"}
SEMI = [name for name in NAMES if "/supervised" not in name and name not in CEILINGS]
VOC_CLASSIC = {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732, "1-1": 1464}
VOC_BLENDED = {"1-16": 662, "1-8": 1323, "1-4": 2646}
CITYSCAPES = {"1-16": 186, "1-8": 372, "1-4": 744, "1-2": 1488}
CAMVID = {"1-30": 13, "1-16": 23, "1-8": 46, "1-4": 92}
ADE20K = {"1-8": 2527}
COCO = {"1-512": 232, "1-256": 463, "1-128": 925, "1-64": 1849, "1-32": 3697}
# Method, network and data; the labelled list is what comes after.
GROUPS = sorted({name.rsplit("_1-", 1)[0] for name in NAMES})
LIST_LENGTHS = {
    "css/r101_voc": {"1-16": 662, "1-8": 1323, "1-4": 2646, "1-2": 5291},
    "css/r101_cityscapes": CITYSCAPES,
    **{f"{method}/r101_ade20k": ADE20K for method in ("css", "pc2seg", "fixmatch", "unimatch", "cps", "cps_cutmix")},
    "css/r101_voc-classic": VOC_CLASSIC,
    "css/r101_coco": COCO,
    "css/lite0_camvid": CAMVID,
    "pc2seg/r50_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r101_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r50_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r101_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r50_coco": COCO,
    "pc2seg/r101_voc-blended": VOC_BLENDED,
    "pc2seg/lite0_camvid": CAMVID,
    **{
        f"{method}/r101_{data}": lists
        for method in ("fixmatch", "unimatch")
        for data, lists in {"voc": VOC_CLASSIC, "voc-blended": VOC_BLENDED, "cityscapes": CITYSCAPES}.items()
    },
    **{f"{method}/dinov2-b_voc": VOC_CLASSIC for method in ("css", "pc2seg", "fixmatch", "unimatch_v2")},
    "unimatch_v2/dinov2-s_voc": VOC_CLASSIC,
    "unimatch_v2/dinov2-b_cityscapes": CITYSCAPES,
    "unimatch_v2/dinov2-b_coco": COCO,
    "unimatch_v2/dinov2-b_ade20k": ADE20K,
    "unimatch_v2/dinov2-b_voc-blended": VOC_BLENDED,
    **{
        f"{method}/dinov2-b_{data}": lists
        for method in ("css", "pc2seg", "fixmatch")
        for data, lists in {"cityscapes": {"1-8": 372}, "coco": {"1-128": 925}, "ade20k": ADE20K}.items()
    },
    **{f"{method}/xception65_coco": COCO for method in ("fixmatch", "unimatch")},
    **{
        f"{method}/r50_{data}": lists
        for method in ("cps", "cps_cutmix")
        for data, lists in {
            "voc": VOC_CLASSIC,
            "voc-blended": VOC_BLENDED,
            "cityscapes": CITYSCAPES,
            "coco": COCO,
        }.items()
    },
    **{f"{method}/lite0_camvid": CAMVID for method in BASELINES},
}


def baseline_of(name: str) -> str:
    """The small data sets have one baseline for all methods, and so have ResNet-101 on ADE20K and DINOv2."""
    folder, own = name.split("/")
    supervised = own.replace(folder, "supervised", 1)
    if "_lite0_" in name or "_r101_ade20k_" in name:
        return f"css/{supervised}"
    return f"{'unimatch_v2' if '_dinov2-' in name else SHARED.get(folder, folder)}/{supervised}"


def group_of(name: str) -> str:
    return name.rsplit("_1-", 1)[0]


def first_of(group: str) -> str:
    main = "1-128" if "coco" in group else "1-8"
    return group if group in NAMES else f"{group}_{main}"


def parts_of(group: str) -> tuple[str, str, str]:
    """Method (or that it is supervised, or a ceiling), network and data set."""
    method, network, data = group.split("/")[1].rsplit("_", 2)
    return method, network, data


def shown_by(group: str) -> set[tuple[str, str]]:
    """Method and network, network and data set; those of labels alone equal the others in their data."""
    method, network, data = parts_of(group)
    return {(method, network), (network, data)} if method in METHODS else {(method, network)}


def choose_steps() -> list[str]:
    """A few groups that show what all would: each shows the most of what those before it do not."""
    chosen, left = [PAPER], set().union(*map(shown_by, GROUPS)) - shown_by(PAPER)
    while left:
        chosen.append(max(GROUPS, key=lambda group: len(shown_by(group) & left)))
        left -= shown_by(chosen[-1])
    return sorted(chosen)


PAPER = "css/css_r101_voc"
STEPS = choose_steps()
