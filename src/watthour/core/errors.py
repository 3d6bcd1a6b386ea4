"""Everything Watthour raises on purpose, in one tree.

WatthourError                 what happened, and the cure
├── InvalidInput              the caller said something that cannot be; names field and value
│   ├── UnknownName           nothing that is kept has this name: no zone, device, channel, thing
│   │   └── UnknownSite       no site has this name; lists near matches
│   ├── PlanImpossible        wishes contradict each other; names them, and what to relax
│   └── NotConfigured         a setting or key is missing
├── NoPlanFound               no plan was found, though there may be one
├── SourceError               a connector could not deliver
│   ├── SourceUnavailable     try later
│   ├── SourceRejected        the user must act (key, request)
│   └── PayloadChanged        we must act: the answer has an unexpected format
├── StoreError                the store cannot be used
│   ├── StoreFull             no space is left
│   ├── StoreLocked           another process is writing
│   ├── StoreReadOnly         nothing may be written
│   └── StoreTooNew           written by a newer version
├── NotEnoughHistory          nothing can be forecast from what is known
├── ModelError                a model cannot be used
│   ├── ModelNotFound         no such version
│   └── ModelCorrupt          the file differs from its manifest
└── MissingExtra              an optional dependency is not installed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence


class WatthourError(Exception):
    """Something went wrong that a person can mend: ``problem`` says what, ``remedy`` says how."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem.rstrip('.')}. {remedy}")


class InvalidInput(WatthourError):
    """The caller gave a value that cannot be; ``field`` and ``value`` say which."""

    def __init__(self, field: str, value: object, problem: str, *, remedy: str) -> None:
        self.field = field
        self.value = value
        super().__init__(f"{field} = {value!r}: {problem}", remedy=remedy)


class UnknownName(InvalidInput):
    """Nothing that is kept goes by this name."""


class UnknownSite(UnknownName):
    """No site goes by this name."""

    def __init__(self, name: str, near: Sequence[str], *, field: str = "region", lists: str | None = None) -> None:
        self.near = tuple(near)
        lists = lists or "`watthour regions` lists the regions, `watthour site list` what is in the store."
        hint = f"Did you mean {', '.join(near)}?" if near else lists
        problem = "no region or site has this name" if field == "region" else f"no {field} has this name"
        super().__init__(field, name, problem, remedy=hint)


class PlanImpossible(InvalidInput):
    """Wishes contradict each other; ``conflict`` are some of which none can be left out without solving it."""

    def __init__(self, conflict: Sequence[str], problem: str, *, remedy: str) -> None:
        self.conflict = tuple(conflict)
        super().__init__("wishes", ", ".join(conflict), problem, remedy=remedy)


class NoPlanFound(WatthourError):
    """No plan was found, though there may be one."""


class NotConfigured(InvalidInput):
    """A setting that this work needs is missing or still a placeholder."""


class SourceError(WatthourError):
    """A connector could not deliver.

    ``option`` names the setting to blame where it is known, such as ``token``; ``status`` is that of its HTTP answer.
    """

    def __init__(
        self, source: str, problem: str, *, remedy: str, option: str | None = None, status: int | None = None
    ) -> None:
        self.source = source
        self.option = option
        self.status = status
        super().__init__(f"{source}: {problem}", remedy=remedy)


class SourceUnavailable(SourceError):
    """The provider is down, slow or limits us: asking later can heal it."""


class SourceRejected(SourceError):
    """The provider refuses us: a key, a right or the request itself is wrong."""


class PayloadChanged(SourceError):
    """The provider answered in a shape this version does not know."""


class StoreError(WatthourError):
    """The store cannot be read or written."""


class StoreFull(StoreError):
    """No space is left on the device that holds the store; nothing acknowledged is lost."""


class StoreLocked(StoreError):
    """Another process holds the right to write for longer than we wait; reading goes on."""


class StoreReadOnly(StoreError):
    """The store can be read but not written."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of Watthour."""


class NotEnoughHistory(WatthourError):
    """Too little is known to forecast at all, not even by a baseline."""


class ModelError(WatthourError):
    """A saved model cannot be used."""


class ModelNotFound(ModelError):
    """The registry holds no such model or version."""


class ModelCorrupt(ModelError):
    """A model file differs from the hash in its manifest, so it is not loaded."""


class ModelFailed(ModelError):
    """The arithmetic of a model broke down on the values it was given."""

    @classmethod
    def by(cls, error: Exception) -> Self:
        """Return it with what broke down as its cause."""
        failure = cls(
            f"its arithmetic broke down ({type(error).__name__}: {error})",
            remedy="Look for values that cannot be (far too large, all the same), or choose another model.",
        )
        failure.__cause__ = error
        return failure


class MissingExtra(WatthourError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed", remedy=f"Install it with: pip install 'watthour[{extra}]'")
