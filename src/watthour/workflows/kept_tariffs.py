"""The tariffs of homes as they were said, each with the instant from which it holds; what was agreed before stays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.kept_file import KeptFile
from watthour.core.window import DAY, Window, local_midnight
from watthour.planning.tariff_words import read_tariff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from watthour.core.channel import Site
    from watthour.planning.tariffs import Tariff

FILE_NAME = "tariffs.json"
BEFORE_ALL, AFTER_ALL = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_VERSION = 2  # the first kept one tariff of each home, which holds at all times


@dataclass(frozen=True, slots=True)
class Term:
    """A tariff as it was said, and since when it holds."""

    since: datetime | None  # None: at all times before the next one
    said: Mapping[str, Any]


class Tariffs:
    """The tariffs of the homes of a home directory, each as it was said; a change by another process is seen at once.

    Args:
        home: the directory.
    """

    def __init__(self, home: Path) -> None:
        remedy = (
            "Mend it; update Watthour where a later version wrote it; or remove it and set the tariffs again: "
            "`watthour tariff set`."
        )
        self._file = KeptFile(home / FILE_NAME, _decoded, _encoded, what="tariffs file", remedy=remedy)

    def terms(self, home: str) -> tuple[Term, ...]:
        """Return the tariffs that a home has had, has and will have, the first one first.

        Raises:
            InvalidInput: the file is damaged.
        """
        return self._file.all().get(home, ())

    def said(self, home: str, at: datetime | None = None) -> Mapping[str, Any] | None:
        """Return the tariff of a home that holds at an instant, or the last one, as it was said; None: there is none.

        Raises:
            InvalidInput: the file is damaged.
        """
        term = self.term_at(home, at)
        return None if term is None else term.said

    def term_at(self, home: str, at: datetime | None = None) -> Term | None:
        """Return the term in which an instant lies, or the last one; None: there is none. Raises as ``said``."""
        begun = [each for each in self.terms(home) if at is None or each.since is None or each.since <= at]
        return begun[-1] if begun else None

    def keep(
        self, home: str, said: Mapping[str, Any], since: datetime | None = None, *, replaces_to: datetime | None = None
    ) -> None:
        """Keep a tariff from an instant until the next one, in place of the one that held from the same instant.

        Args:
            home: whose it is.
            said: the tariff.
            since: None: at all times before the next one.
            replaces_to: those that begin after ``since`` and before this are replaced as well; None: no other.

        Raises:
            InvalidInput: the file is damaged.
        """
        first, end = _begin(since), _begin(since) if replaces_to is None else replaces_to
        with self._file.changing() as tariffs:
            others = [
                each for each in tariffs.get(home, ()) if each.since != since and not first <= _begin(each.since) < end
            ]
            tariffs[home] = _in_order([*others, Term(since, said)])

    def forget(self, home: str) -> None:
        """Take the tariffs of a home away, if it has any.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as tariffs:
            tariffs.pop(home, None)


def _begin(since: datetime | None) -> datetime:
    return BEFORE_ALL if since is None else since


