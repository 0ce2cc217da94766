"""What the user is shown of an error."""

from __future__ import annotations

import re

from kedro.io import DatasetError
from kedro.validation import ParameterValidationError

from fashion_dgm.config.renamed import RENAMED
from fashion_dgm.errors import FashionDGMError

__all__ = ["parameter_message", "user_message"]

MEMBER = re.compile(r"\.(adam|rmsprop|clip|gradient_penalty|spectral_norm)\.")


def user_message(error: BaseException) -> str | None:
    """Returns the message for the user, or None if `error` is a bug, whose traceback is wanted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FashionDGMError):
            return str(seen)
        if isinstance(seen, ParameterValidationError):
            return parameter_message(str(seen))
        seen = seen.__cause__ or seen.__context__
    # What Kedro says of a dataset is already meant for the user.
    return str(error) if isinstance(error, DatasetError) else None


def parameter_message(text: str) -> str:
    """Returns one line for each parameter that Kedro and pydantic found wrong, under its full name."""
    lines, block = [], ""
    field = ""
    for line in text.splitlines():
        if start := re.match(r"- Parameter '(.+?)'", line):
            block, field = start[1], ""
        elif wrong := re.match(r"  (.+) \[type=(\w+), input_value=(.+), input_type=\w+\]$", line):
            # pydantic names the member of a union, which stands nowhere in the configuration.
            member = MEMBER.search(field)
            what = wrong[1]
            if wrong[2] == "extra_forbidden":
                what = "there is no such parameter"
                if new := RENAMED.get(field.rsplit(".", 1)[-1]):
                    what = f"renamed to {new}"
                elif member:
                    what = f"{member[1]} has no such parameter; null takes away what another configuration gave"
            # Parameters that don't go together are nobody's value.
            name = f"{block}.{MEMBER.sub('.', field)} is {wrong[3]}" if field else block
            lines.append(f"  {name}: {what.removeprefix('Value error, ')}")
        elif line and not line.startswith(" "):
            field = line
    return "these parameters are wrong:\n" + "\n".join(lines) if lines else text
