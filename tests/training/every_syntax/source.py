"""Syntax whose tree differs, or might, between versions of Python; test_code_version.py hashes it."""

from __future__ import annotations

import asyncio
import os.path as paths
from collections import OrderedDict, defaultdict as default
from dataclasses import dataclass, field

CONSTANTS = (1, -1, 1.5, 1e300, 2j, True, None, ..., b"\x00\xff", "é", "\U0001fae8", "\u200b", 10**30, 0x10, 1_000)
TEXT = "a" "b" f"c{CONSTANTS[0]}d" "e"
FORMATS = f"{CONSTANTS!r:>{len(TEXT)}.3} {TEXT = } {{}} {CONSTANTS[0]:,}{TEXT}{'nested'!s:^9}"
EMPTY = f"" f"{TEXT}" ""
LAMBDA = lambda a, /, b=1, *c, d=None, **e: (a, b, *c, d, {**e, "x": 1})  # noqa: E731
COMPREHENSIONS = [x for x in range(3) if x], {x: y for x, y in zip("ab", "cd", strict=True)}, {*"ab"}, (x for x in "ab")


@dataclass(frozen=True)
class Generic(OrderedDict, metaclass=type):
    """A docstring."""

    a: int = 1
    b: list[int] | None = field(default_factory=list)

    def method(self, x: int, *, flag: bool = False) -> int:
        """Another one."""
        if (n := len(TEXT)) > 3 and not flag or x < n <= 10:
            return n if flag else -x
        elif x is not None:
            pass
        else:
            del x
        while True:
            break
        return self.a[1:2, ::3, ...] @ self.b

    async def waits(self):
        async with asyncio.timeout(1) as t, asyncio.Lock():
            async for _ in self:
                await t
                yield [i async for i in self]


class Empty(Exception):
    """Nothing but this."""


def matches(value):
    match value:
        case {"a": 1, **rest} | [1, *rest]:
            return rest
        case Generic(a=1, b=[_, None]) if value:
            global CONSTANTS
            CONSTANTS += (1,)
        case str() as text:
            raise ValueError(text) from None
        case _:
            try:
                assert value, "message"
            except* OSError as error:
                print(error, end="")
            else:
                default(int)[paths.sep] = 1
            finally:
                yield from ()
