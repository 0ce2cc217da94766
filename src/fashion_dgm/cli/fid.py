"""`fashion-dgm fid`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["fid"]

BATCH = 250
# As in the papers: Bińkowski et al., 2018, and Naeem et al., 2020.
KID_SUBSETS, KID_SUBSET, NEIGHBOURS = 100, 1000, 5
MEGABYTES = 512


@click.command()
@click.argument("samples", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--real",
    type=click.Path(exists=True, path_type=Path),
    default=Path("data/05_model_input/benchmark.npz"),
    help="The images to come near to; by default FashionMNIST's official test images, which data_split makes.",
)
@click.option(
    "-n", "--number", type=click.IntRange(min=100), default=10_000, help="Of each; fewer, if there are fewer."
)
@click.option(
    "--inception", type=click.Path(exists=True, path_type=Path), help="Inception-2015 weights, for FID proper."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the choice, where there are more images.")
def fid(samples: Path, real: Path, number: int, inception: Path | None, seed: int) -> None:
    """Prints how near SAMPLES come to real images: Fréchet distance, KID, precision, recall, density and coverage.

    SAMPLES is a folder of pictures, or a .npy or .npz file. Without Inception's weights the features are those of the
    classifier that comes with the package: such a distance is not called FID.
    """
    import torch

    from fashion_dgm.classifier.reference import reference_classifier
    from fashion_dgm.data.ood.folder import read_folder
    from fashion_dgm.evaluation.features import classifier_space, inception_space
    from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
    from fashion_dgm.metrics.kernel_distance import kernel_distance
    from fashion_dgm.metrics.neighbours import neighbourhoods

    sets = [read_folder(path, number, seed) for path in (samples, real)]
    for path, (_, conversion) in zip((samples, real), sets, strict=True):
        click.echo(f"{path}: conversion: {conversion.describe()}", err=True)
    n = min(len(pixels) for pixels, _ in sets)
    cpu = torch.device("cpu")
    space = classifier_space(reference_classifier(), cpu) if inception is None else inception_space(inception, cpu)
    fake, goal = (space(torch.from_numpy(pixels[:n]), cpu, BATCH) for pixels, _ in sets)
    distance = frechet_distance(Gaussian.fit(goal), Gaussian.fit(fake))
    click.echo(f"N = {n} of each, features: {space.layer} ({space.dimension}), weights {space.weights_sha256[:12]}")
    click.echo(f"{space.label}: {distance:.3f}")
    if n <= space.dimension:
        click.echo(f"N is not above the {space.dimension} features: the distance is finite but far too high", err=True)
    kid = kernel_distance(goal, fake, KID_SUBSETS, min(KID_SUBSET, n), seed)
    click.echo(f"KID: {kid.mean:.5f} ± {kid.deviation:.5f} (over {KID_SUBSETS} subsets of {kid.subset_size})")
    near = neighbourhoods(goal, fake, NEIGHBOURS, MEGABYTES)
    words = ", ".join(f"{name} {getattr(near, name):.3f}" for name in ("precision", "recall", "density", "coverage"))
    click.echo(f"{words} (k = {NEIGHBOURS})")
