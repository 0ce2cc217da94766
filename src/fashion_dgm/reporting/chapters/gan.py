"""The chapter on GAN and WGAN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.gan_records import record_sentences
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import Block, Chapter, FigureBlock, FormulaBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    NOT_APPLICABLE,
    count,
    is_number,
    listing,
    model_name,
    model_order,
    number,
    percent,
    significant,
)

__all__ = ["critic_sentence", "discriminator_sentence", "gan_chapter"]

_COLUMNS = {
    "loss_discriminator": "Loss of discriminator or critic",
    "loss_generator": "Loss of the generator",
    "score_real": "Mean score, real images",
    "score_fake": "Mean score, generated images",
    "probability_real": "Mean probability, real images",
    "probability_fake": "Mean probability, generated images",
    "accuracy_real": "Real images classified as real",
    "accuracy_fake": "Generated images classified as generated",
    "wasserstein_estimate": "Wasserstein estimate",
    "clipped_share": "Weights at the clipping bound",
    "gradient_penalty": "Gradient penalty, before its weight",
    "slope": "Slope of the critic between images",
    "gradient_norm_discriminator": "Gradient norm, discriminator or critic",
    "gradient_norm_generator": "Gradient norm, generator",
    "class_entropy": "Entropy of classes, share of the largest",
    "missing_classes": "Classes missing, of 10",
    "nearest_distance_fake": "Distance to the nearest training image",
    "nearest_distance_held_out": "The same of held-out images",
    "copying_probability": "Chance to be nearer than a held-out image",
    "average_class_entropy": "Entropy of classes, moving average",
    "average_missing_classes": "Classes missing, moving average",
    "average_copying_probability": "Chance to be nearer, moving average",
}
_SHARES = ("clipped_share", "accuracy_", "class_entropy", "copying_probability", "average_class", "average_copying")
_DIAGNOSTICS = {
    "accuracy": "Classified rightly",
    "loss_discriminator": "Loss of the discriminator",
    "score": "Mean score",
    "wasserstein_estimate": "Wasserstein estimate",
}
_STATISTICS = {"running_stats": "running statistics", "batch_stats": "batch statistics"}
_KINDS = ("seen", "held_out", "generated")
_VANISHED_GRADIENT = 1e-3
_PENALTY = (
    " WGAN-GP (Gulrajani et al., 2017) does not clip: its critic's loss gains a penalty on slopes other than 1 between real "
    "and generated images."
)
_IMPROVED = NoteBlock(
    "The WGAN can be had better",
    (
        "The WGAN above is the assignment's. Run `kedro run --pipelines train_wgan_gp,fid_eval,report`, with the same "
        "`--env` as this report, to see one with a gradient penalty beside it.",
    ),
)

_CONVERGENCE = TextBlock(
    (
        "Not in general. In the smallest case, a generator of one point and a linear discriminator (Mescheder et al., "
        "2018), the WGAN circles the solution for ever; the distance of the GAN with the non-saturating loss falls only "
        "with the inverse root of the number of steps; a clipped critic circles at its bound; and with a critic whose "
        "slope is to be 1, as in WGAN-GP, training never comes to rest at the solution, however many steps the critic "
        "takes for each of the generator's. A penalty on any slope at real images (R1) does make the solution attractive "
        "there. This does not decide where networks end, but no loss here comes with a guarantee.",
    ),
    heading="Does such training converge?",
)
_LIMITS = NoteBlock(
    "How far this goes",
    (
        "Each model was trained once, with one seed: what differs between them may be luck. The chapter on stability "
        "repeats trainings, at a smaller size.",
        "Losses and scores tell how a game stands, not how good its images are; distances do, in the next chapter. Classes "
        "and neighbours are those that a classifier and the pixels see.",
    ),
)


def gan_chapter(
    metrics: Mapping[str, Any],
    curves_png: bytes,
    strips_png: Mapping[str, bytes | None],
    records_png: bytes | None = None,
    dirac_png: bytes | None = None,
) -> Chapter:
    """Tells how the games of GAN and WGAN went, and that of the WGAN with gradient penalty, where it was played.

    Arguments:
        metrics: `{"gan": {...}, "wgan": {...}, "wgan_gp": {...}}`, each with `"epochs"`, `"parameters_generator"`,
            `"parameters_discriminator"` and the last value of each column of its history under the column's name.
        curves_png: training curves side by side.
        strips_png: by model, samples from the same latents, epoch by epoch.
        records_png: which classes are made, how evenly, and how near to training images.
        dirac_png: phase portraits of GANs on one point.
    """
    names = model_order(metrics)
    return Chapter(
        title=TITLES["gan"],
        anchor="gan",
        intro=(
            "Both models train a generator G against an opponent, with the same networks after DCGAN (Radford et al., "
            "2016); only the game differs. In the GAN (Goodfellow et al., 2014) a discriminator D names the probability "
            "that an image is real. In the WGAN (Arjovsky et al., 2017) a critic C gives an unbounded score, and its "
            "weights are clipped, so that the score cannot change faster than some bound.",
            "An epoch shows the discriminator or critic the training images once, or `images_per_epoch` of them. The "
            "critic takes several steps for each one of its generator, so in an epoch the WGAN's generator learns less "
            "often than the GAN's.",
        ),
        blocks=(
            FormulaBlock(
                "gan_losses",
                "GAN, with the generator's loss in its non-saturating form. A discriminator that can only guess says 0.5 "
                "throughout; its loss is then 1.386 and the generator's 0.693.",
            ),
            FormulaBlock(
                "wgan_losses",
                "WGAN. The critic's loss with its sign turned is the Wasserstein estimate: a lower bound on the "
                "Wasserstein distance, times a constant that clipping leaves unknown. How far below depends on how near the "
                "critic is to its optimum, so the estimate may rise while the images improve."
                + (_PENALTY if "wgan_gp" in metrics else ""),
            ),
            FigureBlock(
                curves_png,
                f"Training curves of {listing([model_name(name) for name in names])} side by side: losses, scores, "
                "probabilities or Wasserstein estimate, gradient norms, accuracy or share of clipped weights.",
                "Training curves. The y axes are not shared, because losses, scores and gradients of different objectives "
                "have different units: compare the shapes of the curves, not their heights.",
            ),
            TextBlock(tuple(_findings(metrics, names)), heading="What was found"),
            *_records(metrics, names, records_png),
            TableBlock(
                ("At the last epoch", *(model_name(name) for name in names)),
                tuple(_rows(metrics, names)),
                "The last epoch. Losses, scores, probabilities, accuracies and Wasserstein estimates are means over its "
                "training batches, so BatchNorm uses batch statistics, and the networks still learn. Losses and scores of "
                "different objectives cannot be compared.",
                numeric=tuple(range(1, len(names) + 1)),
            ),
            *_diagnostics(metrics, names),
            *(
                FigureBlock(
                    png,
                    f"Generated images of the {model_name(name)}: a row an epoch, a column a latent.",
                    f"What the {model_name(name)} makes of the same latents as training goes on.",
                )
                for name in names
                if (png := strips_png.get(name)) is not None
            ),
            _CONVERGENCE,
            *([] if dirac_png is None else [_portraits(dirac_png)]),
            _LIMITS,
            *([] if "wgan_gp" in metrics else [_IMPROVED]),
        ),
        sources=(
            sources.GOODFELLOW_2014,
            sources.RADFORD_2016,
            sources.ARJOVSKY_2017,
            sources.MESCHEDER_2018,
            *([sources.MEEHAN_2020] if records_png is not None else []),
            *([sources.GULRAJANI_2017] if "wgan_gp" in metrics or _is_mostly_clipped(metrics.get("wgan", {})) else []),
        ),
        finding=_finding(metrics),
    )


def discriminator_sentence(entry: Mapping[str, Any]) -> str:
    """Returns how well the GAN's discriminator tells real from generated images at the end."""
    real, fake = entry.get("probability_real"), entry.get("probability_fake")
    if not is_number(real) or not is_number(fake):
        return "GAN: the discriminator's probabilities are not finite, so nothing can be said about the balance."
    gap = real - fake
    if gap >= 0.8:
        finding = "it is nearly certain and leaves the generator little to learn from"
    elif gap >= 0.4:
        finding = "it clearly tells them apart"
    elif gap >= 0.1:
        finding = "it has a moderate advantage"
    elif gap >= 0:
        finding = "it can hardly tell them apart"
    else:
        finding = "it takes generated images for the real ones"
    return (
        f"GAN: in the last epoch's training batches the discriminator gives real images a mean probability of "
        f"{number(real)} and generated ones {number(fake)}; {finding}."
    )


