"""What a person may set: ``watthour.toml``, then the environment; secrets never leave as plain text.

What can be set of a connector is declared in the connector's own file; here is one block per connector, and how its
options are found in the file and in the environment.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError, TomlConfigSettingsSource
from pydantic_settings.sources import InitSettingsSource, PydanticBaseSettingsSource

from watthour.core.errors import InvalidInput
from watthour.sources.catalogue import option_blocks, options_class
from watthour.sources.options import Options, address_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE_NAME = "watthour.toml"


def home_directory() -> Path:
    """Return the one directory that holds everything: ``WATTHOUR_HOME``, or the platform's place for such things."""
    if named := os.environ.get("WATTHOUR_HOME", "").strip():
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "watthour"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "watthour"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "watthour"


def settings_file(home: Path) -> Path | None:
    """Return the settings file in force: the home's own, else the current directory's, else none."""
    return next((path for path in (home / FILE_NAME, Path.cwd() / FILE_NAME) if path.is_file()), None)


class PointBlock(BaseModel):
    """One of ``points`` of a site's block: where its weather is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    id: str
    latitude: float  # [degrees north]
    longitude: float  # [degrees east]
    weight: float = 1.0  # share of the site's load, beside those of the other points


class SiteBlock(BaseModel):
    """The block ``[sites.<id>]``: a site of one's own, whose description here wins over the store's."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    name: str | None = None  # its id, unless said
    kind: str  # home or region
    time_zone: str
    latitude: float | None = None  # [degrees north]
    longitude: float | None = None  # [degrees east]
    holidays: str | None = None  # such as FR, AU-NSW or TR+ramadan
    zone: str | None = None  # of the grid
    points: tuple[PointBlock, ...] = ()
    channels: tuple[str, ...] = ()  # name:unit:step, such as power:kW:30min
    main: str | None = None  # which of them is forecast; the first, unless said


