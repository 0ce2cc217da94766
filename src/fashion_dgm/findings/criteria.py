"""Every threshold of the report, and the verdicts that numbers lead to.

A verdict is an enum; the report's templates have a phrase for each of its values. From a number that is missing or not
finite nothing is concluded: its verdict is `UNKNOWN`. A difference counts only where it is larger than chance, and large
enough to matter.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeGuard, TypeVar

V = TypeVar("V", bound=Enum)

# --- All chapters

SURE = 3.0
"""Standard deviations; a smaller difference is taken for chance."""


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite int or float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def of_numbers(unknown: V) -> Callable[[Callable[..., V]], Callable[..., V]]:
    """Lets a criterion return `unknown` where one of its arguments is not a number."""

    def checked(criterion: Callable[..., V]) -> Callable[..., V]:
        @functools.wraps(criterion)
        def verdict(*values: object) -> V:
            return criterion(*values) if all(map(is_number, values)) else unknown

        return verdict

    return checked


Side = Enum("Side", "BELOW AROUND ABOVE UNKNOWN")
"""Where an interval lies, compared with a value."""


def side(value: object, interval: Sequence[float] | None, reference: float, rounding: float = 0.0) -> Side:
    """Compares a value with `reference` by its interval, or by itself where there is none.

    Arguments:
        rounding: by how much, at most, the reference was rounded.
    """
    if not is_number(value):
        return Side.UNKNOWN
    return compare_intervals(interval or (value, value), (reference - rounding, reference + rounding))


def compare_intervals(interval: Sequence[float] | None, reference: Sequence[float] | None) -> Side:
    """Compares an interval with another: around it where they overlap, unknown where a bound is missing."""
    if interval is None or reference is None or not all(map(is_number, (*interval, *reference))):
        return Side.UNKNOWN
    (low, high), (other_low, other_high) = interval, reference
    return Side.BELOW if high < other_low else Side.ABOVE if low > other_high else Side.AROUND


# --- GAN and WGAN

ASSIGNED_EPOCHS = 100


def shortened(epochs: object, images_per_epoch: object) -> bool:
    """Whether a training was shorter than the assignment's, by its epochs or because they are of a part of the images."""
    return (is_number(epochs) and epochs < ASSIGNED_EPOCHS) or is_number(images_per_epoch)


class Balance(Enum):
    """How well a discriminator separates real from generated images, by the gap between their mean probabilities."""

    CERTAIN = 0.8
    CLEAR = 0.4
    MODERATE = 0.1
    EVEN = 0.0
    DECEIVED = -math.inf
    UNKNOWN = math.nan


@of_numbers(Balance.UNKNOWN)
def balance(real: float, fake: float) -> Balance:
    """Compares the mean probabilities that a discriminator gives real and generated images."""
    return next(verdict for verdict in Balance if real - fake >= verdict.value)


Constraint = Enum("Constraint", "MOSTLY_CLIPPED PARTLY_CLIPPED HARDLY_CLIPPED PENALTY_MET PENALTY_NOT_MET UNKNOWN")
"""How a critic's Lipschitz constraint binds: the fraction of clipped weights, or the mean gradient norm of a penalty."""

MOSTLY_CLIPPED, PARTLY_CLIPPED = 0.5, 0.1
PENALTY_TOLERANCE = 0.2


def constraint(clipped_fraction: object, gradient_norm: object) -> Constraint:
    """Reads how a critic is bound, at the end of training."""
    if is_number(gradient_norm):
        met = abs(gradient_norm - 1) < PENALTY_TOLERANCE
        return Constraint.PENALTY_MET if met else Constraint.PENALTY_NOT_MET
    if not is_number(clipped_fraction):
        return Constraint.UNKNOWN
    if clipped_fraction > MOSTLY_CLIPPED:
        return Constraint.MOSTLY_CLIPPED
    return Constraint.PARTLY_CLIPPED if clipped_fraction > PARTLY_CLIPPED else Constraint.HARDLY_CLIPPED


Gradient = Enum("Gradient", "SOUND VANISHED NOT_FINITE")
"""What is left of the generator's gradient."""

VANISHED_GRADIENT = 1e-3


def generator_gradient(norm: object) -> Gradient:
    """Reads the norm of the generator's gradient in the last epoch; one that was not recorded is taken for sound."""
    if norm is None:
        return Gradient.SOUND
    if not is_number(norm):
        return Gradient.NOT_FINITE
    return Gradient.VANISHED if norm < VANISHED_GRADIENT else Gradient.SOUND