def critic_sentence(entry: Mapping[str, Any], name: str = "wgan") -> str:
    """Returns what a WGAN's critic estimates at the end, and how far clipping or its penalty binds it."""
    model = model_name(name)
    estimate, share = entry.get("wasserstein_estimate"), entry.get("clipped_share")
    if not is_number(estimate):
        text = f"{model}: the Wasserstein estimate is not finite."
    elif estimate > 0:
        text = (
            f"{model}: on average over the last epoch's training batches the critic scores real images "
            f"{significant(estimate)} higher than generated ones."
        )
    else:
        text = (
            f"{model}: the Wasserstein estimate is {significant(estimate)}. At or below zero it bounds nothing: the critic "
            "does not prefer real images."
        )
    slope = entry.get("slope")
    if is_number(slope):
        held = "near the 1 that its penalty asks for" if abs(slope - 1) < 0.2 else "although its penalty asks for 1"
        return f"{text} Between real and generated images its slope is {number(slope)} on average, {held}."
    if not is_number(share):
        return text
    if _is_mostly_clipped(entry):
        meaning = (
            ": clipping, not the data, decides most of what the critic can express, the weakness that led to gradient "
            "penalties (Gulrajani et al., 2017)"
        )
    elif share > 0.1:
        meaning = ", enough to shape what it can express"
    else:
        meaning = ", so few that clipping hardly limits it"
    return f"{text} {percent(share, 1)} of its weights lie at the clipping bound{meaning}."


