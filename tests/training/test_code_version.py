import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fashion_dgm.training.code_version import PACKAGE, code_version, reached_code

FLOW = ("fashion_dgm.flows.training:fit_flow", "fashion_dgm.flows.coupling_flow:RealNVP")
GAN = ("fashion_dgm.gans.training:train_gan", "fashion_dgm.gans.objectives:NON_SATURATING")
CLASSIFIER = ("fashion_dgm.classifier.training:train_classifier",)
TRAININGS = {"flow": FLOW, "gan": GAN, "classifier": CLASSIFIER}

Edit = Callable[[str, str, str], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's code, to be changed."""
    folder = tmp_path / "fashion_dgm"
    shutil.copytree(PACKAGE, folder, ignore=lambda path, names: {n for n in names if Path(n).suffix not in ("", ".py")})
    return folder


@pytest.fixture
def edit(copy: Path) -> Edit:
    def edit(file: str, old: str, new: str) -> None:
        path = copy / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        code_version.cache_clear()

    return edit


def changed(copy: Path) -> set[str]:
    return {name for name, roots in TRAININGS.items() if code_version(*roots, package=copy) != code_version(*roots)}


ALL = {"flow", "gan", "classifier"}
CHANGES = [
    # Pixels in another range: of the GAN's and the classifier's code, for flows dequantise by themselves.
    ("data/images.py", "div_(255.0)", "div_(127.5).sub_(1)", {"gan", "classifier"}),
    # The classifier that evaluates a GAN's epochs.
    ("classifier/network.py", "self.body(x).float()", "self.body(x).float() + 1", {"gan", "classifier"}),
    ("metrics/memorisation.py", "def nearest(", "def nearest(k: int, /, ", {"gan"}),
    ("data/augment.py", "def random_flip(", "def random_flip(k: int, /, ", {"classifier"}),
    ("flows/coupling.py", "promote_types(a.dtype", "promote_types(x.dtype", {"flow"}),
    ("gans/objectives.py", "def discriminator_loss(", "def discriminator_loss(w: int, /, ", {"gan"}),
    ("training/loop.py", "CHECK_EVERY = 200", "CHECK_EVERY = 100", ALL),
    ("config/training.py", "fused_optimizer: bool", "fused_optimizer: int", ALL),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), CHANGES, ids=[file for file, *_ in CHANGES])
def test_a_change_in_a_dependency_trains_anew_what_depends_on_it(
    file: str, old: str, new: str, expected: set[str], edit: Edit, copy: Path
) -> None:
    edit(file, old, new)
    assert changed(copy) == expected


DEVICE = "    device = images.device\n"
FAMILIES = "from fashion_dgm.flows.families import build_flow, code_of, make_flow\n"
STEP = 'class AdversarialStep(StatefulStep):\n    """'
TYPES = "if TYPE_CHECKING:\n"
NO_CHANGES = [
    ("gans/steps.py", STEP, f"{STEP}So: "),
    ("config/training.py", 'description="number of machines"', 'description="number of computers"'),
    ("training/loop.py", DEVICE, "    # Where they are.\n\n    device = (\n        images.device  # so\n    )\n"),
    ("flows/training.py", FAMILIES, FAMILIES.replace("import ", "import (").replace("make_flow", "make_flow,\n)")),
    ("flows/training.py", TYPES, f"{TYPES}    from fashion_dgm.gans.steps import AdversarialStep\n"),
    # What these trainings do not use: a RealNVP has no code of Residual Flow's.
    ("flows/residual_flow.py", "estimated = True", "estimated = not False"),
    ("gans/objectives.py", "def critic_loss(", "def critic_loss(w: int, /, "),
    ("data/images.py", "FASHION_CLASSES = (", "FASHION_CLASSES = ('none',"),
    ("config/data.py", "import re\n", "import re\n\nNEW = 1\n"),
]


def test_nothing_is_trained_anew_for_docstrings_comments_layout_types_and_other_code(edit: Edit, copy: Path) -> None:
    for change in NO_CHANGES:
        edit(*change)
    assert changed(copy) == set()


