"""`fashion-dgm sample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fashion_dgm.errors import FashionDGMError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["sample"]

BATCH = 250


@click.command()
@click.argument("model")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="A .png, an .npz, or a new folder."
)
@click.option("-n", "--number", type=click.IntRange(min=1), default=64, help="How many images.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the latents.")
@click.option(
    "--temperature", type=float, default=1.0, help="Of a flow: below 1, samples are more typical and vary less."
)
@click.option("--columns", type=click.IntRange(min=1), default=8, help="Of a .png.")
def sample(model: str, output: Path, number: int, seed: int, temperature: float, columns: int) -> None:
    """Draws images from MODEL, a flow or a generator.

    A .png holds them all in a grid, an .npz as the array `images`, uint8 (N, 1, 28, 28), and a folder as a .png each.
    """
    import torch

    from fashion_dgm import load_model
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.gans.networks import Generator

    network = load_model(model)
    latents = torch.Generator().manual_seed(seed)
    parts = []
    with click.progressbar(length=number, label="sampling") as bar:
        for start in range(0, number, BATCH):
            count = min(BATCH, number - start)
            if isinstance(network, Flow):
                parts.append(network.sample(count, temperature, latents))
            elif isinstance(network, Generator):
                parts.append(network.sample(count, latents))
            else:
                raise FashionDGMError(f"a {type(network).__name__} draws no images; name a flow or a generator")
            bar.update(count)
    _write((255 * torch.cat(parts)).round().to(torch.uint8).numpy(), output, columns)
    click.echo(f"{number} images in {output}")


def _write(images: NDArray[np.uint8], output: Path, columns: int) -> None:
    import numpy as np
    from PIL import Image

    from fashion_dgm.files import atomic_path

    if output.suffix == ".npz":
        with atomic_path(output) as path, path.open("wb") as file:
            np.savez(file, images=images)
    elif output.suffix == ".png":
        rows = -(-len(images) // columns)
        padded = np.pad(images[:, 0], [(0, rows * columns - len(images)), (1, 1), (1, 1)], constant_values=255)
        grid = padded.reshape(rows, columns, *padded.shape[1:]).transpose(0, 2, 1, 3)
        with atomic_path(output) as path, path.open("wb") as file:
            Image.fromarray(grid.reshape(rows * padded.shape[1], -1)).save(file, format="PNG")
    elif output.suffix:
        raise FashionDGMError(f"cannot write images as {output.suffix}; name a .png, an .npz or a folder")
    else:
        if output.exists() and any(output.iterdir()):
            raise FashionDGMError(f"the folder {output} is not empty; name another one")
        for index, image in enumerate(images):
            with atomic_path(output / f"{index:05d}.png") as path, path.open("wb") as file:
                Image.fromarray(image[0]).save(file, format="PNG")