Variety = Enum("Variety", "COLLAPSED INCOMPLETE UNEVEN EVEN UNKNOWN")
"""How many classes a generator makes, and how evenly."""

CLASSES = 10
EVEN_ENTROPY = 0.95


@of_numbers(Variety.UNKNOWN)
def variety(missing_classes: float, class_entropy: float) -> Variety:
    """Reads the number of missing classes and the entropy of the others, as a fraction of the largest."""
    made = CLASSES - round(missing_classes)
    if made <= CLASSES / 2:
        return Variety.COLLAPSED
    if made < CLASSES:
        return Variety.INCOMPLETE
    return Variety.EVEN if class_entropy >= EVEN_ENTROPY else Variety.UNEVEN


Copying = Enum("Copying", "NEARER FARTHER EVEN UNKNOWN")
"""Whether generated images lie nearer to training images than held-out images do."""


@of_numbers(Copying.UNKNOWN)
def copying(probability: float, images: float) -> Copying:
    """Compares with a half the probability that a generated image is nearer, from as many distances of either kind."""
    if abs(probability - 0.5) <= SURE * copying_error(round(images)):
        return Copying.EVEN
    return Copying.NEARER if probability > 0.5 else Copying.FARTHER


Overfitting = Enum("Overfitting", "NONE REVERSED SLIGHT CLEAR UNKNOWN")
"""Whether a discriminator or critic prefers its training images to held-out ones."""

SLIGHT_GAP = 0.05


@of_numbers(Overfitting.UNKNOWN)
def overfitting(seen: float, held_out: float, error: float, scale: float) -> Overfitting:
    """Compares what a discriminator makes of training and of held-out images.

    Arguments:
        seen, held_out: accuracies, or Wasserstein estimates.
        error: the standard error of their difference.
        scale: what a small difference is a fraction of.
    """
    gap = seen - held_out
    if abs(gap) <= SURE * error:
        return Overfitting.NONE
    if gap < 0:
        return Overfitting.REVERSED
    return Overfitting.SLIGHT if gap < SLIGHT_GAP * scale else Overfitting.CLEAR


def accuracy_error(seen: float, held_out: float, images: int) -> float:
    """Returns the standard error of the difference of two accuracies, each over `images` images."""
    return math.sqrt((seen * (1 - seen) + held_out * (1 - held_out)) / images)


# --- Sample quality

SEED_NOISE_FID = 2.0
"""Gaps in FID below about this are noise between seeds: standard deviations of Lucic et al. (2018) are 0.9 to 2.2."""

CLOSE_DISTANCE = 0.1
"""A gap of a smaller fraction of the larger distance may be noise between seeds, in other features than Inception's."""

CLOSE_QUALITY = 0.03
"""Fractions of a few thousand images are known to about a hundredth; a smaller difference is taken for none."""

CLOSE_RECALL = 0.1
"""Recall varies by as much between draws of samples of one flow (docs/results/gans.md#flows-and-gans-in-one-table).

The ball around an outlier may hold many real images, so that the binomial error of recall is far too small.
"""

NEAR_FLOOR = 1.5
PUBLISHED_SAMPLES = 10_000
"""From how many samples published distances are, at least."""

Lead = Enum("Lead", "CLEAR NOISE ALONE NO_MODEL UNKNOWN")
"""What distances say of the order of models."""


def close(first: float, second: float, inception: bool) -> bool:
    """Whether two distances are as near to each other as those of two seeds."""
    return abs(first - second) < seed_noise((first, second), inception)


def seed_noise(distances: Sequence[float], inception: bool) -> float:
    """Returns how far two distances of this size may lie apart by their seeds alone."""
    return SEED_NOISE_FID if inception else CLOSE_DISTANCE * max(map(abs, distances))


FloorVerdict = Enum("FloorVerdict", "BELOW NEAR ABOVE UNKNOWN")
"""Where the best model lies, compared with held-out images."""


def above_floor(distance: object, floor: object, error: object) -> FloorVerdict:
    """Compares a distance with the floor; below it counts what is so by more than two standard errors."""
    if not is_number(distance) or not is_number(floor) or floor <= 0:
        return FloorVerdict.UNKNOWN
    if floor - distance > 2 * (error if is_number(error) else 0.0):
        return FloorVerdict.BELOW
    return FloorVerdict.NEAR if distance / floor < NEAR_FLOOR else FloorVerdict.ABOVE


Agreement = Enum("Agreement", "AGREE DISAGREE TIED UNKNOWN")
"""Whether two distances, sizes or feature spaces put the same first; tied where one of them does not decide."""