def _in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return terms, the first one first; raises ValueError where two begin at one instant."""
    found = tuple(sorted(terms, key=lambda each: _begin(each.since)))
    for before, after in pairwise(found):
        if before.since == after.since:
            when = "at all times" if before.since is None else f"from {before.since.isoformat()} on"
            message = f"two tariffs of one home hold {when}"
            raise ValueError(message)
    return found


def tariff_of(tariffs: Tariffs, home: Site, at: datetime | None = None) -> Tariff:
    """Return the tariff of a home that holds at an instant, or the last one.

    Raises:
        UnknownName: it has none, or none yet at that instant.
        InvalidInput: what is kept cannot be read.
    """
    term = tariffs.term_at(home.id, at)
    if term is None:
        raise no_tariff(tariffs, home)
    return read_tariff(term.said)


def no_tariff(tariffs: Tariffs, home: Site) -> UnknownName:
    """Return that a home has no tariff, or none before a day."""
    terms = tariffs.terms(home.id)
    remedy = f"Describe it in a file and set it: `watthour tariff set {home.id} tariff.toml`."
    if not terms or terms[0].since is None:
        return UnknownName("tariff", home.id, f"{home.name} has no tariff yet", remedy=remedy)
    first = f"{terms[0].since.astimezone(ZoneInfo(home.place.time_zone)):%Y-%m-%d}"
    remedy = (
        f"Set the one that held or holds until then, from its first day: `watthour tariff set {home.id} tariff.toml "
        f"--from DATE`. Or ask for days from {first} on."
    )
    return UnknownName("tariff", home.id, f"{home.name} has no tariff before {first}", remedy=remedy)


def tariffs_over(tariffs: Tariffs, home: Site, window: Window, step: timedelta) -> list[tuple[Window, Tariff]]:
    """Return the spans of a window in which one tariff holds, and which; a step goes by the tariff at its begin.

    Raises:
        UnknownName: the home has none in all of the window.
        InvalidInput: what is kept cannot be read.
    """
    terms = tariffs.terms(home.id)
    cuts = [window.start if each.since is None else _on_grid(each.since, window, step) for each in terms]
    edges = [min(max(cut, window.start), window.end) for cut in (*cuts, window.end)]
    spans = [
        (Window(first, last), read_tariff(term.said))
        for (first, last), term in zip(pairwise(edges), terms, strict=True)
        if first < last
    ]
    if not spans:
        raise no_tariff(tariffs, home)
    return spans


def one_currency(spans: Sequence[tuple[Window, Tariff]], home: Site) -> str:
    """Return the currency of a time in which tariffs follow each other.

    Raises:
        InvalidInput: there are several, of which there is no sum.
    """
    for (_span, before), (span, after) in pairwise(spans):
        if before.currency != after.currency:
            change = span.start.astimezone(ZoneInfo(home.place.time_zone))
            day = change.date()
            first = day if change == local_midnight(day, home.place.time_zone) else day + DAY
            problem = f"the tariff is in {before.currency} until {change:%Y-%m-%d %H:%M}, and in {after.currency} since"
            remedy = f"There is no sum of both. Ask for days up to {day - DAY}, or from {first} on."
            raise InvalidInput("start", span.start.isoformat(), problem, remedy=remedy)
    return spans[0][1].currency


def _on_grid(instant: datetime, window: Window, step: timedelta) -> datetime:
    return window.start - (window.start - instant) // step * step


def _decoded(content: bytes) -> dict[str, tuple[Term, ...]]:
    said = json.loads(content)
    version = said.get("version", 1)
    if version > _VERSION:
        message = f"a later version of Watthour wrote it, as version {version}"
        raise ValueError(message)
    if version == 1:
        return {str(home): (Term(None, dict(tariff)),) for home, tariff in said["tariffs"].items()}
    return {str(home): _in_order(_term(each) for each in terms) for home, terms in said["tariffs"].items()}


def _term(said: Mapping[str, Any]) -> Term:
    since = None if said["since"] is None else datetime.fromisoformat(said["since"])
    if since is not None and since.tzinfo is None:
        message = f"the time {said['since']} says no offset from UTC"
        raise ValueError(message)
    return Term(None if since is None else since.astimezone(UTC), dict(said["tariff"]))


def _encoded(tariffs: Mapping[str, tuple[Term, ...]]) -> str:
    told = {home: [terms_entry(each) for each in terms] for home, terms in sorted(tariffs.items())}
    return json.dumps({"version": _VERSION, "tariffs": told}, indent=2, ensure_ascii=False)


def terms_entry(term: Term) -> dict[str, object]:
    """Return a term as plain content."""
    return {"since": None if term.since is None else term.since.isoformat(), "tariff": dict(term.said)}
