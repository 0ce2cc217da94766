"""Parts of README and documentation that files and tests determine; `GOLDEN=write pytest tests/test_pages.py` writes them.

The tables over seeds and draws are made of the files in `docs/results/assigned`, `methods` and `families`. The main
results are those of `docs/results/headline.json`; what a page is checked by, the claims of `claims.yml` and the tests
whose docstrings name its headings; its sources, the entries of `references.yml` with this page.
"""

import ast
import functools
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import markdown
import pandas as pd
import pytest
import yaml
from scipy import stats

from fashion_dgm.reporting.chapter import chapter_template
from fashion_dgm.reporting.claims import CLAIMS
from tests.conftest import ROOT

ROWS: list[dict[str, Any]] = json.loads((ROOT / "docs" / "results" / "headline.json").read_text(encoding="utf-8"))
FIELDS = (
    *("model", "configuration", "metric", "features", "split", "n", "seeds", "mean", "sd"),
    *("epochs", "hardware", "commit", "command", "published", "page"),
)
RESULTS = ROOT / "docs" / "results"
MEASURES = {
    "distance_benchmark": ("Fréchet classifier distance", 2),
    "distance_test": ("the same, to the held-out images (`test`)", 2),
    "distance_infinite": ("extrapolated to infinite N", 2),
    "kid": ("KID", 3),
    **{name: (name, 3) for name in ("precision", "recall", "density", "coverage")},
}
THEORY = {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "theory").glob("*.md") if path.name != "index.md"}
REFERENCES = yaml.safe_load((ROOT / "src/fashion_dgm/reporting/references.yml").read_text(encoding="utf-8"))
CITING = {page for reference in REFERENCES.values() for page in reference.get("pages", ())}


def is_current(path: Path, name: str, text: str) -> bool:
    """Whether the part of a file between the two comments of this name is `text`; writes it first where asked to."""
    begin, end = f"<!-- Begin of {name}: GOLDEN=write pytest tests/test_pages.py -->", f"<!-- End of {name}. -->"
    before, rest = path.read_text(encoding="utf-8").split(begin)
    found, after = rest.split(end)
    if os.environ.get("GOLDEN") == "write":
        found = text
        path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
    return found.strip() == text


