"""The documentation is true: its examples run and its links lead somewhere."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    # A fence closes an example; doctest would take it for expected output.
    text = re.sub(r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(examples)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert broken == []


def test_no_page_is_lost() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    lost = [
        str(page)
        for page in PAGES
        if page.is_relative_to(ROOT / "docs")
        and page.name != "README.md"
        and str(page.relative_to(ROOT / "docs")) not in index
    ]
    assert lost == []


def test_the_figures_of_the_readme_and_the_docs_are_those_of_the_committed_results() -> None:
    spec = importlib.util.spec_from_file_location("write_figures", ROOT / "scripts" / "write_figures.py")
    assert spec is not None
    assert spec.loader is not None
    write_figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write_figures)
    for page in write_figures.PAGES:
        written = page.read_text(encoding="utf-8")
        assert write_figures.filled(written) == written


def test_every_page_of_the_docs_that_the_package_names_exists() -> None:
    named = {
        (page, path.relative_to(ROOT).as_posix())
        for path in (ROOT / "src").rglob("*.py")
        for page in re.findall(r"docs/[\w/.-]*?\.md", path.read_text(encoding="utf-8"))
    }
    assert named
    assert sorted(each for each in named if not (ROOT / each[0]).is_file()) == []
