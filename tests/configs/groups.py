"""Which configs there are: the methods, and for each network and data set the labelled lists by their lengths."""

from mmseg_css.models import CPS, CSS, FixMatch, PC2Seg, UniMatch, UniMatchV2
from tests.configs.helpers import CONFIGS

NAMES = [f"{path.parent.name}/{path.stem}" for path in CONFIGS]
METHODS: dict[str, type] = {
    "css": CSS,
    "pc2seg": PC2Seg,
    "fixmatch": FixMatch,
    "mean_teacher": FixMatch,
    "unimatch": UniMatch,
    "unimatch_v2": UniMatchV2,
    "cps": CPS,
    "cps_cutmix": CPS,
}
BASELINES = tuple(method for method in METHODS if method not in ("css", "pc2seg"))
SHARED = {"fixmatch": "unimatch"}
CEILINGS = {"ceiling/ceiling_lite0_demo", "ceiling/ceiling_lite0_camvid"}
SEMI = [name for name in NAMES if "/supervised" not in name and name not in CEILINGS]
# Method, network and data; the labelled list is what comes after.
GROUPS = sorted({name.rsplit("_1-", 1)[0] for name in NAMES})
LIST_LENGTHS = {
    "css/r101_voc": {"1-16": 662, "1-8": 1323, "1-4": 2646, "1-2": 5291},
    "css/r101_cityscapes": {"1-16": 186, "1-8": 372, "1-4": 744, "1-2": 1488},
    "css/r101_ade20k": {"1-8": 2527},
    "css/lite0_camvid": {"1-16": 23, "1-8": 46, "1-4": 92},
    "pc2seg/r50_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r101_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r50_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r101_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r50_coco": {"1-512": 232, "1-256": 463, "1-128": 925, "1-64": 1849, "1-32": 3697},
    "pc2seg/lite0_camvid": {"1-16": 23, "1-8": 46, "1-4": 92},
    **{
        f"{method}/r101_{data}": lists
        for method in ("fixmatch", "unimatch")
        for data, lists in {
            "voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732, "1-1": 1464},
            "voc-blended": {"1-16": 662, "1-8": 1323, "1-4": 2646},
            "cityscapes": {"1-16": 186, "1-8": 372, "1-4": 744, "1-2": 1488},
        }.items()
    },
    "unimatch_v2/dinov2-b_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732, "1-1": 1464},
    **{f"{method}/lite0_camvid": {"1-16": 23, "1-8": 46, "1-4": 92} for method in BASELINES},
}


def baseline_of(name: str) -> str:
    """The small data sets have one baseline for all methods, and the authors' settings of FixMatch are UniMatch's."""
    folder, own = name.split("/")
    supervised = own.replace(folder, "supervised", 1)
    return f"css/{supervised}" if "_lite0_" in name else f"{SHARED.get(folder, folder)}/{supervised}"


def group_of(name: str) -> str:
    return name.rsplit("_1-", 1)[0]


def first_of(group: str) -> str:
    main = "1-128" if "coco" in group else "1-8"
    return group if group in NAMES else f"{group}_{main}"
