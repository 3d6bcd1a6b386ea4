"""Whether the words of equipment are of the kind they must be: a file that a person wrote may hold anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from watthour.core.errors import InvalidInput
from watthour.core.plan import Weights

_MOST = 1e6  # of any number; less is checked where it is used
_KINDS = ("appliances", "cars", "batteries", "heats")
_TEXTS = {"name", "device", "channel"}
_SWITCHES = {"on_request", "is_interruptible"}
_COUNTS = {"runs", "hours"}
_LISTS = {"profile_kw", "weekdays"}
_NUMBERS = ("_kw", "_kwh", "_c", "_price", "_per_k", "efficiency", "minutes", "only_below", "gain")  # how names end


def check_words(said: Mapping[str, Any]) -> None:
    """Check the kind of every value.

    Raises:
        InvalidInput: one is of another kind; names it with the cure.
    """
    for kind in _KINDS:
        _check_things(kind, said.get(kind))
    _check_weights(said.get("weights"))
    _check_solar(said.get("solar"))
    for name in ("import_limit_kw", "hours", "gain"):
        if said.get(name) is not None:
            _check_value(name, name, said[name])


def _check_things(kind: str, things: object) -> None:
    if things is None:
        return
    if not isinstance(things, (list, tuple)):
        raise _fault(kind, things, "it is no list", f"Write it as a list of tables: [[{kind}]] in a TOML file.")
    for number, thing in enumerate(things):
        said = _table(f"{kind}.{number}", thing)
        name = said.get("name")
        place = f"{kind}.{name if isinstance(name, str) else number}"
        for word, value in said.items():
            _check_value(f"{place}.{word}", word, value)


def _check_weights(weights: object) -> None:
    for name, value in ({} if weights is None else _table("weights", weights)).items():
        if name not in Weights.__slots__:
            known = ", ".join(Weights.__slots__)
            raise _fault(f"weights.{name}", value, "nothing goes by this name", f"There are: {known}.")
        _check_number(f"weights.{name}", value)


def _check_solar(solar: object) -> None:
    if solar is None:
        return
    channel = _table("solar", solar).get("channel")
    if not isinstance(channel, str):
        cure = 'Name a channel of the home, channel = "home.flat.solar.power", or leave solar out.'
        raise _fault("solar.channel", channel, "it is no name", cure)


def _table(place: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _fault(place, value, "it is no table", "Write it as a table of names and values.")
    return value


def _check_value(place: str, name: str, value: object) -> None:
    if value is None:
        return
    is_count = isinstance(value, int) and not isinstance(value, bool)
    rules = (
        (_TEXTS, isinstance(value, str), "it is no text", "Write it in quotes."),
        (_SWITCHES, isinstance(value, bool), "it is neither true nor false", "Write true or false."),
        (_COUNTS, is_count, "it is no whole number", "Write a whole number, without quotes."),
        (_LISTS, isinstance(value, (list, tuple)), "it is no list", "Write it in square brackets: [...]."),
    )
    for names, is_right, problem, cure in rules:
        if name in names and not is_right:
            raise _fault(place, value, problem, cure)
    if name == "profile_kw" and isinstance(value, (list, tuple)):
        for each in value:
            _check_number(place, each)
    elif name.endswith(_NUMBERS) and name not in _LISTS:
        _check_number(place, value)


def _check_number(place: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _fault(place, value, "it is no number", "Write a number, without quotes.")
    if not math.isfinite(value) or abs(value) > _MOST:
        raise _fault(place, value, "it is beyond any home", f"Give a number below {_MOST:g}.")


def _fault(place: str, value: object, problem: str, remedy: str) -> InvalidInput:
    return InvalidInput(place, value, problem, remedy=remedy)
