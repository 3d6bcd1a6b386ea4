"""What every page must be for everybody, once it has come to rest, and what it keeps for days without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_MS = 60_000  # the first answers of a server that was just started, on a busy machine
SMALL_PHONE = {"width": 320, "height": 640}
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
# A button that has just been enabled fades into its colours, which are judged when it has.
_SETTLED = "Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))"
# What is touched is 24 pixels wide and high, or stands alone; that rule has to be asked for.
_RULES = "(part) => axe.run(part, { rules: { 'target-size': { enabled: true } } })"
# The furthest that something reaches, that is no part of a box which is scrolled sideways by itself.
_REACHES = """() => {
  const ends = [0];
  const visit = (box) => {
    const { width, height, right } = box.getBoundingClientRect();
    if (width > 1 && height > 1) ends.push(right);
    if (!['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) [...box.children].forEach(visit);
  };
  visit(document.body);
  return Math.max(...ends);
}"""
_KEPT = """async ([wanted, patience]) => {
  for (const end = performance.now() + patience; ; ) {
    const answers = await caches.open('watthour-answers');
    const paths = (await answers.keys()).map(({ url }) => new URL(url).pathname);
    if (wanted.every((words) => paths.some((path) => path.includes(words)))) return paths;
    if (performance.now() > end) throw Error(`${wanted} are not kept, but ${paths}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}"""


def check_rules(page: Page, part: str = "html") -> None:
    """Nothing keeps somebody out; of a page whose context was opened with ``bypass_csp``."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in web")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(_SETTLED)
    found = page.evaluate(_RULES, part)["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def is_narrow(page: Page) -> bool:
    """Tell whether nothing is wider than the screen."""
    width = page.evaluate("window.innerWidth")
    return bool(
        page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(_REACHES) <= width + 0.5
    )


def check_look(page: Page) -> None:
    """Nothing to be scrolled sideways, and nothing that keeps somebody out."""
    check_rules(page)
    assert is_narrow(page)


def go_to(page: Page, name: str) -> None:
    """Open a page as a person does: by its link, behind *More* where the screen has no room for it."""
    pages = page.get_by_role("navigation", name="Pages")
    link, more = pages.get_by_role("link", name=name), pages.get_by_role("button", name="More")
    expect(link.or_(more).first).to_be_visible()
    if not link.is_visible():
        more.click()
    link.click()


def kept(page: Page, *wanted: str) -> set[str]:
    """Wait until answers of the API with these words in their paths are kept, and return the paths of all that are."""
    return set(page.evaluate(_KEPT, [list(wanted), PATIENCE_MS]))
