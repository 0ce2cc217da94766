"""`fashion-dgm sample`, `score` and `fid`: images of a model, and how likely or how near to real ones images are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fashion_dgm.errors import FashionDGMError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EXISTING", "FILE", "OFFICIAL_IMAGES", "fid", "sample", "score"]

BATCH = 250
# As in the papers: Bińkowski et al., 2018, and Naeem et al., 2020.
KID_SUBSETS, KID_SUBSET, NEIGHBOURS = 100, 1000, 5
MEGABYTES = 512
EFFICIENTNET_PIXELS = 96  # as in conf/base
SEED = click.IntRange(0, 2**31 - 1)
FILE = click.Path(dir_okay=False, path_type=Path)
OFFICIAL_IMAGES = Path("data/05_model_input/benchmark.npz")


class _ExistingPath(click.Path):
    """A path that exists; for images that `data_split` makes, the error says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if OFFICIAL_IMAGES.parent in Path(value).parents and not Path(value).exists():
            command = "kedro run --env quick --pipelines data_split"
            self.fail(f"there is no {value} here; in the project's folder, `{command}` makes it", param, ctx)
        return super().convert(value, param, ctx)


EXISTING = _ExistingPath(exists=True, path_type=Path)


@click.command()
@click.argument("model")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="A .png, an .npz, or a new folder."
)
@click.option("-n", "--number", type=click.IntRange(1, 1_000_000), default=64, help="Number of images.")
@click.option("--seed", type=SEED, default=0, help="Seed of the latents.")
@click.option(
    "--temperature", type=float, default=1.0, help="For a flow: scale of the latents; below 1, samples vary less."
)
@click.option("--columns", type=click.IntRange(min=1), default=8, help="Most columns of a .png.")
def sample(model: str, output: Path, number: int, seed: int, temperature: float, columns: int) -> None:
    """Draws images from MODEL, a flow or a generator.

    A .png holds all images in a grid, an .npz holds the array `images`, uint8 (N, 1, 28, 28), and a folder gets one .png
    for each image.
    """
    import torch

    from fashion_dgm import load_model
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.flows.preprocessing import quantize
    from fashion_dgm.gans.networks import Generator

    _check_output(output)
    network = load_model(model)
    latents = torch.Generator().manual_seed(seed)
    parts = []
    with click.progressbar(length=number, label="sampling") as bar:
        for start in range(0, number, BATCH):
            count = min(BATCH, number - start)
            if isinstance(network, Flow):
                parts.append(quantize(network.sample(count, temperature, latents)))
            elif isinstance(network, Generator) and temperature != 1:
                raise FashionDGMError("--temperature is for flows; a generator's latents are not scaled")
            elif isinstance(network, Generator):
                parts.append((255 * network.sample(count, latents)).round().to(torch.uint8))
            else:
                raise FashionDGMError(f"a {type(network).__name__} cannot generate images; name a flow or a generator")
            bar.update(count)
    _write(torch.cat(parts).numpy(), output, min(columns, number))
    click.echo(f"{number} images in {output}")


def _check_output(output: Path) -> None:
    """Refuses what images cannot be written to, before they are drawn."""
    from fashion_dgm.files import readable

    if output.suffix not in ("", ".npz", ".png"):
        raise FashionDGMError(f"cannot write images as {one_line(output.suffix)}; name a .png, an .npz or a folder")
    try:
        there = os.path.lexists(output)
    # A null byte.
    except ValueError as error:
        raise FashionDGMError(f"cannot write {one_line(str(output))}: {error}") from error
    if not there:
        return
    found = readable(output)
    if bool(output.suffix) == found.is_dir():
        raise FashionDGMError(
            f"{output} already exists and is {'a' if output.suffix else 'not a'} folder; name another output"
        )
    if found.is_dir() and any(found.iterdir()):
        raise FashionDGMError(f"the folder {output} is not empty; name another output")


