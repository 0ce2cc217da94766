"""A hash of the code that a function or a module reaches within this package, and within its own if that is another.

Definitions are followed, not whole files: an import leads to the class, function or constant that it names, through the
re-exports of packages, and from there to all that this definition uses. Imports inside functions count, those under
`TYPE_CHECKING` don't. Nothing is imported. What is looked up by a string is not seen, unless the code that looks it up
imports it.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

__all__ = ["canonical", "code_version", "reached_code"]

PACKAGE = Path(__file__).parents[1]
PARSING_ATTEMPTS = 5

# A definition by its module and name; without a name, the module as a whole.
Target = tuple[str, str | None]

# Layout, and fields that not all versions of Python have (`type_params` goes with the other empty lists).
_IGNORED = {"ctx", "kind", "type_comment", "type_ignores"}


@cache
def code_version(*roots: str, package: Path = PACKAGE) -> str:
    """Returns twelve digits that change with the code reached from `roots`, not with documentation, comments or layout.

    Arguments:
        roots: `module` or `module:definition`.
        package: the folder of this package.

    Raises:
        ValueError: if a root doesn't exist.
    """
    text = "\n".join(f"{name} {code}" for name, code in sorted(reached_code(*roots, package=package).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reached_code(*roots: str, package: Path = PACKAGE) -> dict[str, str]:
    """Returns the definitions that `code_version` hashes, by `module:definition`, in the form of `canonical`.

    Statements that bind no name, and run whenever their module is imported, stand under `module:`.
    """
    sources, found, done = _Sources(package, roots), {}, set()
    waiting = [sources.root(root) for root in roots]
    while waiting:
        target = waiting.pop()
        if target in done:
            continue
        done.add(target)
        module, name = target
        if name is None:
            waiting.extend(sources.contents(module))
        for part in {name or "", ""}:
            statements = sources.statements(module, part)
            used = dict(sources.used(module, statements))
            if statements:
                found[f"{module}:{part}"] = f"{canonical(statements)} {sorted(used.items(), key=str)}"
            waiting.extend(each for each in used.values() if sources.path(each[0]))
    return found


def canonical(node: Any) -> str:
    """Returns a syntax tree as text that is the same in all versions of Python, without documentation and `pass`."""
    if isinstance(node, ast.JoinedStr):
        # Versions differ in whether neighbouring pieces of text are one.
        pieces = groupby(node.values, lambda value: isinstance(value, ast.Constant))
        texts = [["".join(str(c.value) for c in group)] if text else list(group) for text, group in pieces]  # type: ignore[attr-defined]
        return f"JoinedStr({canonical([piece for group in texts for piece in group if piece != ''])})"
    if isinstance(node, ast.AST):
        fields = ((name, canonical(getattr(node, name, None))) for name in sorted(node._fields) if name not in _IGNORED)
        return f"{type(node).__name__}({', '.join(f'{name}={text}' for name, text in fields if text)})"
    if isinstance(node, list):
        items = [canonical(item) for item in node if not _says_nothing(item)]
        return f"[{', '.join(items)}]" if items else ""
    return "" if node is None else ascii(node)


def _says_nothing(node: Any) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    # What pydantic's fields are for is documentation, too.
    return isinstance(node, ast.Pass) or (isinstance(node, ast.keyword) and node.arg == "description")


@dataclass(frozen=True)
class _Module:
    """The parts of a module.

    Arguments:
        definitions: the statements that bind a name; under "" those that bind none.
        imports: what each imported name stands for.
    """

    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Target] = field(default_factory=dict)


class _Sources:
    """The modules of this package and of those that roots are in, read when they are asked for."""

    def __init__(self, package: Path, roots: Iterable[str]) -> None:
        others = {root.partition(":")[0].partition(".")[0] for root in roots} - {package.name}
        self._places = {package.name: package, **{name: _place(name) for name in others}}
        self._modules: dict[str, _Module] = {}

    def root(self, name: str) -> Target:
        """Returns the target that `module` or `module:definition` names."""
        module, _, definition = name.partition(":")
        if self.path(module) is None or (definition and definition not in self._module(module).definitions):
            raise ValueError(f"there is no code called {name}")
        return module, definition or None

    def path(self, module: str) -> Path | None:
        """Returns the file of a module, None for one of another package."""
        first, *rest = module.split(".")
        place = self._places.get(first)
        if place is None:
            return None
        path = place.joinpath(*rest)
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        return path if path.is_file() else None

    def contents(self, module: str) -> Iterator[Target]:
        """Yields all that a module defines, or imports from the package."""
        parts = self._module(module)
        yield from ((module, name) for name in parts.definitions if name)
        yield from (target for target in map(self._resolved, parts.imports.values()) if self.path(target[0]))

    def statements(self, module: str, name: str) -> list[ast.stmt]:
        """Returns the statements that bind a name, or with "" those that bind none."""
        statements = self._module(module).definitions.get(name, [])
        return [statement for statement in statements if not _says_nothing(statement)]

    def used(self, module: str, statements: Iterable[ast.stmt]) -> Iterator[tuple[str, Target]]:
        """Yields the names of module level that statements use, as they are written and what they stand for."""
        parts = self._module(module)
        nested = (node for statement in statements for node in ast.walk(statement))
        imports = parts.imports | {name: target for node in nested for name, target in self._imported(module, node)}
        for first, *rest in (names for statement in statements for names in _dotted(statement)):
            if first in imports:
                written, target = first, self._resolved(imports[first])
                while rest and target[1] is None and self.path(target[0]):
                    written, target = f"{written}.{rest[0]}", self._resolved((target[0], rest.pop(0)))
                yield written, target
            elif first in parts.definitions:
                yield first, (module, first)

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            path = self.path(name)
            assert path is not None
            tree = _WithoutTypeChecking().visit(_parse(path.read_text(encoding="utf-8")))
            module = self._modules[name] = _Module()
            for statement in tree.body:
                outside = list(_outside_functions(statement))
                module.imports.update(bound for node in outside for bound in self._imported(name, node))
                if not isinstance(statement, ast.Import | ast.ImportFrom):
                    names = {bound for node in outside for bound in _bound(node)}
                    for each in names or {""}:
                        module.definitions.setdefault(each, []).append(statement)
        return self._modules[name]

    def _imported(self, module: str, node: ast.AST) -> Iterator[tuple[str, Target]]:
        """Yields the names that an import binds."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds a, `import a.b as c` binds c to a.b.
                name = alias.asname or alias.name.split(".")[0]
                yield name, (alias.name if alias.asname else name, None)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                path, names = self.path(module), module.split(".")
                depth = len(names) - node.level + (path is not None and path.stem == "__init__")
                origin = ".".join([*names[:depth], *filter(None, [node.module])])
            yield from ((alias.asname or alias.name, (origin, alias.name)) for alias in node.names)

    def _resolved(self, target: Target) -> Target:
        """Follows re-exports to where a name is defined; names of other packages stay as they are."""
        module, name = target
        if name is None or self.path(module) is None:
            return target
        parts = self._module(module)
        if name in parts.definitions:
            return target
        if name in parts.imports:
            return self._resolved(parts.imports[name])
        # A submodule, or what the module makes by `__getattr__` or imports by a star: then all of it.
        return (f"{module}.{name}" if self.path(f"{module}.{name}") else module), None


def _place(name: str) -> Path | None:
    """Returns the folder of a package or the file of a module, which is not imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)


class _WithoutTypeChecking(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        name = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", "")
        return node.orelse if name == "TYPE_CHECKING" else node


def _parse(source: str) -> ast.Module:
    for _ in range(PARSING_ATTEMPTS - 1):
        # Python counts the depth of all threads' parsing together, and fails if another one parses at the same time.
        with contextlib.suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)


def _outside_functions(statement: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a statement that belong to the scope it stands in."""
    yield statement
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(statement):
            yield from _outside_functions(child)


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _dotted(node: ast.AST) -> Iterator[list[str]]:
    """Yields names with the attributes asked of them, `a.b.c` as `[a, b, c]`."""
    attributes, base = [], node
    while isinstance(base, ast.Attribute):
        attributes.append(base.attr)
        base = base.value
    if isinstance(base, ast.Name):
        yield [base.id, *reversed(attributes)]
    else:
        for child in ast.iter_child_nodes(base if attributes else node):
            yield from _dotted(child)
