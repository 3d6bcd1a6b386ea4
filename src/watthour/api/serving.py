"""The models that serve: loaded once, kept until another is promoted."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Literal

from watthour.core.channel import SiteKind
from watthour.core.errors import InvalidInput, ModelCorrupt, ModelNotFound
from watthour.workflows.forecast import Served, load_model, running_trial
from watthour.workflows.sites import contexts, find_context
from watthour.workflows.twenty_features import model_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.api.compute import Limits
    from watthour.bootstrap import App
    from watthour.core.forecast import Context
    from watthour.core.model import Trial

Purpose = Literal["forecast", "predict"]


@dataclass(frozen=True, slots=True)
class Role:
    """What a model does for a site."""

    context: Context
    serves: Purpose

    @property
    def name(self) -> str:
        """Its name in the registry."""
        channel = self.context.channel.id
        return channel if self.serves == "forecast" else model_name(channel)


class Models:
    """Loaded champions; safe to ask from several threads."""

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._shown: tuple[float, tuple[Context, ...]] = (-inf, ())
        self._versions: dict[str, tuple[float, str | None]] = {}
        self._lock = Lock()
        self._loaded: dict[str, Served] = {}
        self._asked_at: dict[str, float] = {}
        self._trials: dict[str, tuple[float, Trial | None]] = {}

    def version(self, role: Role) -> str | None:
        """Return the version that should serve, if any; a promotion is seen within a second."""
        asked_at, version = self._versions.get(role.name, (-inf, None))
        if monotonic() - asked_at > self._limits.state_lifetime_s:
            version = self._app.registry.champion(role.name)  # with MLflow this is a call over the network
            self._versions[role.name] = (monotonic(), version)
        return version

    def serving(self, role: Role) -> Served:
        """Return the champion, loaded; another one that was promoted meanwhile takes over.

        Raises:
            ModelNotFound: nothing serves.
            ModelCorrupt: its files are damaged, or are those of another channel's model.
        """
        return self._kept(role.name, role, self.version(role))

    def _kept(self, place: str, role: Role, version: str | None) -> Served:
        self._asked_at[place] = monotonic()
        kept = self._loaded.get(place)
        if kept is not None and kept.manifest.version == version:
            return kept
        with self._lock:
            kept = self._loaded.get(place)
            if kept is None or kept.manifest.version != version:
                kept = self._loaded[place] = self._load(role, version)
            for name in sorted(self._loaded, key=lambda each: -self._asked_at[each])[self._limits.models :]:
                del self._loaded[name]
            return kept

    def _load(self, role: Role, version: str | None) -> Served:
        """Load a model and make sure that it was trained for what it is asked."""
        served = load_model(self._app.registry, role.name, version)
        if served.manifest.name != role.name:
            raise ModelCorrupt(
                f"{served.manifest.version} is a model of {served.manifest.name}, not of {role.name}",
                remedy=f"Train one with `watthour train {role.context.site.id}`.",
            )
        return served

    def serving_or_none(self, role: Role) -> Served | None:
        """Return the champion, or None if nothing serves yet."""
        return None if self.version(role) is None else self.serving(role)

    def trial(self, role: Role) -> Trial | None:
        """Return the A/B trial that runs, if any; a new one is seen within a second."""
        asked_at, trial = self._trials.get(role.name, (-inf, None))
        if monotonic() - asked_at > self._limits.state_lifetime_s:
            trial = running_trial(self._app.registry, role.name)
            self._trials[role.name] = (monotonic(), trial)
        return trial

    def answering(self, role: Role, now: datetime) -> Served | None:
        """Return who answers now, loaded: in its hours of a trial the challenger, else the champion, if any.

        Raises:
            ModelError: it cannot be loaded; the forecast itself finds out why, and who answers instead.
        """
        trial = self.trial(role)
        if trial is None or not trial.is_challengers_turn(role.name, now):
            return self.serving_or_none(role)
        return self._kept(f"{role.name} on trial", role, trial.challenger)

    def roles(self, region: str | None = None) -> list[Role]:
        """Return what serves or could, for one region or all that are shown."""
        shown = [self.context(region)] if region is not None else self.shown()
        purposes: tuple[Purpose, ...] = ("forecast", "predict")
        return [Role(context, serves) for context in shown for serves in purposes]

    def context(self, name: str) -> Context:
        """Return what is forecast under any name of a site.

        Raises:
            UnknownSite: nothing goes by this name.
        """
        return find_context(self._app.store, self._app.directories, name)

    def shown(self) -> Sequence[Context]:
        """Return what is shown, real sites first; a new one appears within a second."""
        asked_at, known = self._shown
        if not known or monotonic() - asked_at > self._limits.state_lifetime_s:
            app = self._app
            known = tuple(contexts(app.store, app.directories, app.settings.regions))
            self._shown = (monotonic(), known)
        return known

    def predictor(self, region: str | None) -> Role:
        """Return who answers for a region; none need be named where there is only one, homes beside it not counted.

        Raises:
            UnknownSite: nothing goes by this name.
            InvalidInput: there are several regions, and none is named.
            ModelNotFound: there is no such model.
        """
        roles = [role for role in self.roles(region) if role.serves == "predict"]
        if region is None:
            roles = [role for role in roles if role.context.site.kind is SiteKind.REGION] or roles
        names = ", ".join(role.context.site.id for role in roles) or "any region"
        if len(roles) > 1:
            raise InvalidInput(
                "region",
                region,
                "there are several regions, and each has its own answer",
                remedy=f"Name one: {names}.",
            )
        for role in roles:
            if self.version(role) is not None:
                return role
        raise ModelNotFound(
            f"no model for 20 features serves {names} yet",
            remedy="Train one with `watthour train`; readings come by `watthour backfill` or `watthour import`. Only "
            "hourly loads can have one: of prices, net loads and other steps ask GET /api/v1/grid/{region}/forecast.",
        )

    def forget(self) -> dict[str, str]:
        """Let go of everything loaded; return the versions by name."""
        with self._lock:
            versions = {name: served.manifest.version for name, served in self._loaded.items()}
            self._loaded.clear()
            self._versions.clear()
            self._trials.clear()
            return versions