def _finding(metrics: Mapping[str, Any]) -> str:
    told = [discriminator_sentence(metrics["gan"])] if "gan" in metrics else []
    return " ".join(told + ([critic_sentence(metrics["wgan"])] if "wgan" in metrics else []))


def _findings(metrics: Mapping[str, Any], names: Iterable[str]) -> Iterable[str]:
    if "gan" in metrics:
        yield discriminator_sentence(metrics["gan"])
    for name in names:
        if name != "gan":
            yield critic_sentence(metrics[name], name)
    for name in names:
        norm = metrics[name].get("gradient_norm_generator")
        if norm is not None and not is_number(norm):
            yield f"{model_name(name)}: the generator's gradient is not finite; training has diverged."
        elif norm is not None and norm < _VANISHED_GRADIENT:
            yield (
                f"{model_name(name)}: the generator's gradient has shrunk to a norm of {significant(norm)}; it hardly "
                "learns any more."
            )


def _records(metrics: Mapping[str, Any], names: list[str], png: bytes | None) -> Iterable[Block]:
    if png is not None:
        models = listing([model_name(name) for name in names])
        yield FigureBlock(
            png,
            f"Bars: the shares of the ten classes in the samples of {models}. Lines by epoch: the entropy of the classes, "
            "and the chance that a generated image lies nearer to the training images than a held-out one.",
            "What is generated. Above, the classes that the classifier sees at the last epoch; an even generator has 10% of "
            "each. Below left, their entropy; above the dotted line, at 95%, a generator counts as even. Below right, the "
            "chance that a generated image lies nearer to its nearest training image than a held-out one does: a half if "
            "both are alike, near 1 if images are copied (after Meehan et al., 2020).",
        )
    sentences = tuple(text for name in names for text in record_sentences(name, metrics[name]))
    if sentences:
        yield TextBlock(sentences, heading="Variety, copies and held-out images")


def _portraits(png: bytes) -> FigureBlock:
    return FigureBlock(
        png,
        "Six panels of streamlines, the generator's point across and the discriminator's slope up, with two paths of "
        "gradient descent from one start. Under the saturating loss and in the WGAN alternating steps circle the solution "
        "and simultaneous ones spiral outwards; with R1 both reach it.",
        "Phase portraits of GANs on one point. Alternating steps: the discriminator's, then the generator's, as in "
        "training. Dotted: the bound of the clipped critic. Dashed: how far the generator of the WGAN-GP gets in its limit "
        "cycle as steps become small.",
    )


def _rows(metrics: Mapping[str, Any], names: list[str]) -> Iterable[tuple[str, ...]]:
    yield "Epochs", *(count(metrics[name].get("epochs")) for name in names)
    for key, label in (("generator", "generator"), ("discriminator", "discriminator or critic")):
        yield f"Parameters, {label}", *(count(metrics[name].get(f"parameters_{key}")) for name in names)
    for column, label in _COLUMNS.items():
        if any(column in metrics[name] for name in names):
            yield label, *(_cell(metrics[name], column) for name in names)


def _diagnostics(metrics: Mapping[str, Any], names: list[str]) -> Iterable[Block]:
    """Yields a table of the discriminators after the last epoch, each number with the mode it was taken in."""
    rows = tuple(
        (model_name(name), label, mode, *(_cell(metrics[name], f"{quantity}_{kind}_{suffix}") for kind in _KINDS))
        for name in names
        for quantity, label in _DIAGNOSTICS.items()
        for suffix, mode in _STATISTICS.items()
        if f"{quantity}_seen_{suffix}" in metrics[name]
    )
    if rows:
        yield TableBlock(
            ("Model", "Quantity", "BatchNorm uses", "Training images", "Held-out images", "Generated images"),
            rows,
            "Discriminator or critic after the last epoch, on the same images in both modes of BatchNorm. With batch "
            "statistics, as in training, a batch is all real or all generated and is recognised as a whole; with "
            " running statistics each image is scored by itself. Rows of different modes cannot be compared; without "
            "BatchNorm the two are equal. Losses and Wasserstein estimates compare real with generated images.",
            numeric=(3, 4, 5),
        )


def _cell(entry: Mapping[str, Any], column: str) -> str:
    if column not in entry:
        return NOT_APPLICABLE
    if column.endswith("missing_classes"):
        return number(entry[column], 0)
    return percent(entry[column], 1) if column.startswith(_SHARES) else significant(entry[column])


def _is_mostly_clipped(entry: Mapping[str, Any]) -> bool:
    share = entry.get("clipped_share")
    return is_number(share) and share > 0.5