Weakness = Enum("Weakness", "CONCENTRATED BOTH QUALITY VARIETY NOT_CLEAR UNKNOWN")
"""What samples lack, compared with held-out images: density, coverage, both alike, or coverage at too high a density."""


@of_numbers(Weakness.UNKNOWN)
def weakness(density: float, coverage: float) -> Weakness:
    """Reads density and coverage, each as a fraction of that of held-out images."""
    if coverage >= 1 - CLOSE_QUALITY or abs(density - 1) <= CLOSE_QUALITY:
        return Weakness.NOT_CLEAR
    if density > 1:
        return Weakness.CONCENTRATED
    if abs(density - coverage) < CLOSE_QUALITY:
        return Weakness.BOTH
    return Weakness.QUALITY if density < coverage else Weakness.VARIETY


TWO_STANDARD_ERRORS = 2.0
"""On either side: the interval of a difference between families."""

Family = Enum("Family", "GAN FLOW NEITHER UNKNOWN")
"""Which family of models is ahead in a measure."""


def family_ahead(difference: object, error: object, least: float, smaller_is_better: bool) -> Family:
    """Reads a difference, that of a flow less that of a GAN, by its interval.

    Arguments:
        least: a difference of this size or less is none.
    """
    if not is_number(difference) or not is_number(error):
        return Family.UNKNOWN
    margin = TWO_STANDARD_ERRORS * error
    where = side(difference, (difference - margin, difference + margin), 0.0, least)
    if where is Side.AROUND:
        return Family.NEITHER
    return Family.FLOW if (where is Side.BELOW) == smaller_is_better else Family.GAN


def fraction_error(fraction: float, images: int) -> float:
    """Returns the standard error of a fraction of so many images."""
    return math.sqrt(fraction * (1 - fraction) / images)


def copying_error(images: int) -> float:
    """Returns the standard deviation of a copying probability from as many distances of either kind, if both are alike.

    It is that of the Mann-Whitney statistic.
    """
    return math.sqrt((2 * images + 1) / (12 * images * images))


# --- Flows

SLIGHT_OVERFIT_BITS, CLEAR_OVERFIT_BITS = 0.02, 0.1


@of_numbers(Overfitting.UNKNOWN)
def flow_overfitting(train: float, held_out: float) -> Overfitting:
    """Compares the bits/dim of training and of held-out images."""
    gap = held_out - train
    if abs(gap) <= SLIGHT_OVERFIT_BITS:
        return Overfitting.NONE
    if gap < 0:
        return Overfitting.REVERSED
    return Overfitting.CLEAR if gap > CLEAR_OVERFIT_BITS else Overfitting.SLIGHT


Inverse = Enum("Inverse", "ACCURATE APPROXIMATE UNKNOWN")
"""How well images return through a flow and its inverse."""

HALF_GREY_LEVEL = 0.5 / 255


@of_numbers(Inverse.UNKNOWN)
def inverse(error: float) -> Inverse:
    """Compares the largest error of a pixel, on the scale from 0 to 1, with half a grey level."""
    return Inverse.ACCURATE if error <= HALF_GREY_LEVEL else Inverse.APPROXIMATE


BITS_STANDARD_ERRORS, SAME_BITS = 2.0, 0.01
"""Bits/dim of two flows differ from two standard errors on, and never below this: another seed moves them as much."""


def bits_side(difference: object, *errors: object) -> Side:
    """Where a flow's bits/dim lie, compared with another's: below is better.

    Arguments:
        difference: its bits/dim less those of the other.
        errors: the standard errors of either; one that is not known counts as 0.
    """
    margin = max(BITS_STANDARD_ERRORS * math.hypot(*filter(is_number, errors)), SAME_BITS)
    return side(difference, (difference - margin, difference + margin) if is_number(difference) else None, 0.0)


EFFECTIVE_DRAWS = 5.0
"""With fewer, one draw outweighs the others, and a bound from importance weights still falls with more of them."""


def converged(effective_draws: object) -> bool:
    """Whether a bound from importance weights has come close to its limit."""
    return is_number(effective_draws) and effective_draws >= EFFECTIVE_DRAWS


POWER_ITERATION_TOLERANCE = 0.005
"""Power iteration with its usual tolerance leaves a spectral norm above its bound by a smaller fraction than this."""


def excess(layer_norm: object, bound: object) -> float | None:
    """Returns by which fraction a spectral norm exceeds its bound; None where that is within the tolerance."""
    if not is_number(layer_norm) or not is_number(bound) or layer_norm <= (1 + POWER_ITERATION_TOLERANCE) * bound:
        return None
    return layer_norm / bound - 1


