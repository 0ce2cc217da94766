"""Report, documentation, lineage and comparison of runs as a browser shows them.

Each page is opened in the Chromium of this machine, and pictures of the screen are left in `screenshots/`. Nothing but this
machine can be reached from the browser.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.pdf import find_browser
from tests.conftest import ROOT
from tests.e2e.command import client_of
from tests.e2e.test_lineage import keys
from tests.servers import free_port, start

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "screenshots"
HERE = ("file:", "data:", "blob:", "http://127.0.0.1:")
PATIENCE = 60_000  # milliseconds
# Width and height of what a reader's window shows.
SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        path = find_browser()
    except FashionDGMError:
        pytest.skip("no browser of the Chromium family on this machine (Debian's package: chromium)")
    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        yield browser
        browser.close()


class Visit:
    """A window of the browser, and what went wrong in it."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(PATIENCE)
        context.route("**/*", lambda route: route.continue_() if self._is_here(route.request.url) else route.abort())
        self.page: Page = context.new_page()
        self.outside: list[str] = []
        self.exceptions: list[str] = []
        self.console: list[str] = []
        self.page.on("pageerror", lambda error: self.exceptions.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.console.append(message.text))

    def _is_here(self, url: str) -> bool:
        if not url.startswith(HERE):
            self.outside.append(url)
        return url.startswith(HERE)

    def pictures_without_pixels(self) -> list[str]:
        return self.page.evaluate(
            "[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.currentSrc.slice(0, 200))"
        )

    def formulas_without_size(self) -> int:
        return self.page.evaluate(
            "[...document.querySelectorAll('math')].filter(m => !(m.getBoundingClientRect().height > 4)).length"
        )

    def is_wider_than_its_window(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def keep(self, name: str) -> None:
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def assert_flawless(self) -> None:
        """What may be asked of pages of our own."""
        assert (self.exceptions, self.console, self.outside) == ([], [], [])
        assert self.pictures_without_pixels() == []
        assert self.formulas_without_size() == 0
        assert not self.is_wider_than_its_window()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport=SCREEN)
    yield Visit(context)
    context.close()


