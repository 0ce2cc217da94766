"""How numbers and names are written in figures, tables and sentences."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fashion_dgm.data.ood.transforms import TRANSFORMS
from fashion_dgm.experiments.stability.measures import COMPARED
from fashion_dgm.findings.criteria import is_number

MISSING = "n/a"
NOT_APPLICABLE = "\u2013"

# "FID" is the name of the distance in Inception's features and of no other.
SPACE_NAMES = {
    "classifier": "Fréchet classifier distance",
    "efficientnet": "Fréchet EfficientNet distance",
    "inception": "FID (Inception)",
}

_MINUS, _TIMES, _SPACE = "\u2212", "\u00d7", "\u00a0"
_DATASETS = {
    "fashion_mnist": "FashionMNIST",
    "mnist": "MNIST",
    "kmnist": "KMNIST",
    "emnist_letters": "EMNIST letters",
    "omniglot": "Omniglot",
    "digits": "scikit-learn digits",
    "gaussian_noise": "Gaussian noise",
    "black": "black images",
    "white": "white images",
}
_DATASETS |= {
    f"{of}_{name}": f"{_DATASETS[of]} {made.title}"
    for of in ("fashion_mnist", "mnist")
    for name, made in TRANSFORMS.items()
}
_PARTS = {"actnorm": "ActNorm", "coupling": "couplings", "residual": "residual blocks"}
_MODELS = {
    "MixtureFlow": "mixture flow",
    "ResidualFlow": "Residual Flow",
    "gan": "GAN",
    "gan_ema": "GAN with EMA",
    "gan_spectral": "GAN with spectral norm",
    "wgan": "WGAN",
    "wgan_gp": "WGAN-GP",
    "wgan_penalty": "WGAN with penalty",
}
_LOSSES = {"saturating": "saturating", "non_saturating": "non-saturating", "wasserstein": "Wasserstein"}


def number(value: float | None, digits: int = 2) -> str:
    """Writes `value` with `digits` decimals, thousands apart, a true minus sign, and `n/a` where it is not finite."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:,.{digits}f}"
    # -0.00 would claim a sign that the digits do not show.
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return (_MINUS if negative else "") + text.lstrip("-")


def significant(value: float | None, digits: int = 3) -> str:
    """Writes `value` with `digits` significant digits, in scientific notation below 0.001 and from a million on."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    sign, power = _MINUS if value < 0 else "", int(exponent)
    if -3 <= power < 6:
        return sign + f"{abs(value):,.{max(digits - 1 - power, 0)}f}"
    superscript = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{sign}{mantissa}{_SPACE}{_TIMES}{_SPACE}10{superscript}"


def count(value: int | None) -> str:
    """Writes a whole number, thousands apart."""
    return MISSING if value is None else f"{value:,}"


def percent(fraction: float | None, digits: int = 0) -> str:
    """Writes a fraction in `[0, 1]` as a percentage."""
    text = number(None if fraction is None else 100 * fraction, digits)
    return text if text == MISSING else f"{text}%"


def show(value: float | None, form: str) -> str:
    """Writes `value` in the form of that name: `significant`, `percent` with one decimal, or `count`, a rounded number."""
    return {"significant": significant, "percent": lambda v: percent(v, 1), "count": lambda v: number(v, 0)}[form](
        value
    )


def signed(value: float | None, digits: int = 2) -> str:
    """Writes `value` as `number` does, with a sign."""
    text = number(value, digits)
    # What is rounded to 0 has none, as in `number`.
    return f"+{text}" if is_number(value) and value > 0 and any(digit in text for digit in "123456789") else text


def with_error(value: float | None, error: float | None, digits: int = 2) -> str:
    """Writes `value ± error`, or the value alone where it or the error is not finite."""
    text = number(value, digits)
    return f"{text} ± {number(error, digits)}" if is_number(value) and is_number(error) else text


def interval(bounds: Sequence[float] | None, digits: int = 3) -> str:
    """Writes `(low, high)` as `[low, high]`, or nothing where there is none."""
    if bounds is None:
        return ""
    low, high = bounds
    return f"[{number(low, digits)}, {number(high, digits)}]"


def estimate(found: Mapping[str, Any], name: str = "auroc") -> str:
    """Writes `found[name]` with the interval `found[name + "_interval"]` where there is one; a dash for an empty `found`."""
    if not found:
        return NOT_APPLICABLE
    return " ".join(filter(None, [number(found.get(name), 3), interval(found.get(f"{name}_interval"))]))


def plural(n: int, noun: str) -> str:
    """Writes `1 epoch` or `2 epochs`."""
    return f"{count(n)}{_SPACE}{noun}{'' if n == 1 else 's'}"


def listing(words: Sequence[str]) -> str:
    """Writes `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def dataset_name(name: str) -> str:
    """Writes the name of a data set as its authors do; an unknown one with spaces for underscores."""
    if name in _DATASETS:
        return _DATASETS[name]
    if name.startswith("fashion_mnist_"):
        return f"FashionMNIST, {name.removeprefix('fashion_mnist_').replace('_', ' ')}"
    return name.replace("_", " ")


def part_name(name: str) -> str:
    """Writes a part of the likelihood, such as `coupling_1`, for people: "couplings, scale 1"."""
    if name in _PARTS:
        return _PARTS[name]
    kind, _, scale = name.rpartition("_")
    return f"{_PARTS.get(kind, kind)}, scale {scale}" if kind and scale.isdigit() else name.replace("_", " ")


def part_order(names: Iterable[str]) -> list[str]:
    """Returns parts of the likelihood from the image to the latents: logit, ActNorm, layers by scale, latents by scale."""
    first = ("logit", "actnorm")
    return sorted(names, key=lambda n: (n.startswith("latents"), n not in first, -(n == "logit"), _scale_of(n), n))


def _scale_of(name: str) -> int:
    scale = name.rpartition("_")[2]
    return int(scale) if scale.isdigit() else 0


def model_name(name: str) -> str:
    """Writes `gan` as GAN and so on; an unknown name as it is."""
    return _MODELS.get(name, name)


def set_name(found: Mapping[str, Any]) -> str:
    """Writes whose samples a set has, and at which temperature."""
    if found["state"] == "external":
        return str(found["model"])
    heat = "" if found["temperature"] is None else f", T = {found['temperature']:g}"
    return model_name(found["model"]) + heat


def the_model(name: str) -> str:
    """Writes a model within a sentence: "the mixture flow", but "RealNVP"."""
    return name if name == "RealNVP" else f"the {model_name(name)}"


def loss_name(name: str) -> str:
    """Writes a generator's loss as people say it; an unknown one with spaces for underscores."""
    return _LOSSES.get(name, name.replace("_", " "))


def space_name(space: str) -> str:
    """Returns what a distance in a feature space is called: only Inception's is FID, whatever its metrics call it."""
    return "FID" if space == "inception" else SPACE_NAMES.get(space, f"Fréchet distance ({space})")


def measure_name(name: str) -> str:
    """Writes a measure of the stability study as people say it."""
    return COMPARED[name]
