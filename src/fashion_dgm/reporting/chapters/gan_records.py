"""Sentences on what is recorded of generated images: the classes they fall into, copies, and held-out images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.reporting.wording import is_number, model_name, number, percent, significant

__all__ = ["collapse_sentence", "copying_sentence", "held_out_sentence", "record_sentences"]

_EVEN = 0.95
_CLASSES = 10
# A difference of fewer standard deviations is taken for chance.
_SURE = 3.0
_SMALL_GAP = 0.05


def record_sentences(name: str, entry: Mapping[str, Any]) -> Iterable[str]:
    """Yields what the records of one model's last epoch tell; nothing where a figure was not recorded."""
    for sentence in (collapse_sentence, copying_sentence, held_out_sentence):
        text = sentence(name, entry)
        if text:
            yield text


def collapse_sentence(name: str, entry: Mapping[str, Any]) -> str:
    """Returns whether the generator has collapsed to a few classes."""
    missing, entropy = entry.get("missing_classes"), entry.get("class_entropy")
    if not is_number(missing) or not is_number(entropy):
        return ""
    made, share = _CLASSES - round(missing), percent(entropy, 1)
    evenness = f"the entropy of the classes is {share} of the largest possible"
    if made <= _CLASSES / 2:
        finding = f"makes {made} of {_CLASSES} classes only and has collapsed; {evenness}"
    elif made < _CLASSES:
        finding = f"makes {made} of {_CLASSES} classes and has dropped the others; {evenness}"
    elif entropy < _EVEN:
        finding = f"makes all {_CLASSES} classes, but unevenly: {evenness}, below {percent(_EVEN)}"
    else:
        finding = f"makes all {_CLASSES} classes, and {evenness}: there is no sign of collapse"
    return f"{model_name(name)}: as the classifier sees it, the generator {finding}."


def copying_sentence(name: str, entry: Mapping[str, Any]) -> str:
    """Returns whether generated images lie nearer to training images than held-out images do."""
    chance, count = entry.get("copying_probability"), entry.get("records", {}).get("neighbours")
    fake, held_out = entry.get("nearest_distance_fake"), entry.get("nearest_distance_held_out")
    if not is_number(chance) or not is_number(count) or not is_number(fake) or not is_number(held_out):
        return ""
    # Of the Mann-Whitney statistic of twice as many distances.
    noise = math.sqrt((2 * count + 1) / (12 * count * count))
    text = (
        f"{model_name(name)}: the nearest training image is {number(fake)} away from a generated image on average and "
        f"{number(held_out)} from a held-out one; the chance that the generated one is nearer is {percent(chance)}"
    )
    if chance - 0.5 > _SURE * noise:
        return f"{text}, more than the half that chance allows: its images are smoother than real ones, or copies."
    if 0.5 - chance > _SURE * noise:
        return (
            f"{text}: there is no sign of copying, and generated images lie farther from real ones than these from one "
            "another."
        )
    return f"{text}, a half within chance: there is no sign of copying."


def held_out_sentence(name: str, entry: Mapping[str, Any]) -> str:
    """Returns whether the discriminator or critic treats training images and held-out images alike.

    The finding rests on running statistics, under which the scores of images are independent; those of a batch are not.
    """
    quantity = "accuracy" if "accuracy_held_out_running_stats" in entry else "wasserstein_estimate"
    seen, unseen = running = _pair(entry, quantity, "running_stats")
    batch = _pair(entry, quantity, "batch_stats")
    images, error = entry.get("records", {}).get("samples"), entry.get("score_gap_error_running_stats")
    if not is_number(seen) or not is_number(unseen) or not is_number(images) or not is_number(error):
        return ""
    if quantity == "accuracy":
        error, scale = math.sqrt((seen * (1 - seen) + unseen * (1 - unseen)) / images), 1.0
        shown = [percent(value, 1) for value in (*running, *batch)]
        text = f"the discriminator takes {shown[0]} of the training images and {shown[1]} of the held-out ones for real"
    else:
        scale, shown = abs(seen), [significant(value) for value in (*running, *batch)]
        text = f"the Wasserstein estimate is {shown[0]} on training images and {shown[1]} on held-out ones"
    finding = f"{text}{_gap(seen - unseen, error, scale)}"
    if running == batch:
        return f"{model_name(name)}: {finding}"
    return (
        f"{model_name(name)}: with the running statistics of BatchNorm {finding} With batch statistics, as in training, "
        f"the two numbers are {shown[2]} and {shown[3]}."
    )


def _pair(entry: Mapping[str, Any], quantity: str, statistics: str) -> tuple[Any, Any]:
    return entry.get(f"{quantity}_seen_{statistics}"), entry.get(f"{quantity}_held_out_{statistics}")


def _gap(gap: float, error: float, scale: float) -> str:
    if abs(gap) <= _SURE * error:
        return ": no difference beyond chance."
    if gap < 0:
        return ", which it scores higher than its training images: there is no sign of overfitting."
    if gap < _SMALL_GAP * scale:
        return ": it prefers its training images, though by little."
    return ": it has begun to overfit its training images."