def made_up(tmp_path: Path, **modules: str) -> Path:
    package = tmp_path / "made_up"
    for name, text in {"__init__": "", **modules}.items():
        path = package.joinpath(*name.split("__")) if not name.startswith("__") else package / name
        path = path.with_suffix(".py") if not name.endswith("__init") else path.with_name("__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def test_what_is_reached(tmp_path: Path) -> None:
    package = made_up(
        tmp_path,
        a=(
            "import os\nfrom typing import TYPE_CHECKING\nimport made_up.b as b\nfrom made_up.sub import shown as s\n"
            "from . import e\nif TYPE_CHECKING:\n    from made_up.b import typed\n"
            "def f(x: typed):\n    from made_up.c import lazy\n    return s(b.one(os.sep)), lazy, TABLE, e.x\n"
            "TABLE = {}\nTABLE['k'] = 1\nclass Unused:\n    from made_up.c import unused\n"
        ),
        b="def one(x): return two(x)\ndef two(x): return three\nthree: int = 3\ndef typed(): pass\ndef four(): pass\n",
        c="def lazy(): pass\ndef unused(): pass\nprint('on import')\n",
        e="x = 5\ny = 6\n",
        sub__init="from made_up.sub.d import hidden as shown\n",
        sub__d="def hidden(x): return x\n",
    )
    assert sorted(reached_code("made_up.a:f", package=package)) == [
        "made_up.a:",
        "made_up.a:TABLE",
        "made_up.a:f",
        "made_up.b:one",
        "made_up.b:three",
        "made_up.b:two",
        "made_up.c:",
        "made_up.c:lazy",
        "made_up.e:x",
        "made_up.sub.d:hidden",
    ]
    assert "made_up.b:four" in reached_code("made_up.b", package=package)
    with pytest.raises(ValueError, match=r"no code called made_up\.b:five"):
        reached_code("made_up.b:five", package=package)


def test_a_module_of_ones_own_counts_with_what_it_uses_of_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit, copy: Path
) -> None:
    (tmp_path / "own_model.py").write_text("from fashion_dgm.flows import Logit\nlayer = Logit(1e-6)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert {"own_model:layer", "fashion_dgm.flows.preprocessing:Logit"} <= set(reached_code("own_model"))
    before = code_version("own_model", package=copy)
    edit("flows/preprocessing.py", "math.log(span)", "math.log(2 * span)")
    assert code_version("own_model", package=copy) != before


OTHER_IMPORTS = [
    ("made_up.b import x, y", "made_up.b import x as y, y as x"),
    ("math import sin as x, tan as y", "math import cos as x, tan as y"),
]


@pytest.mark.parametrize("imports", OTHER_IMPORTS)
def test_the_same_code_with_other_imports_is_a_change(imports: tuple[str, str], tmp_path: Path) -> None:
    versions = set()
    for each in imports:
        package = made_up(
            tmp_path / each,
            a=f"from {each}\ndef f(): return x(1) - y(1)\n",
            b="def x(_): return 1\ndef y(_): return 2\n",
        )
        versions.add(code_version("made_up.a:f", package=package))
    assert len(versions) == 2


# Of the fixture below, computed with CPython 3.11, 3.12 and 3.13.
DIGEST = "c06bdd62323b"
FIXTURE = Path(__file__).parent / "every_syntax"


def test_digest_is_that_of_other_python_versions() -> None:
    assert code_version("every_syntax.source", package=FIXTURE) == DIGEST


def test_a_thread_that_parses_at_the_same_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # python/cpython#106905: seen once, with MLflow in the other thread.
    errors, parse = iter([SystemError("AST constructor recursion depth mismatch"), None] * 1000), ast.parse

    def disturbed(source: str) -> ast.Module:
        if error := next(errors):
            raise error
        return parse(source)

    expected = code_version("fashion_dgm.flows.actnorm")
    monkeypatch.setattr(ast, "parse", disturbed)
    code_version.cache_clear()
    assert code_version("fashion_dgm.flows.actnorm") == expected