def _write(images: NDArray[np.uint8], output: Path, columns: int) -> None:
    import numpy as np
    from PIL import Image

    from fashion_dgm.files import atomic_folder, atomic_path

    if output.suffix == ".npz":
        with atomic_path(output) as path, path.open("wb") as file:
            np.savez(file, images=images)
    elif output.suffix == ".png":
        rows = -(-len(images) // columns)
        padded = np.pad(images[:, 0], [(0, rows * columns - len(images)), (1, 1), (1, 1)], constant_values=255)
        grid = padded.reshape(rows, columns, *padded.shape[1:]).transpose(0, 2, 1, 3)
        with atomic_path(output) as path, path.open("wb") as file:
            Image.fromarray(grid.reshape(rows * padded.shape[1], -1)).save(file, format="PNG")
    else:
        digits = len(str(len(images) - 1))
        with atomic_folder(output) as folder:
            for index, image in enumerate(images):
                Image.fromarray(image[0]).save(folder / f"{index:0{digits}d}.png")


@click.command()
@click.argument("model")
@click.argument("images", type=EXISTING)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="A .csv with one row for each image: its file, its index in that file, and its bits/dim.",
)
@click.option("--seed", type=SEED, default=0, help="Seed of the dequantisation noise.")
@click.option(
    "--max-images", type=click.IntRange(min=1), default=100_000, help="Score at most this many images, drawn at random."
)
def score(model: str, images: Path, output: Path | None, seed: int, max_images: int) -> None:
    """Prints the bits/dim of IMAGES under the flow MODEL.

    The number is the mean over the images; fewer bits/dim mean more likely. IMAGES is a folder of pictures, or a
    .npy or .npz file. Other sizes and colours are converted, and the conversion is printed.
    """
    import numpy as np
    import pandas as pd
    import torch

    from fashion_dgm import load_model
    from fashion_dgm.data.ood.folder import read_folder_with_origins
    from fashion_dgm.files import atomic_path
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.flows.likelihood import bits_per_dim_of

    network = load_model(model)
    if not isinstance(network, Flow):
        raise FashionDGMError(f"a {type(network).__name__} has no likelihood; name a flow")
    pixels, conversion, origins = read_folder_with_origins(images, max_images, seed)
    click.echo(f"conversion: {conversion.describe()}", err=True)
    parts = []
    with click.progressbar(range(0, len(pixels), BATCH), label="scoring") as starts:
        for start in starts:
            batch = torch.from_numpy(pixels[start : start + BATCH])
            parts.append(bits_per_dim_of(network, batch, BATCH, seed + start, torch.float32))
    bits = np.concatenate(parts)
    if output is not None:
        table = pd.DataFrame(origins, columns=["file", "index"]).assign(bits_per_dim=bits)
        with atomic_path(output) as path:
            table.to_csv(path, index=False, float_format="%.6f")
    spread = f" ± {bits.std(ddof=1):.3f} (standard deviation)" if len(bits) > 1 else ""
    click.echo(f"{len(bits)} images: {bits.mean():.3f}{spread} bits/dim")


@click.command()
@click.argument("samples", type=EXISTING)
@click.option(
    "--real",
    type=EXISTING,
    default=OFFICIAL_IMAGES,
    help="Real images; by default FashionMNIST's official test images, which data_split makes.",
)
@click.option("-n", "--number", type=click.IntRange(min=100), default=10_000, help="Images of either set, at most.")
@click.option("--inception", type=EXISTING, help="Inception-2015 weights, to compute FID.")
@click.option("--efficientnet", is_flag=True, help="Use EfficientNet-Lite0's features; needs the extra `efficientnet`.")
@click.option("--seed", type=SEED, default=0, help="Seed for drawing images and the subsets of KID.")
def fid(samples: Path, real: Path, number: int, inception: Path | None, efficientnet: bool, seed: int) -> None:
    """Prints the Fréchet distance of SAMPLES to real images.

    KID, precision, recall, density and coverage are printed with it. SAMPLES is a folder of pictures, or a .npy or
    .npz file. By default the features are those of the classifier that comes with the package. Only the distance in
    Inception's features is called FID.
    """
    import numpy as np
    import torch

    from fashion_dgm.classifier.reference import reference_classifier
    from fashion_dgm.data.ood.chance import choose
    from fashion_dgm.data.ood.folder import read_folder
    from fashion_dgm.evaluation.features import classifier_space, efficientnet_space, inception_space
    from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
    from fashion_dgm.metrics.kernel_distance import kernel_distance
    from fashion_dgm.metrics.neighbours import neighbourhoods

    if inception is not None and efficientnet:
        raise click.UsageError("--inception and --efficientnet exclude each other; choose one")
    sets = [read_folder(path, number, seed) for path in (samples, real)]
    for path, (_, conversion) in zip((samples, real), sets, strict=True):
        click.echo(f"{path}: conversion: {conversion.describe()}", err=True)
    n = min(len(pixels) for pixels, _ in sets)
    cpu = torch.device("cpu")
    if inception is not None:
        space = inception_space(inception, cpu)
    elif efficientnet:
        space = efficientnet_space(EFFICIENTNET_PIXELS, cpu)
    else:
        space = classifier_space(reference_classifier(), cpu)
    # A folder may be sorted by class, so the first n would not do.
    chosen = [torch.from_numpy(pixels[np.sort(choose(len(pixels), n, seed))]) for pixels, _ in sets]
    fake, goal = (space(images, cpu, BATCH) for images in chosen)
    distance = frechet_distance(Gaussian.fit(goal), Gaussian.fit(fake))
    click.echo(f"N = {n} of each, features: {space.layer} ({space.dimension}), weights {space.weights_sha256[:12]}")
    click.echo(f"{space.label}: {distance:.3f}")
    if n <= space.dimension:
        click.echo(
            f"N does not exceed the {space.dimension} features: the distance is finite but far too high", err=True
        )
    kid = kernel_distance(goal, fake, KID_SUBSETS, KID_SUBSET, seed)
    click.echo(f"KID: {kid.mean:.5f} ± {kid.deviation:.5f} (over {KID_SUBSETS} subsets of {kid.subset_size})")
    near = neighbourhoods(goal, fake, NEIGHBOURS, MEGABYTES)
    words = ", ".join(f"{name} {getattr(near, name):.3f}" for name in ("precision", "recall", "density", "coverage"))
    click.echo(f"{words} (k = {NEIGHBOURS})")
