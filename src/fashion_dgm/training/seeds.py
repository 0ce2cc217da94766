"""Randomness as a function of (seed, purpose, epoch), so that any epoch can be repeated on its own."""

import hashlib

import torch

__all__ = ["derive_seed", "generator"]


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Returns a seed in `[0, 2**63)` that differs for every `seed` and `purpose`.

    Nearby integers are poor seeds for some generators; a hash takes them apart.
    """
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """Returns a random generator on `device`, seeded for `purpose`."""
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *purpose))
