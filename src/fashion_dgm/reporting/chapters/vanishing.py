"""The chapter on vanishing gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    NOT_APPLICABLE,
    count,
    is_number,
    loss_name,
    number,
    percent,
    plural,
    significant,
)

__all__ = ["vanishing_chapter"]

_ORDER = ("saturating", "non_saturating", "wasserstein")
# A change of less than a third of a power of ten is a factor of 2.
_SMALL = 0.3


def vanishing_chapter(
    metrics: Mapping[str, Any], norms_png: bytes, variance_png: bytes, uniforms_png: bytes
) -> BlockChapter:
    """Tells what a good opponent leaves of the generator's gradient under each loss.

    Arguments:
        metrics: `{"gradients": {epoch: {loss: {"norm" | "change" | "lost" | "variance_change" |
            "noise_change": {"mean", "sd"}}}},
            "uniforms": {distance: largest error}, "seeds", "steps", "batch_size", "gradient_batches", "samples"}`; changes
            in powers of ten.
        norms_png: norms of the gradient against the opponent's steps.
        variance_png: its variance between batches.
        uniforms_png: four distances of two shifted uniform distributions.
    """
    gradients = metrics["gradients"]
    epochs = sorted(gradients, key=int)
    steps, seeds = plural(metrics["steps"], "step"), plural(metrics["seeds"], "seed")
    errors = metrics["uniforms"]
    return BlockChapter(
        title=TITLES["vanishing"],
        anchor="vanishing",
        intro=(
            "A discriminator that is sure and right leaves the generator nothing to learn from under the minimax loss. "
            "The non-saturating loss and the Wasserstein distance are two answers to that. Both are put to the test: "
            "generators are frozen, and a discriminator (for the first two losses) and a critic with a gradient penalty "
            f"(for the third) are trained from scratch against each, for {steps}, with {seeds} each.",
        ),
        blocks=(
            FigureBlock(
                uniforms_png,
                "Four distances of two uniform distributions of width 1 against the shift between them: KL is infinite at "
                "once, total variation and Jensen-Shannon grow until the two no longer overlap and are constant from there "
                "on, the Wasserstein distance grows with the shift throughout.",
                "Why: two uniform distributions, one of them shifted. Lines are exact; points with bars are means and "
                f"standard deviations of estimates from {count(metrics['samples'])} samples of each. Where a curve is flat, "
                "there is no gradient that would bring the two together.",
            ),
            TextBlock(
                (
                    "Samples agree with the exact curves to within "
                    f"{number(errors['total_variation'], 3)} (total variation), {number(errors['jensen_shannon'], 3)} nats "
                    f"(Jensen\u2013Shannon) and {number(errors['wasserstein'], 3)} (Wasserstein) at the worst shift and "
                    "repetition. Histograms overestimate the first two a little where the distributions are the same.",
                )
            ),
            FigureBlock(
                norms_png,
                "The norm of the generator's gradient on a logarithmic scale against the steps of the discriminator or "
                "critic, a panel for each frozen generator, a line for each loss.",
                "The norm of the generator's gradient while its opponent learns. Thin: seeds; thick: geometric mean, in "
                "a band of one standard deviation. Heights of different losses have different units; what becomes of each "
                "is what counts.",
            ),
            TextBlock(tuple(_findings(gradients, epochs)), heading="What was found"),
            TableBlock(
                ("Generator", "Loss", "Last norm", "Change", "Lost since its peak", "Change of variance"),
                tuple(_rows(gradients, epochs)),
                f"Norm of the gradient after {steps} (geometric mean) and what became of it, in powers of ten (\u22121 is a "
                "tenth): mean ± standard deviation over seeds. Changes count from the opponent's first step.",
                numeric=(2, 3, 4, 5),
            ),
            FigureBlock(
                variance_png,
                "Variance of the generator's gradient between batches, and its ratio to the squared mean, on logarithmic "
                "scales against the steps of the opponent.",
                f"The noise of the gradient: variance between {count(metrics['gradient_batches'])} batches of "
                f"{count(metrics['batch_size'])} latents, summed over all parameters, and beneath it that variance over the "
                "squared norm of the mean. Above 1, a single batch is more noise than direction.",
            ),
            NoteBlock(
                "How far this goes",
                (
                    "The generators come from one training and stand still, which they never do in a game: what is shown is "
                    "what a good opponent would leave them, not what they met. The critic here has a gradient penalty, not "
                    "the clipped weights of the assignment.",
                ),
            ),
        ),
        sources=(sources.ARJOVSKY_BOTTOU_2017, sources.ARJOVSKY_2017, sources.GOODFELLOW_2014, sources.GULRAJANI_2017),
        finding=_conclusion(gradients, epochs),
    )


def _findings(gradients: Mapping[str, Any], epochs: list[str]) -> Iterable[str]:
    for loss in _ORDER:
        changes = [(epoch, gradients[epoch][loss]["change"]) for epoch in epochs if loss in gradients[epoch]]
        clauses = [f"{_change(change)} for {_generator(epoch)}" for epoch, change in changes]
        yield f"{loss_name(loss).capitalize()} loss: the gradient {'; it '.join(clauses)}."
    yield _conclusion(gradients, epochs)
    noisier = [epoch for epoch in epochs if _clear(gradients[epoch]["non_saturating"]["variance_change"]) > 0]
    share = percent(len(noisier) / len(epochs))
    yield (
        "The variance of the non-saturating gradient "
        + (
            f"grows for {', '.join(_generator(epoch) for epoch in noisier)}, as Arjovsky and Bottou (2017) found. "
            + _noise(gradients, noisier)
            if noisier
            else f"does not clearly grow here ({share} of the generators)."
        )
    )


def _conclusion(gradients: Mapping[str, Any], epochs: list[str]) -> str:
    """Which gradients vanish, in one or two sentences."""
    fallen = {loss: [_clear(gradients[epoch][loss]["change"]) < 0 for epoch in epochs] for loss in _ORDER}
    if all(fallen["saturating"]) and not any(fallen["non_saturating"]) and not any(fallen["wasserstein"]):
        return (
            "As the theory has it: the better the discriminator, the less is left of the saturating gradient, whereas "
            "neither the non-saturating one nor the critic's vanishes."
        )
    if all(fallen["saturating"]):
        also = [loss_name(loss) for loss in _ORDER[1:] if any(fallen[loss])]
        return (
            "The saturating gradient vanishes, as the theory has it; here that of another loss falls somewhere, too: "
            f"{' and '.join(also)}. How far each falls is what tells them apart."
        )
    return (
        "The saturating gradient does not clearly fall for every generator: these opponents were not trained long "
        "enough to be sure, or the seeds disagree."
    )


def _noise(gradients: Mapping[str, Any], epochs: list[str]) -> str:
    ways = [_clear(gradients[epoch]["non_saturating"]["noise_change"]) for epoch in epochs]
    if all(way > 0 for way in ways):
        return "It grows faster than the squared mean: steps become larger and less certain."
    if any(way > 0 for way in ways):
        return "For some of them it grows faster than the squared mean: there, steps become less certain."
    return "But no faster than the squared mean, so here steps become larger and no less certain."


def _clear(change: Mapping[str, Any]) -> int:
    """Says which way a change goes: 0 where it is a factor of 2 or less, or within two standard errors' worth of seeds."""
    mean, sd = change["mean"], change.get("sd")
    if not is_number(mean) or abs(mean) < _SMALL or abs(mean) < 2 * (sd or 0.0):
        return 0
    return 1 if mean > 0 else -1