class Settings(BaseSettings):
    """Everything that can be set; `docs/reference/settings.md` says each in a sentence."""

    model_config = SettingsConfigDict(
        env_prefix="WATTHOUR_", frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True
    )

    home: Path = Field(default_factory=home_directory)
    regions: Annotated[tuple[str, ...], NoDecode] = ("ny",)
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)

    database_url: SecretStr | None = Field(None, validation_alias=AliasChoices("database_url"))
    mlflow_tracking_uri: SecretStr | None = Field(None, validation_alias=AliasChoices("mlflow_tracking_uri"))
    reload_token: SecretStr | None = None
    api_key: SecretStr | None = None  # asked of every caller; without it the API opens on loopback only
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()  # names under which the API may be called, beyond its own
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()  # other web pages that may call the API

    influxdb_sink_url: str | None = None  # of a server of InfluxDB 3 that readings are written to as well
    influxdb_sink_token: SecretStr | None = None
    influxdb_sink_database: str = "watthour"
    influxdb_sink_channels: Annotated[tuple[str, ...], NoDecode] = ("*.carbon.*",)  # patterns of ids

    sources: dict[str, Options] = Field(default_factory=dict)  # by block, only those in which something is set

    sites: dict[str, SiteBlock] = Field(default_factory=dict)  # of one's own, by id

    ingest_every_hours: int = Field(1, ge=1, le=24)
    refresh_every_hours: int = Field(1, ge=1, le=24)
    issue_hour: int = Field(8, ge=0, le=23)  # local clock of the day before
    train_every_days: int = Field(7, ge=1, le=365)
    frozen_days: int = Field(42, ge=14, le=365)  # last days kept out of training, on which models are compared
    recipe: str = "day_process"
    simulate: bool = True  # make a simulated region while nothing real is there
    log_format: str = Field("auto", pattern="^(auto|json|text)$")

    @field_validator("regions", "allowed_hosts", "allowed_origins", "influxdb_sink_channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _gather_sources(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Put options written flat, such as ``eia_api_key``, into their block."""
        blocks = {name: dict(block) for name, block in _table_of(values.get("sources")).items()}
        kept = {name: value for name, value in values.items() if name != "sources"}
        for name in set(kept) - _field_names():
            if (place := _option_of(name)) is not None:
                blocks.setdefault(place[0], {}).setdefault(place[1], kept.pop(name))
        return {**kept, "sources": blocks}

    @field_validator("sources", mode="before")
    @classmethod
    def _read_blocks(cls, value: dict[str, dict[str, Any]]) -> dict[str, Options]:
        return {name: _read_block(name, block) for name, block in value.items()}

    @field_validator("sites", mode="before")
    @classmethod
    def _read_sites(cls, value: object) -> object:
        if not isinstance(value, dict) or not all(isinstance(block, dict | SiteBlock) for block in value.values()):
            remedy = 'Write [sites.my_home] and under it kind = "home" and time_zone = "Europe/Paris".'
            raise InvalidInput("sites", "(hidden)", "each site has a block of its own", remedy=remedy)
        return {name: _read_site(name, block) for name, block in value.items()}

    @field_validator(
        "database_url", "mlflow_tracking_uri", "reload_token", "api_key", "influxdb_sink_token", mode="before"
    )
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("influxdb_sink_url", mode="after")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return address_of(value, of="a server of InfluxDB 3", example="http://192.168.1.10:8181", has_path=True)

    @field_validator("recipe", mode="after")
    @classmethod
    def _known(cls, value: str) -> str:
        from watthour.forecasting.catalogue import ALONE

        if value not in ALONE:
            message = f"there is no such model to train; there are {', '.join(ALONE)}"
            raise ValueError(message)
        return value

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the settings file."""
        said = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        file = settings_file(Path(str(said.get("home") or home_directory())))
        toml = TomlConfigSettingsSource(settings_cls, toml_file=file)
        return init_settings, env_settings, _SourcesEnvironment(settings_cls), toml

    @property
    def file(self) -> Path | None:
        """The settings file in force, if there is one."""
        return settings_file(self.home)

    def store_url(self) -> str:
        """Return where the store is: ``DATABASE_URL``, else a SQLite file in the home."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'watthour.db'}"


class _SourcesEnvironment(PydanticBaseSettingsSource):
    """Options of connectors in the environment: ``WATTHOUR_<BLOCK>_<OPTION>``, a key also without the prefix."""

    def get_field_value(self, field: object, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        blocks: dict[str, dict[str, str]] = {}
        for name, value in os.environ.items():
            bare = name.upper().removeprefix("WATTHOUR_").lower()
            place = _option_of(bare) if value.strip() else None
            if place is not None and (bare != name.lower() or _is_secret(*place)):
                blocks.setdefault(place[0], {})[place[1]] = value
        return {"sources": blocks} if blocks else {}


def _option_of(name: str) -> tuple[str, str] | None:
    """Return block and option of a flat name such as ``eia_bulk_url``: the longest block that has such an option."""
    for block, card in sorted(option_blocks().items(), key=lambda item: -len(item[0])):
        option = name.removeprefix(f"{block}_")
        if option != name and option in options_class(card).model_fields:
            return block, option
    return None


def _is_secret(block: str, option: str) -> bool:
    return "SecretStr" in str(options_class(option_blocks()[block]).model_fields[option].annotation)


def _read_block(name: str, block: Mapping[str, object]) -> Options:
    """Check the options of a connector.

    Raises:
        InvalidInput: there is no such connector or option, or a value cannot be.
    """
    known = option_blocks()
    if name not in known:
        near = get_close_matches(name, known, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(sorted(known))}."
        raise InvalidInput(f"sources.{name}", "(hidden)", "there is no such source", remedy=hint)
    options = options_class(known[name])
    try:
        return options.model_validate(dict(block))
    except ValidationError as error:
        raise _fault_in_block(name, options, error) from None  # the chained error would show the value of a secret


def _read_site(name: str, block: Mapping[str, object] | SiteBlock) -> SiteBlock:
    """Check the block of a site of one's own, as far as it can be without its neighbours.

    Raises:
        InvalidInput: a field is missing or unknown, or a value has the wrong type.
    """
    try:
        return SiteBlock.model_validate(block)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join([f"sites.{name}", *(str(part) for part in fault["loc"])])
        known = PointBlock if len(fault["loc"]) > 1 and fault["loc"][0] == "points" else SiteBlock
        remedy = f"Mend [sites.{name}] in {FILE_NAME}, which takes: {', '.join(known.model_fields)}."
        problem = fault["msg"][:1].lower() + fault["msg"][1:]
        shown = None if fault["type"] == "missing" else _shown(fault["input"])
        if fault["type"] == "extra_forbidden":
            problem = "there is no such setting of a site"
        raise InvalidInput(field, shown, problem, remedy=remedy) from None


def _fault_in_block(name: str, options: type[Options], error: ValidationError) -> InvalidInput:
    fault = error.errors(include_url=False)[0]
    option = str(fault["loc"][0]) if fault["loc"] else name
    field = f"sources.{name}.{option}"
    if fault["type"] == "extra_forbidden":
        remedy = f"[sources.{name}] has: {', '.join(options.model_fields)}."
        return InvalidInput(field, "(hidden)", "there is no such setting", remedy=remedy)
    shown = "(hidden)" if option in options.model_fields and _is_secret(name, option) else _shown(fault["input"])
    remedy = f"Set {option} under [sources.{name}] in {FILE_NAME}, or WATTHOUR_{name.upper()}_{option.upper()}."
    return InvalidInput(field, shown, fault["msg"][:1].lower() + fault["msg"][1:], remedy=remedy)


def _table_of(sources: object) -> dict[str, dict[str, object]]:
    """Return the blocks as they stand in the file.

    Raises:
        InvalidInput: they are no blocks.
    """
    if sources is None:
        return {}
    if not isinstance(sources, dict) or not all(isinstance(block, dict) for block in sources.values()):
        problem = "each source has a block of its own"
        raise InvalidInput("sources", "(hidden)", problem, remedy='Write [sources.eia] and under it api_key = "...".')
    return sources


def _field_names() -> set[str]:
    return set(Settings.model_fields)


def _flat_names() -> Iterator[str]:
    """Return every option of every connector as it may be written flat."""
    for block, card in option_blocks().items():
        yield from (f"{block}_{option}" for option in options_class(card).model_fields)


def load_settings(**said: object) -> Settings:
    """Read the settings from arguments, the environment and ``watthour.toml``, in this order.

    Raises:
        InvalidInput: a value cannot be, a name is unknown, or the file is no TOML.
    """
    try:
        return Settings(**said)  # type: ignore[arg-type]  # pydantic checks them
    except SettingsError as error:
        remedy = "Lists and blocks are written as JSON, or set in watthour.toml."
        raise InvalidInput("environment", "(hidden)", str(error), remedy=remedy) from None
    except UnicodeDecodeError:
        path = settings_file(Path(str(said.get("home") or home_directory())))
        raise InvalidInput(
            "settings file", str(path), "it is not written in UTF-8", remedy="Save it as UTF-8."
        ) from None
    except ValidationError as error:
        raise _first_fault(error) from None  # the chained error would show the value of a secret
    except tomllib.TOMLDecodeError as error:
        path = settings_file(Path(str(said.get("home") or home_directory())))
        raise InvalidInput(
            "settings file",
            str(path),
            f"it is not valid TOML: {error}",
            remedy="Correct that line, or run `watthour init`.",
        ) from None


def _first_fault(error: ValidationError) -> InvalidInput:
    fault = error.errors(include_url=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else "settings"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(field, [*Settings.model_fields, *_flat_names()], n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "docs/reference/settings.md lists what can be set."
        return InvalidInput(field, "(hidden)", "there is no such setting", remedy=hint)  # may be a misspelt secret
    known = Settings.model_fields.get(field)
    is_secret = known is not None and "SecretStr" in str(known.annotation)
    return InvalidInput(
        field,
        "(hidden)" if is_secret else _shown(fault["input"]),
        fault["msg"][:1].lower() + fault["msg"][1:],
        remedy=f"Set {field} in {FILE_NAME}, or {environment_name(field)} in the environment.",
    )


def _shown(value: object) -> object:
    """Return a value as an error may show it: no password of an address, and nothing of what is nested."""
    if isinstance(value, str):
        return re.sub(r"://[^/@\s]+@", "://(hidden)@", value)
    return value if isinstance(value, int | float | None) else "(hidden)"


def environment_name(field: str) -> str:
    """Return the environment variable that sets a field."""
    known = Settings.model_fields.get(field)
    return field.upper() if known is not None and known.validation_alias is not None else f"WATTHOUR_{field.upper()}"
