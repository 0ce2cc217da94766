"""What the trainings of adversarial models have shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Balance, Constraint, Copying, Gradient, Overfitting, Side, Variety
from fashion_dgm.findings.row import Row
from fashion_dgm.provenance import parameters_of

__all__ = ["AdversarialModel", "GANFindings", "adversarial", "gan", "model_order"]

_QUANTITIES = ("accuracy", "loss_discriminator", "score", "wasserstein_estimate")
_STATISTICS = ("running_stats", "batch_stats")
_IMAGES = ("seen", "held_out", "generated")


@dataclass(frozen=True)
class AdversarialModel:
    """One model at its last epoch, with the verdicts on it.

    Arguments:
        name: `gan`, `wgan` or that of another model.
        last: the last value of each column of its history, its size and its number of epochs.
        preference: of a critic, the side of its Wasserstein estimate; only above 0 it scores real images higher, and
            bounds anything.
        diagnostics: each `quantity` of its discriminator or critic after the last epoch on training (`seen`),
            `held_out` and `generated` images, in each mode of BatchNorm, with the running `statistics` or those of the
            batch.
        overfitting_on: what the verdict on overfitting rests on, a quantity under running statistics.
    """

    name: str
    last: Row
    balance: Balance
    preference: Side
    constraint: Constraint
    gradient: Gradient
    variety: Variety
    copying: Copying
    overfitting: Overfitting
    diagnostics: tuple[Row, ...]
    overfitting_on: str

    def diagnostic(self, statistics: str) -> Row:
        """Returns what the verdict on overfitting rests on, under the given statistics of BatchNorm."""
        wanted = (self.overfitting_on, statistics)
        return next(one for one in self.diagnostics if (one["quantity"], one["statistics"]) == wanted)

    @property
    def classes(self) -> int:
        """How many of the ten classes it makes."""
        return criteria.CLASSES - round(self.last["missing_classes"])

    @property
    def same_in_both_modes(self) -> bool:
        """Whether running and batch statistics make no difference, as without BatchNorm."""
        running, batch = (self.diagnostic(statistics) for statistics in _STATISTICS)
        return all(running[images] == batch[images] for images in ("seen", "held_out"))


@dataclass(frozen=True)
class GANFindings:
    """All adversarial models of a run, the GAN first.

    Arguments:
        models: in the order of all figures and tables.
        columns: of their histories, those that any of them has.
    """

    models: tuple[AdversarialModel, ...]
    columns: frozenset[str]

    @property
    def shortened(self) -> bool:
        """Whether a model was trained for less than the assignment's 100 epochs of all images."""
        results = {model.name: model.last for model in self.models}
        used = parameters_of(results)
        return any(
            criteria.shortened(last.get("epochs"), used.get(f"train_{name}", {}).get("images_per_epoch"))
            for name, last in results.items()
        )

    def model(self, name: str) -> AdversarialModel | None:
        """Returns a model; None where it was not trained."""
        return next((model for model in self.models if model.name == name), None)


def adversarial(metrics: Mapping[str, Row]) -> list[str]:
    """Returns the names of the adversarial models among all results of a run: those whose generator has a loss."""
    return [name for name, found in metrics.items() if "loss_generator" in found]


def model_order(names: Iterable[str]) -> list[str]:
    """Returns models in the order in which all figures and tables show them: the GAN, then the others by name."""
    return sorted(names, key=lambda name: (name != "gan", name))


def gan(metrics: Mapping[str, Row]) -> GANFindings:
    """Concludes from the metrics of each model, by name, as the training nodes return them."""
    return GANFindings(
        tuple(_model(name, metrics[name]) for name in model_order(metrics)),
        frozenset(column for entry in metrics.values() for column in entry),
    )


def _model(name: str, last: Row) -> AdversarialModel:
    quantity = "accuracy" if "accuracy_held_out_running_stats" in last else "wasserstein_estimate"
    seen, held_out = (last.get(f"{quantity}_{images}_running_stats") for images in ("seen", "held_out"))
    records = last.get("records", {})
    error, scale = last.get("score_gap_error_running_stats"), 1.0
    if criteria.is_number(seen) and criteria.is_number(held_out) and records:
        if quantity == "accuracy":
            error = criteria.accuracy_error(seen, held_out, records["samples"])
        else:
            scale = abs(seen)
    return AdversarialModel(
        name=name,
        last=last,
        balance=criteria.balance(last.get("probability_real"), last.get("probability_fake")),
        preference=criteria.side(last.get("wasserstein_estimate"), None, 0.0),
        constraint=criteria.constraint(last.get("clipped_fraction"), last.get("critic_gradient_norm")),
        gradient=criteria.generator_gradient(last.get("gradient_norm_generator")),
        variety=criteria.variety(last.get("missing_classes"), last.get("class_entropy")),
        copying=criteria.copying(last.get("copying_probability"), records.get("neighbours")),
        overfitting=criteria.overfitting(seen, held_out, error, scale),
        diagnostics=tuple(_diagnostics(last)),
        overfitting_on=quantity,
    )


def _diagnostics(last: Row) -> list[Row]:
    return [
        {"quantity": quantity, "statistics": statistics}
        | {images: last.get(f"{quantity}_{images}_{statistics}") for images in _IMAGES}
        for quantity in _QUANTITIES
        for statistics in _STATISTICS
        if f"{quantity}_seen_{statistics}" in last
    ]
