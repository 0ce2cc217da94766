"""`fashion-dgm score`."""

from __future__ import annotations

from pathlib import Path

import click

from fashion_dgm.errors import FashionDGMError

__all__ = ["score"]

BATCH = 250


@click.command()
@click.argument("model")
@click.argument("images", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A .csv with a row an image.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the dequantisation noise.")
@click.option("--max-images", type=click.IntRange(min=1), default=100_000, help="Score at most so many.")
def score(model: str, images: Path, output: Path | None, seed: int, max_images: int) -> None:
    """Prints how many bits per dimension IMAGES have under the flow MODEL: fewer is likelier.

    IMAGES is a folder of pictures, or a .npy or .npz file; other sizes and colours are converted, and it is said how.
    """
    import numpy as np
    import torch

    from fashion_dgm import load_model
    from fashion_dgm.data.ood.folder import read_folder
    from fashion_dgm.files import atomic_path
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.flows.likelihood import bits_per_dim_of

    network = load_model(model)
    if not isinstance(network, Flow):
        raise FashionDGMError(f"a {type(network).__name__} gives images no likelihood; name a flow")
    pixels, conversion = read_folder(images, max_images, seed)
    click.echo(f"conversion: {conversion.describe()}", err=True)
    parts = []
    with click.progressbar(range(0, len(pixels), BATCH), label="scoring") as starts:
        for start in starts:
            batch = torch.from_numpy(pixels[start : start + BATCH])
            parts.append(bits_per_dim_of(network, batch, BATCH, seed + start, torch.float32))
    bits = np.concatenate(parts)
    if output is not None:
        rows = "".join(f"{index},{value:.6f}\n" for index, value in enumerate(bits))
        with atomic_path(output) as path:
            path.write_text(f"index,bits_per_dim\n{rows}", encoding="utf-8")
    spread = f" ± {bits.std(ddof=1):.3f} (standard deviation)" if len(bits) > 1 else ""
    click.echo(f"{len(bits)} images: {bits.mean():.3f}{spread} bits/dim")