def _change(change: Mapping[str, Any]) -> str:
    size = number(abs(change["mean"]), 1) + (f" ± {number(change['sd'], 1)}" if is_number(change.get("sd")) else "")
    words = {-1: f"falls by {size} powers of ten", 1: f"grows by {size} powers of ten"}
    return words.get(_clear(change), f"stays within the noise or a factor of 2 ({_signed(change)} powers of ten)")


def _signed(summary: Mapping[str, Any]) -> str:
    if not is_number(summary["mean"]):
        return NOT_APPLICABLE
    spread = f" ± {number(summary['sd'], 2)}" if is_number(summary.get("sd")) else ""
    return ("+" if summary["mean"] > 0 else "") + number(summary["mean"], 2) + spread


def _generator(epoch: str) -> str:
    return "the untrained generator" if epoch == "0" else f"that of epoch {epoch}"


def _rows(gradients: Mapping[str, Any], epochs: list[str]) -> Iterable[tuple[str, ...]]:
    for epoch in epochs:
        for loss in _ORDER:
            if loss in gradients[epoch]:
                found = gradients[epoch][loss]
                yield (
                    "untrained" if epoch == "0" else f"epoch {epoch}",
                    loss_name(loss),
                    significant(10 ** found["norm"]["mean"], 2),
                    _signed(found["change"]),
                    number(found["lost"]["mean"], 2),
                    _signed(found["variance_change"]),
                )