@contextmanager
def served(*command: str) -> Iterator[str]:
    """Starts a server, to whose command a free port is added, and yields its address."""
    process = start(port := free_port(), *command, str(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def test_report(finished: Path, visit: Visit) -> None:
    visit.page.goto((finished / "data" / "08_reporting" / "report.html").as_uri())
    assert visit.count("img") > 20
    visit.assert_flawless()
    chapters = visit.page.locator("section[id]")
    assert chapters.count() > 8
    for number in range(chapters.count()):
        chapter = chapters.nth(number)
        chapter.evaluate("element => element.scrollIntoView({behavior: 'instant'})")
        visit.keep(f"report-{number:02}-{chapter.get_attribute('id')}")
    visit.page.set_viewport_size(PHONE)
    visit.assert_flawless()
    visit.keep("report-phone")


@pytest.mark.parametrize(
    ("name", "formulas", "pictures"),
    [
        ("index", 0, 0),
        ("tutorial", 0, 2),
        ("pipelines", 0, 0),
        ("theory/change-of-variables", 40, 1),
        ("theory/vanishing-gradients", 40, 2),
        ("theory/wasserstein", 60, 1),
        ("how-to/mlflow", 0, 2),
        ("source/tests/theory/test_wasserstein", 0, 0),
    ],
)
def test_documentation(site: Path, visit: Visit, name: str, formulas: int, pictures: int) -> None:
    visit.page.goto((site / f"{name}.html").as_uri())
    assert visit.count("math") >= formulas
    assert visit.count("article img") >= pictures
    visit.assert_flawless()
    if formulas:
        assert visit.page.evaluate("document.fonts.check('16px \"STIX Two Math\"')")
    visit.keep(f"docs-{name.replace('/', '-')}")


def test_documentation_fits_a_phone(site: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    wide = []
    for path in sorted(site.rglob("*.html")):
        if path.name != "404.html" and "source" not in path.relative_to(site).parts:
            visit.page.goto(path.as_uri())
            if visit.is_wider_than_its_window():
                wide.append(path.name)
            assert visit.pictures_without_pixels() == [], path
    assert wide == []


def test_a_claim_is_followed_from_report_to_code_and_back_by_links_alone(
    finished: Path, site: Path, visit: Visit
) -> None:
    page, claim, test = visit.page, "clipping-biases-the-critic", "test_clipping_biases_the_critic"
    page.goto((finished / "data" / "08_reporting" / "report.html").as_uri())
    for target in (f"docs/theory/wasserstein.md#{claim}", f"tests/theory/test_wasserstein.py#{test}"):
        assert visit.count(f"a[href$='{target}']") > 0, target
    page.goto(f"{(site / 'theory' / 'wasserstein.html').as_uri()}#{claim}")
    page.get_by_role("link", name=f"::{test}").click()
    assert page.url.endswith(f"test_wasserstein.html#{test}")
    page.locator(f"a[href$='wasserstein.html#{claim}']").first.click()
    assert page.url.endswith(f"wasserstein.html#{claim}")
    page.get_by_role("link", name="fashion_dgm.gans.lipschitz", exact=True).click()
    # A page as long as this one is not there at once.
    page.wait_for_selector("h2#clip_weights", state="attached")
    assert visit.count("h2#clip_weights") == 1
    page.get_by_role("link", name="docs/theory/wasserstein.md").first.click()
    assert page.url.endswith("theory/wasserstein.html")
    assert visit.console == []


def test_lineage(lineage: Path, visit: Visit) -> None:
    # Or its first visitors see a tour instead.
    visit.page.add_init_script("localStorage.setItem('KedroViz', JSON.stringify({showFeatureHints: false}))")
    with served("http.server", "--bind", "127.0.0.1", "--directory", str(lineage)) as address:
        visit.page.goto(f"{address}/?pid=train_gan")
        visit.page.wait_for_selector(".pipeline-node")
        assert visit.count(".pipeline-node") > 10
        visit.page.goto(f"{address}/?pid=train_gan&sid={keys(lineage)['train_gan.train_gan']}")
        visit.page.get_by_text("kedro run --env test --to-nodes='train_gan.train_gan'").wait_for()
        visit.page.get_by_text("gan_strip_figure", exact=True).first.click()
        visit.page.wait_for_selector("img.pipeline-metadata__plot-image")
        visit.page.wait_for_function("document.images[0].naturalWidth > 0")
        visit.keep("lineage")
    assert (visit.exceptions, visit.console, visit.outside) == ([], [], [])


def printed_link() -> str:
    """What the Makefile prints, without the address of the server."""
    found = re.search(r"^COMPARISON := http://127.0.0.1:5000(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].replace("\\#", "#")


FIRST = (
    *("loss_discriminator", "loss_generator"),
    *("classifier_distance_to_test", "classifier_distance_to_benchmark"),
    *("gradient_norm_discriminator", "gradient_norm_generator"),
)


def test_the_printed_link_begins_with_the_charts_that_matter(finished: Path, visit: Visit) -> None:
    page, database = visit.page, client_of(finished).tracking_uri
    # As high as these charts, since MLflow draws none that is out of sight; wider, since fonts differ by machine.
    page.set_viewport_size({"width": SCREEN["width"] + 400, "height": 2400})
    with served("mlflow", "ui", "--backend-store-uri", database, "--workers", "1", "--port") as address:
        page.goto(address + printed_link())
        page.wait_for_selector("text=train_wgan (gradient_norm_generator)")
        page.wait_for_selector("h4:text-is('samples')")
        page.wait_for_function(
            "[...document.images].filter(i => i.src.includes('images') && i.naturalWidth).length > 1"
        )
        titles = page.locator("h4").all_inner_texts()
        assert [title for title in titles if title in (*FIRST, "samples")] == [*FIRST, "samples"]
        assert titles.index("samples") < min(n for n, title in enumerate(titles) if title.startswith("score"))
        for name in FIRST:
            assert not is_cut(page, f"h4:text-is('{name}')")
            for run in ("train_gan", "train_wgan"):
                assert not is_cut(page, f"span:text-is('{run} ({name})')")
        assert visit.pictures_without_pixels() == []
        visit.keep("mlflow-compare")
    assert visit.exceptions == []


def is_cut(page: Page, selector: str) -> bool:
    return page.locator(selector).first.evaluate("element => element.scrollWidth > element.clientWidth")