def headline(root: str) -> str:
    """The main results as a table, with links to pages below `root`."""
    columns = ("model", "metric, on the official test images", "result", "published", "epochs, seeds", "run")
    rows = [columns, ("---",) * len(columns), *(cells(row, root) for row in ROWS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cells(row: Mapping[str, Any], root: str) -> tuple[str, ...]:
    spread = "" if row["sd"] is None else f" ± {row['sd']}"
    seeds = f"{len(row['seeds'])} seed{'s' * (len(row['seeds']) > 1)}"
    return (
        f"{row['model']}, {row['configuration']}",
        row["metric"],
        f"{row['mean']}{spread}",
        row["published"] or "",
        seeds if row["epochs"] is None else f"{row['epochs']}, {seeds}",
        f"[{', '.join(f'`{commit}`' for commit in row['commit'].split(', '))}]({root}{row['page']})",
    )


@functools.cache
def evidence() -> Mapping[str, Mapping[str, list[str]]]:
    """`{page: {heading: [path#test]}}`, of tests whose docstrings name the heading."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for page, heading in re.findall(r"(docs/[\w/.-]+?\.md)#([\w-]+)", ast.get_docstring(node) or ""):
                    found[page][heading].append(f"{path.relative_to(ROOT)}#{node.name}")
    return found


def headings(page: str) -> Iterator[tuple[str, str]]:
    """Anchors and titles of a page's headings, but for its own, in order."""
    converter = markdown.Markdown(extensions=["toc", "pymdownx.superfences"])
    converter.convert((ROOT / page).read_text(encoding="utf-8"))
    (top,) = converter.toc_tokens
    waiting = list(top["children"])
    while waiting:
        token = waiting.pop(0)
        yield token["id"], token["name"]
        waiting[:0] = token["children"]


def checked_by(page: str) -> str:
    """A list of the headings with a claim: its text, tests, code, and chapters of the report."""
    root = os.path.relpath(ROOT, (ROOT / page).parent)
    entries = []
    for heading, title in headings(page):
        if heading not in evidence()[page]:
            continue
        links = [f"[`{test.replace('#', '::')}`]({root}/{test})" for test in evidence()[page][heading]]
        claims = [
            (chapter, claim)
            for chapter, found in CLAIMS.items()
            for claim in found
            if claim.page == f"{page}#{heading}"
        ]
        for code in dict.fromkeys(claim.code for _, claim in claims):
            module = code.partition(".py")[0].removeprefix("src/").replace("/", ".")
            links.append(f"code [`{module}`]({root}/{code})")
        links.extend(f'in the report "{chapter_template(chapter).title}"' for chapter, _ in claims)
        text = "; ".join(dict.fromkeys(claim.text for _, claim in claims)) or title
        entries.append(f"- [{text}](#{heading}):\n  " + ",\n  ".join(dict.fromkeys(links)))
    return "\n".join(entries)


def sources(page: str) -> str:
    """A list of the works that a page is based on, each with what the page takes from it."""
    cited = (reference for reference in REFERENCES.values() if page in reference.get("pages", ()))
    entries = (f"{reference['entry'].strip()} {reference['pages'][page] or ''}".strip() for reference in cited)
    return "\n".join(f"- {entry}" for entry in sorted(entries, key=str.casefold))


def over_seeds(folder: str, model: str, state: str, measure: str) -> pd.Series:
    """A measure of a model after its best or last epoch, by seed, of the runs in a folder of results."""
    paths = sorted((RESULTS / folder).glob("seed=*/sample_quality.csv"))
    tables = {path.parent.name: pd.read_csv(path).set_index(["model", "state"])[measure] for path in paths}
    return pd.Series({seed: table.get((model, state)) for seed, table in tables.items()}).dropna()


def mean_and_deviation(columns: Mapping[str, tuple[str, str]], epochs: int) -> list[str]:
    """A table of the mean ± standard deviation over seeds; `columns` are `{title: (folder, model)}`."""
    lines = [
        f"| mean ± standard deviation over the seeds | {' | '.join(columns)} |",
        f"| --- |{' --- |' * len(columns)}",
    ]
    for state, title in (("last", f"after epoch {epochs}"), ("best", "after the epoch that is best on `test`")):
        for measure, (name, digits) in MEASURES.items():
            found = [over_seeds(folder, model, state, measure) for folder, model in columns.values()]
            lines.append(f"| {name}, {title} | {' | '.join(spread(values, digits) for values in found)} |")
    return lines


def spread(values: pd.Series, digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"


def over_draws() -> str:
    """The shipped models over draws of their samples, and how far RealNVP is from the GAN with EMA."""
    models = {
        "GAN": ("gan", "last"),
        "GAN, EMA, 1e-3": ("gan_ema", "last"),
        "WGAN, clipped": ("wgan", "last"),
        "WGAN-GP, tuned": ("wgan_gp", "last"),
        "RealNVP": ("RealNVP", "flow"),
        "mixture flow": ("MixtureFlow", "flow"),
    }
    lines = [f"| over five draws | {' | '.join(models)} |", f"| --- |{' --- |' * len(models)}"]
    differences = []
    for measure in ("distance_benchmark", "kid", "precision", "recall", "density", "coverage"):
        name, digits = MEASURES[measure]
        found = {title: over_seeds("families", model, state, measure) for title, (model, state) in models.items()}
        lines.append(f"| {name} | {' | '.join(spread(values, digits) for values in found.values())} |")
        if measure in ("recall", "coverage"):
            difference = found["GAN, EMA, 1e-3"] - found["RealNVP"]
            low, high = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
            differences.append(f"{name} by {difference.mean():.3f} [{low:.3f}, {high:.3f}]")
    return "\n".join(
        [
            *lines,
            "",
            f"Compared with the GAN with EMA, RealNVP is behind in {' and in '.join(differences)} (Student's t over draws).",
        ]
    )


def assigned_seeds() -> str:
    """Both models of the assignment over seeds, and their difference paired by seed."""
    lines = mean_and_deviation({"GAN": ("assigned", "gan"), "WGAN, clipped": ("assigned", "wgan")}, 100)
    gan, wgan = (over_seeds("assigned", model, "last", "distance_benchmark") for model in ("gan", "wgan"))
    difference = wgan - gan
    test = stats.ttest_1samp(difference, 0)
    low, high = test.confidence_interval(0.95)
    lines += [
        "",
        f"The WGAN's distance after epoch 100 is larger by {difference.mean():.2f}, with a 95 % interval from {low:.2f} to "
        f"{high:.2f} (paired by seed, Student's t, degrees of freedom: {len(difference) - 1}): "
        f"{'they differ' if low > 0 or high < 0 else 'not decided'}.",
    ]
    return "\n".join(lines)


def test_tables_over_seeds() -> None:
    assert is_current(RESULTS / "gans.md", "the table over seeds", assigned_seeds())
    helped = "\n".join(mean_and_deviation({"GAN, EMA, learning rate 1e-3": ("methods", "gan")}, 50))
    assert is_current(RESULTS / "gans.md", "the table over seeds of the GAN with EMA", helped)
    assert is_current(RESULTS / "gans.md", "the table over draws", over_draws())


@pytest.mark.parametrize(("page", "root"), [("README.md", "docs/"), ("docs/index.md", "")])
def test_main_results(page: str, root: str) -> None:
    assert is_current(ROOT / page, "the main results", headline(root))


@pytest.mark.parametrize("page", sorted(evidence()))
def test_checked_by(page: str) -> None:
    assert is_current(ROOT / page, "the tests of this page", checked_by(page))
    untested = {heading for heading, _ in headings(page)} - evidence()[page].keys()
    assert page not in THEORY or untested == {"checked-by", "sources"}


@pytest.mark.parametrize("page", sorted(CITING))
def test_sources(page: str) -> None:
    assert is_current(ROOT / page, "the sources", sources(page))


def test_every_page_of_theory_has_claims_and_sources_and_every_test_of_them_names_one() -> None:
    assert evidence().keys() & CITING >= THEORY
    named = {test for headings in evidence().values() for tests in headings.values() for test in tests}
    for path in (ROOT / "tests" / "theory").glob("test_*.py"):
        names = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert path.name == "test_links.py" or {f"{path.relative_to(ROOT)}#{name}" for name in names} <= named


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['model']}, {row['metric']}")
def test_row_is_complete_and_on_its_page(row: dict[str, Any]) -> None:
    assert tuple(row) == FIELDS
    commits = row["commit"].split(", ")
    assert all(re.fullmatch("[0-9a-f]{7,40}", commit) for commit in commits)
    assert row["seeds"] and row["n"] and row["command"]
    path, _, section = row["page"].partition("#")
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    assert str(row["mean"]) in text and all(commit in text for commit in commits)
    assert section in re.sub(r"[^a-z0-9\n]+", "-", text.lower())
