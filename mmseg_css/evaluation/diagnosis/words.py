"""What a report says in sentences. Every number comes from the report."""

from collections.abc import Mapping, Sequence
from typing import Any


def summary(report: Mapping[str, Any]) -> list[str]:
    """The last checkpoint, in a few sentences."""
    last = report["checkpoints"][-1]
    sentences = [_supervision(report, last), _weakest(last)]
    if "spaces" in last:
        sentences.append(_agreement(last["spaces"]))
        if last["spaces"]["shares"]["agree_wrong"]["value"] is not None:  # there are prototypes
            sentences += [_correction(last["spaces"]), _independence(last["spaces"])]
    sentences.append(_indicator(last["indicators"], report["indicator"]))
    if report["indicator"] == "similarity" and last["highest_similarity"] is not None:
        sentences.append(_ceiling(last, report["thresholds"]["hard"]))
    return [sentence for sentence in sentences if sentence]


def looked_at(checkpoint: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The source that supervises, or the first one, what the network says; and its name."""
    sources = checkpoint["sources"]
    name = next((name for name, own in sources.items() if own["supervises"]), next(iter(sources)))
    return name, sources[name]


def percent(estimate: Mapping[str, Any] | float | None, *, interval: bool = True) -> str:
    """A share in percent, with its interval.

    >>> percent({"value": 0.5, "interval": [0.4, 0.625]})
    '50.0 % (40.0 to 62.5)'
    """
    value = estimate["value"] if isinstance(estimate, Mapping) else estimate
    if value is None:
        return "unknown"
    text = f"{100 * value:.1f} %"
    if not isinstance(estimate, Mapping) or not interval or None in estimate["interval"]:
        return text
    low, high = estimate["interval"]
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"


def over(report: Mapping[str, Any]) -> str:
    """What intervals are over; that there are none, where there is nothing to draw from."""
    images, block = report["images"], report["block"]
    blocks = -(-images // block)
    if blocks < 2:
        return f"no intervals: {images} image{'' if images == 1 else 's'} in one block"
    return f"95 % intervals over {images} images" + (f" in {blocks} blocks" if block > 1 else "")


def number(estimate: Mapping[str, Any]) -> str:
    """A number, with its interval."""
    if estimate["value"] is None:
        return "unknown"
    text = f"{estimate['value']:.2f}"
    if None in estimate["interval"]:
        return text
    low, high = estimate["interval"]
    return f"{text} ({low:.2f} to {high:.2f})"


def _supervision(report: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    name, source = looked_at(last)
    everything, sure = source["all"], source["confident"]
    if not source["supervises"]:
        return (
            f"{report['method']}: no method learns from pseudo-labels here; of what the network says, called {name}, "
            f"{percent(everything['precision'])} of the pixels are right."
        )
    text = (
        f"{report['method']} learns from the labels called {name}: they cover {percent(everything['coverage'])} of the "
        f"pixels, and {percent(everything['precision'])} of them are right."
    )
    if sure["threshold"]:
        text += (
            f" From its threshold of {sure['threshold']:g} on{_beside(sure)}, {percent(sure['precision'])} of "
            f"{percent(sure['coverage'])} are."
        )
    return text


def _beside(sure: Mapping[str, Any]) -> str:
    """What a threshold compares, where it is not the confidence."""
    return " (of the confidence beside the mean of its class)" if sure["relative"] else ""


def _weakest(last: Mapping[str, Any]) -> str:
    _, source = looked_at(last)
    shown = {name: own for name, own in source["classes"].items() if own["pixels"] and own["IoU"]["value"] is not None}
    lost = [name for name, own in source["classes"].items() if own["pixels"] and own["recall"]["value"] in (None, 0)]
    text = ""
    if shown:
        worst = min(shown, key=lambda name: shown[name]["IoU"]["value"])
        own = shown[worst]
        text = (
            f"The weakest class is {worst}: IoU {percent(own['IoU'])}, precision {percent(own['precision'])}, recall "
            f"{percent(own['recall'])}, all three of the {percent(own['coverage'])} of its pixels that have a label."
        )
    if lost:
        text += f" Never found: {', '.join(lost)}."
    return text.strip()


def _agreement(spaces: Mapping[str, Any]) -> str:
    shares = spaces["shares"]
    agree = _sum(shares, ("agree_right", "agree_wrong"))
    wrong = shares["agree_wrong"]["value"]
    if agree is None or wrong is None:
        return "The two spaces cannot be compared: the representation space has no prototype yet."
    text = (
        f"The spaces agree on {percent(agree)} of the pixels; of these {percent(wrong / agree if agree else None)} are "
        "wrong, which the intersection cannot catch"
    )
    if spaces["pairs"]["agree_wrong"]:
        first = spaces["pairs"]["agree_wrong"][0]
        text += f" (most often {first['truth']} taken for {first['label']}, {percent(first['share'])} of them)"
    return f"{text}. Where they disagree, {_who_is_right(shares)}."


def _who_is_right(shares: Mapping[str, Any]) -> str:
    cells = ("logit_right", "representation_right", "both_wrong")
    total = _sum(shares, cells)
    if not total:
        return "there is nothing to say"
    logit, representation, neither = (percent(shares[cell]["value"] / total) for cell in cells)
    return f"the logit space is right in {logit}, the representation space in {representation}, neither in {neither}"


def _correction(spaces: Mapping[str, Any]) -> str:
    own = spaces["corrections"]
    return (
        f"Of the logit space's wrong pixels the intersection removes {percent(own['removed_wrong'])}, of its right "
        f"ones {percent(own['removed_right'])}. Dropping as many pixels by lowest confidence would remove "
        f"{percent(own['removed_wrong_by_confidence'])} of the wrong ones: a lift of {number(own['lift'])}. Taking the "
        f"representation space's labels instead would mend {percent(own['mended'])} of the wrong pixels and spoil "
        f"{percent(own['spoiled'])} of the right ones."
    )


def _independence(spaces: Mapping[str, Any]) -> str:
    return (
        f"The errors of the two spaces correlate with phi = {number(spaces['phi'])}; 0 would be independent witnesses, "
        "1 one witness heard twice."
    )


def _indicator(indicators: Mapping[str, Any], name: str | None) -> str:
    found = indicators["pseudo"]["student_wrong"]
    parts = [
        f"a lower {name} in {percent(found[name]['auroc'])}" for name in ("similarity", "confidence") if name in found
    ]
    text = (
        "Of pairs of pseudo-labelled pixels, one that the student gets wrong and one that it gets right, the wrong one "
        f"has {', '.join(parts)} (AUROC; 50 % is chance)."
    )
    hard = found.get("hard")
    if hard and name:
        text += (
            f" At the method's threshold of {hard['threshold']:g}, {percent(hard[name]['share'])} of the pixels are "
            f"hard by {name}, and {percent(hard[name]['targets'])} of these are wrong."
        )
    return text


def _ceiling(last: Mapping[str, Any], threshold: float) -> str:
    highest = last["highest_similarity"]
    text = f"With prototypes of {last['prototypes']} classes no similarity exceeds {highest:.3f}"
    return f"{text}: the threshold of {threshold:g} makes every pixel hard." if threshold > highest else f"{text}."


def _sum(shares: Mapping[str, Any], cells: Sequence[str]) -> float | None:
    values = [shares[cell]["value"] for cell in cells]
    return None if None in values else sum(values)
