"""Ways in which files go bad, drawn by seed."""

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def flip(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def truncate(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def zero(content: bytes, rng: random.Random) -> bytes:
    """As a sector that was never written."""
    start = rng.randrange(len(content))
    length = min(rng.choice([1, 64, 512]), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def replace(content: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(len(content))


DAMAGES: dict[str, Damage] = {kind.__name__: kind for kind in (flip, truncate, zero, replace)}
