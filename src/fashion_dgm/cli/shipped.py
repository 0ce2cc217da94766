"""`fashion-dgm models` and `demo`: the models that come with the package, and a page of what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fashion_dgm.cli.images import EXISTING, OFFICIAL_IMAGES

if TYPE_CHECKING:
    from fashion_dgm.flows.flow import Flow

__all__ = ["demo", "models"]

COLUMNS = 16
SCORED, BATCH = 500, 250
BOOTSTRAP, CONFIDENCE = 500, 0.95
EXPLANATION = """The AUROC is 1 if each of these images has a higher score than every official test image. If it is below
0.5 for bits/dim, the flow assigns them a *higher* likelihood, a known property of flows. Typicality is the distance from the
official test images' mean bits/dim. In brackets: 95% of bootstrap resamples.

All scores on all OOD sets: `kedro run --env quick --pipelines data_split,ood_eval --params ood_eval.models=reference`.
"""
SCORES = """`reference/{name}` separates the images of `{images}` from the official test images with an AUROC of {aurocs}.

::: table
Bits/dim under `reference/{name}`.

| Images | N | mean | standard deviation |
|---|--:|--:|--:|
{rows}:::
"""


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """Lists the shipped models, or prints the card of NAME.

    NAME is that of a model, such as gan.
    """
    from fashion_dgm.pretrained import reference_card, reference_models

    if name is not None:
        click.echo(reference_card(name.removeprefix("reference/")).to_markdown(), nl=False)
        return
    for each in reference_models():
        card = reference_card(each)
        metrics = ", ".join(f"{metric} {found['value']}" for metric, found in card.metrics.items())
        click.echo(f"reference/{each}: {card.title}\n  {metrics}")


@click.command()
@click.argument("images", type=EXISTING, default=Path("data/05_model_input/ood/mnist.npz"))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/08_reporting/demo"),
    help="Folder for the page, index.html, and the samples.",
)
@click.option(
    "--real",
    type=EXISTING,
    default=OFFICIAL_IMAGES,
    help="In-distribution images; by default FashionMNIST's official test images, which data_split makes.",
)
@click.option("-n", "--number", type=click.IntRange(1, 1000), default=64, help="Samples drawn from each model.")
def demo(images: Path, output: Path, real: Path, number: int) -> None:
    """Makes a page of the shipped models.

    It has their model cards, samples of them, and OOD scores of IMAGES. IMAGES is a folder of pictures, or a .npy
    or .npz file; by default MNIST. Nothing is trained.
    """
    import torch

    from fashion_dgm import load_model
    from fashion_dgm.files import write_bytes
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.gans.networks import Generator
    from fashion_dgm.pretrained import reference_card, reference_models
    from fashion_dgm.reporting.chapter import Chapter
    from fashion_dgm.reporting.figures import image_grid
    from fashion_dgm.reporting.report import ReportContent, build_report
    from fashion_dgm.reporting.style import to_png

    cards, samples, scores, figures = [], [], {}, {}
    for name in reference_models():
        network = load_model(f"reference/{name}")
        assert isinstance(network, Flow | Generator)
        images_of_model = network.sample(number, generator=torch.Generator().manual_seed(0)).numpy()
        figures[name] = to_png(image_grid(images_of_model, COLUMNS))
        write_bytes(output / f"{name}.png", figures[name])
        card = reference_card(name)
        cards.append(f"### reference/{name}\n\n{card.to_markdown()}")
        caption = f"Samples of `reference/{name}`. {card.title}."
        samples.append(f"::: figure {name}\nA grid of generated garments.\n\n{caption}\n:::\n")
        if isinstance(network, Flow):
            scores[name] = _scores(name, network, images, real)
    explained = [*scores.values(), EXPLANATION]
    none = "No flow comes with this version of the package, so there are no likelihoods.\n"
    text = "Nothing was trained for this page: the models are those of the repository's longer runs.\n"
    content = ReportContent(
        "Models that come with fashion-dgm",
        (
            Chapter("samples", "Samples", "\n".join(samples)),
            Chapter("scores", "Scores of images", "\n".join(explained) if scores else none),
            Chapter("models", "Model cards", "\n".join(cards)),
        ),
        summary=Chapter("summary", "What this shows", text),
        figures=figures,
    )
    write_bytes(output / "index.html", build_report(content).encode())
    click.echo(f"{output / 'index.html'}: samples of {', '.join(figures)}; scores by {', '.join(scores) or 'none'}")


def _scores(name: str, flow: Flow, images: Path, real: Path) -> str:
    """Returns a table of how well bits/dim and typicality under a flow separate images from real ones."""
    import numpy as np
    import torch

    from fashion_dgm.data.ood.folder import read_folder
    from fashion_dgm.flows.likelihood import bits_per_dim_of
    from fashion_dgm.metrics.detection import detection

    bits, shown = {}, images.name.replace("`", "")
    for label, path in (("official test images", real), (f"`{shown}`", images)):
        pixels, conversion = read_folder(path, SCORED, seed=0)
        click.echo(f"{path}: conversion: {conversion.describe()}", err=True)
        bits[label] = bits_per_dim_of(flow, torch.from_numpy(pixels), BATCH, 0, torch.float32)
    inside, outside = bits.values()
    typical = inside.mean()
    scores = {"bits/dim": (inside, outside), "typicality": (np.abs(inside - typical), np.abs(outside - typical))}
    found = {score: detection(*pair, BOOTSTRAP, CONFIDENCE, seed=0) for score, pair in scores.items()}
    aurocs = [f"{d.auroc:.3f} [{d.auroc_interval[0]:.3f}, {d.auroc_interval[1]:.3f}] by {s}" for s, d in found.items()]
    rows = "".join(f"| {which} | {len(b)} | {b.mean():.3f} | {b.std():.3f} |\n" for which, b in bits.items())
    return SCORES.format(name=name, images=shown, aurocs=" and ".join(aurocs), rows=rows)
