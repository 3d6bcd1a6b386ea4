"""All that a person's request needs, in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from watthour.bootstrap.files import Files
from watthour.bootstrap.listening import Listening
from watthour.bootstrap.opening import open_registry, open_store
from watthour.bootstrap.own_sources import OwnSources
from watthour.bootstrap.sinks import Sinks
from watthour.core.errors import InvalidInput, UnknownSite

if TYPE_CHECKING:
    from watthour.core.ports import Store
    from watthour.settings import Settings, SiteBlock


@dataclass(frozen=True)
class App(OwnSources, Listening, Sinks, Files):
    """Everything a person's request needs, opened once per process."""


def open_app(settings: Settings) -> App:
    """Open the store and the registry that the settings name.

    Raises:
        UnknownSite: the settings name a region that neither the store nor any directory knows.
        InvalidInput: a site that the settings describe cannot be.
        StoreError: the store cannot be opened.
        MissingExtra: the settings name an adapter that is not installed.
    """
    from watthour.store.telling import TellingStore
    from watthour.workflows.news import News

    news = News()
    store = cast("Store", TellingStore(open_store(settings), news.tell))
    app = App(settings, store, open_registry(settings), news)
    try:
        for name, block in settings.sites.items():
            _settle(app, name, block)
        _check_regions(app)
    except BaseException:
        app.close()
        raise
    return app


def _check_regions(app: App) -> None:
    from watthour.workflows.sites import find_context

    for name in app.settings.regions:
        try:
            find_context(app.store, app.directories, name)
        except UnknownSite:
            raise
        except InvalidInput:  # a site that is known and has no readings yet
            continue


def _settle(app: App, name: str, block: SiteBlock) -> None:
    """Let the store hold a site as the settings describe it."""
    from watthour.core.place import Point
    from watthour.workflows.own_sites import SiteWords, channel_words, settle_site

    said = block.model_dump(exclude={"points", "channels", "name"})
    try:
        points = [Point(**point.model_dump()) for point in block.points]
        channels = [channel_words(text) for text in block.channels]
        words = SiteWords(block.name or name, **said, id=name, points=points, channels=channels)
        settle_site(app.store, app.directories, words)
    except InvalidInput as error:
        problem = error.problem.removeprefix(f"{error.field} = {error.value!r}: ")
        raise InvalidInput(f"sites.{name}.{error.field}", error.value, problem, remedy=error.remedy) from error