# --- Estimates of the log-determinant

Budget = Enum("Budget", "ANY LARGE NEVER INFINITE_VARIANCE")
"""From which cost on Russian roulette has a smaller error than truncation, on one block."""


def budget(finite: int, best: Mapping[str, float] | None) -> Budget:
    """Reads when a roulette pays off.

    Arguments:
        finite: how many roulettes have a finite variance.
        best: the one that pays off first, with its `break_even` and the `expected_terms` that one estimate costs.
    """
    if best is None:
        return Budget.NEVER if finite else Budget.INFINITE_VARIANCE
    return Budget.ANY if best["break_even"] <= best["expected_terms"] else Budget.LARGE


NEGLIGIBLE_BIAS = 0.1
"""A bias below this fraction of the noise of one image is small."""


def negligible(bias: float, noise: float | None) -> bool:
    """Whether a bias is small compared with noise; None stands for an infinite variance."""
    return noise is not None and abs(bias) < NEGLIGIBLE_BIAS * noise


# --- Latents

SHELL_WIDTH = 0.1
"""Latents whose norm is within this fraction of the root of their dimension lie on the shell that the prior samples."""


def on_shell(norm: float) -> bool:
    """Whether latents of a norm, relative to the root of their dimension, lie on that shell."""
    return abs(norm - 1) <= SHELL_WIDTH


CLEARLY_LIKELIER = 0.1
"""Difference in rank among real images; the ranks of a few samples are no finer."""


def clearly_likelier(rank: object, other: object) -> bool:
    """Compares fractions of real images that are less likely."""
    return is_number(rank) and is_number(other) and rank - other > CLEARLY_LIKELIER


NEARLY_ALL = 0.995
"""A fraction from here on would be printed as 100%."""


# --- Vanishing gradients

SMALL_CHANGE = 0.3
"""Powers of ten; a smaller change is a factor of less than 2."""

Change = Enum("Change", "FALLS GROWS NOT_CLEAR UNKNOWN")
"""Which way something goes on average over seeds."""


def change(mean: object, deviation: object) -> Change:
    """Reads a change in powers of ten: clear from `SMALL_CHANGE` and two standard deviations over seeds on."""
    if not is_number(mean):
        return Change.UNKNOWN
    if abs(mean) < max(SMALL_CHANGE, 2 * (deviation if is_number(deviation) else 0.0)):
        return Change.NOT_CLEAR
    return Change.GROWS if mean > 0 else Change.FALLS


Vanishing = Enum("Vanishing", "SATURATING_ONLY OTHERS_TOO NOT_CLEAR UNKNOWN")
"""Which losses leave the generator less and less of a gradient as the discriminator learns."""

GradientNoise = Enum("GradientNoise", "FASTER PARTLY_FASTER NOT_FASTER NO_GROWTH")
"""Whether the variance of the non-saturating gradient grows faster than its squared mean, where it grows."""


# --- Stability of training


Stability = Enum("Stability", "FIRST SECOND MIXED UNDECIDED TOO_SHORT")
"""Which of two models trains more stably: an outcome of the study, or that runs are too short."""

Less = Enum("Less", "FIRST SECOND UNDECIDED UNKNOWN")
"""Which of two models has less of a measure: an outcome of the study, or unknown."""

# --- OOD detection

Detection = Enum("Detection", "MISLED CHANCE SOMETIMES MOSTLY ALMOST_ALWAYS UNKNOWN")
"""Whether a score detects an OOD set, by the interval of its AUROC, and how well, by the AUROC itself."""

Paradox = Enum("Paradox", "ABSENT PRESENT WITH_DETECTED")
"""Whether OOD sets are likelier than in-distribution images, and others detected at the same time."""

CHANCE_AUROC = 0.5
MOSTLY_DETECTED, ALMOST_ALWAYS_DETECTED = 0.75, 0.95
SOLVED_AUROC, WEAK_AUROC = 0.99, 0.9
"""AUROCs, rounded to three digits as in tables, from which a set counts as solved, and below which as weakly detected."""


def detection(auroc: object, interval: Sequence[float] | None) -> Detection:
    """Compares an AUROC with chance."""
    where = side(auroc, interval, CHANCE_AUROC)
    if where == Side.UNKNOWN or not is_number(auroc):
        return Detection.UNKNOWN
    if where == Side.BELOW:
        return Detection.MISLED
    if where == Side.AROUND:
        return Detection.CHANCE
    if auroc >= ALMOST_ALWAYS_DETECTED:
        return Detection.ALMOST_ALWAYS
    return Detection.MOSTLY if auroc >= MOSTLY_DETECTED else Detection.SOMETIMES


