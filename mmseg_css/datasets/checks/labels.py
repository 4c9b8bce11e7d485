"""What all masks of a set say together."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from mmseg_css.datasets.checks.warning import warn


class Purpose(NamedTuple):
    """What masks are for, in words."""

    participle: str
    verb: str
    mask: str
    without: str


TRAINING: Final = Purpose(
    participle="trained",
    verb="learn from",
    mask="mask",
    without="which cannot be learnt; label an image that shows it, or take it out of classes",
)
EVALUATION: Final = Purpose(
    participle="evaluated",
    verb="evaluate",
    mask="mask for evaluation",
    without="whose IoU is then nan and left out of the mean",
)


def check_labels(checks: Sequence[Any], purpose: Purpose, remedy: str) -> None:
    """Check that masks say something; warn of masks that say nothing, and of classes that none holds.

    Args:
        checks: A `MaskCheck` of each data set, which has read the masks.
        purpose: What the masks are for.
        remedy: How to do without this check.

    Raises:
        ValueError: Every pixel of a data set is ignored, or a training knows a single class.
    """
    for check in checks:
        _check_not_ignored(check, purpose, remedy)
    if any(check.step > 1 for check in checks):  # what is not in the masks that were read may be in others
        return
    classes, name = checks[0].dataset.metainfo["classes"], type(checks[0].dataset).__name__
    seen, ignored = set[int]().union(*(check.seen for check in checks)), checks[0].ignored
    if purpose is TRAINING and len(seen) == 1 < len(classes) - (ignored in range(len(classes))):
        values = sorted(set[int]().union(*(check.values for check in checks)))
        raise ValueError(
            f"every labelled pixel of {name} is of the class {classes[seen.pop()]!r}, so that nothing else would ever "
            f"be predicted. The masks hold {values}, of which {ignored} is ignored: write the other classes "
            f"as 0..{len(classes) - 1} (`mmseg-css init` does, of masks of 0 and 255, say), or label images that show "
            f"them ({remedy})"
        )
    absent = [label for index, label in enumerate(classes) if index not in seen]
    if absent:
        warn(f"no {purpose.mask} of {name} holds the class {', '.join(absent)}, {purpose.without}")


def _check_not_ignored(check: Any, purpose: Purpose, remedy: str) -> None:
    name = type(check.dataset).__name__
    if not check.seen:
        raise ValueError(
            f"every pixel of the {len(check.ignored_only)} masks of {name} is ignored, the first: "
            f"{min(check.ignored_only)!r}; there is nothing to {purpose.verb}: correct the masks, classes, "
            f"reduce_zero_label or label_map ({remedy})"
        )
    if check.ignored_only:
        warn(
            f"{len(check.ignored_only)} of the {len(check.dataset)} masks of {name} are ignored in every pixel, so "
            f"that their images teach nothing; the first: {min(check.ignored_only)!r}"
        )