def is_solved(auroc: float) -> bool:
    """Whether a set counts as solved."""
    return round(auroc, 3) >= SOLVED_AUROC


def is_weak(auroc: float) -> bool:
    """Whether a set is weakly detected."""
    return round(auroc, 3) < WEAK_AUROC


# --- Likelihood decomposition

BeforeCouplings = Enum("BeforeCouplings", "ALL MOST LESS_THAN_HALF OPPOSITE NO_GAP UNKNOWN")
"""How much of a gap in bits/dim is there before the couplings, when each pixel counts by itself."""


def before_couplings(before: object, after: object, error: object) -> BeforeCouplings:
    """Compares the gap before the first coupling with that after the last, which needs two standard errors."""
    if not is_number(before) or not is_number(after):
        return BeforeCouplings.UNKNOWN
    if after == 0 or (is_number(error) and abs(after) < 2 * error):
        return BeforeCouplings.NO_GAP
    fraction = before / after
    if fraction >= 1:
        return BeforeCouplings.ALL
    if fraction >= 0.5:
        return BeforeCouplings.MOST
    return BeforeCouplings.LESS_THAN_HALF if fraction >= 0 else BeforeCouplings.OPPOSITE


Complexity = Enum("Complexity", "SUFFICIENT INSUFFICIENT UNKNOWN")
"""Whether some measure of complexity by itself accounts for a gap in bits/dim."""

SUFFICIENT_FRACTIONS = 0.8, 1.2
"""Fractions of the gap that a measure of complexity predicts if it accounts for it."""

OFF_THE_LINE = 0.5
"""Bits/dim; a set that is farther from what complexity predicts is named."""


def complexity(fractions: Sequence[object]) -> Complexity:
    """Reads which fractions of a gap measures of complexity predict, each by itself."""
    known = [fraction for fraction in fractions if is_number(fraction)]
    low, high = SUFFICIENT_FRACTIONS
    if any(low <= fraction <= high for fraction in known):
        return Complexity.SUFFICIENT
    return Complexity.INSUFFICIENT if known else Complexity.UNKNOWN


Polynomial = Enum("Polynomial", "CORRECT WRONG_SIGN WRONG_SIZE NO_GAP UNKNOWN")
"""How a second-order polynomial's gap in log-density compares with the measured one."""


@of_numbers(Polynomial.UNKNOWN)
def polynomial(predicted: float, measured: float, error: float) -> Polynomial:
    """Compares two gaps: correct within a factor of 2; the measured one needs two standard errors."""
    if abs(measured) < 2 * error or measured == 0:
        return Polynomial.NO_GAP
    if predicted * measured < 0:
        return Polynomial.WRONG_SIGN
    return Polynomial.CORRECT if 0.5 <= predicted / measured <= 2 else Polynomial.WRONG_SIZE


Coordinates = Enum("Coordinates", "ALIKE LIKELIER_IN_PIXELS LIKELIER_IN_LOGITS UNKNOWN")
"""Whether the density of pixels and that of their logits rank two sets alike."""

TowardsMean = Enum("TowardsMean", "LIKELIER LESS_LIKELY VARIES UNKNOWN")
"""What becomes of the likelihood of images drawn towards their mean."""


def towards_mean(sides: Sequence[Side]) -> TowardsMean:
    """Reads on which side of 0 the change in bits/dim lies at each level."""
    if not sides:
        return TowardsMean.UNKNOWN
    if set(sides) == {Side.BELOW}:
        return TowardsMean.LIKELIER
    return TowardsMean.LESS_LIKELY if set(sides) == {Side.ABOVE} else TowardsMean.VARIES


# --- Comparison with published results

Exactness = Enum("Exactness", "EXACT UNBIASED BIASED")
"""Whether a likelihood is exact, or how it was estimated."""

OFFICIAL_IMAGES = 10_000
"""The size of the official test set, on which results are published."""

MUCH_SHORTER = 0.1
"""A training of fewer epochs, as a fraction of the published one's, is much shorter."""


def is_small(epochs: int, published_epochs: int, images: int) -> bool:
    """Whether a run is much smaller than published ones, by its epochs or by the images it was evaluated on."""
    return epochs < MUCH_SHORTER * published_epochs or images < OFFICIAL_IMAGES
