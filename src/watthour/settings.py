"""What a person may set: ``watthour.toml``, then the environment; secrets never leave as plain text."""

from __future__ import annotations

import os
import sys
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.sources import InitSettingsSource, PydanticBaseSettingsSource

from watthour.core.errors import InvalidInput, NotConfigured

FILE_NAME = "watthour.toml"
EIA_REGISTRATION = "https://www.eia.gov/opendata/register.php"
_TEMPLATE_WORDS = ("your", "change", "replace", "example", "placeholder", "insert", "todo", "xxx", "<", "...", "none")
_FEWEST_SYMBOLS = 3  # a key of one or two different characters was typed, not issued


def is_placeholder(secret: str) -> bool:
    """Tell a template's filling, such as ``your_key_here``, from a real secret.

    >>> is_placeholder("your_eia_api_key_here"), is_placeholder("8f14e45fceea167a5a36dedd4bea2543")
    (True, False)
    """
    text = secret.strip().casefold()
    return text.startswith(_TEMPLATE_WORDS) or text.endswith("_here") or len(set(text)) < _FEWEST_SYMBOLS


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
    eia_api_key: SecretStr | None = Field(None, validation_alias=AliasChoices("eia_api_key"))
    reload_token: SecretStr | None = None
    api_key: SecretStr | None = None  # asked of every caller; without it the API opens on loopback only
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()  # names under which the API may be called, beyond its own
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()  # other web pages that may call the API

    eia_url: str | None = None
    eia_bulk_url: str | None = None
    open_meteo_url: str | None = None
    nyiso_url: str | None = None

    ingest_every_hours: int = Field(1, ge=1, le=24)
    refresh_every_hours: int = Field(1, ge=1, le=24)
    issue_hour: int = Field(8, ge=0, le=23)  # local clock of the day before
    train_every_days: int = Field(7, ge=1, le=365)
    frozen_days: int = Field(42, ge=14, le=365)  # last days kept out of training, on which models are compared
    recipe: str = "day_process"
    simulate: bool = True  # make a simulated region while nothing real is there
    log_format: str = Field("auto", pattern="^(auto|json|text)$")

    @field_validator("regions", "allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("database_url", "mlflow_tracking_uri", "eia_api_key", "reload_token", "api_key", mode="before")
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def file(self) -> Path | None:
        """The settings file in force, if there is one."""
        return settings_file(self.home)

    def store_url(self) -> str:
        """Return where the store is: ``DATABASE_URL``, else a SQLite file in the home."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'watthour.db'}"

    def has_eia_key(self) -> bool:
        """Tell whether a real key of EIA is set; a placeholder is none."""
        return self.eia_api_key is not None and not is_placeholder(self.eia_api_key.get_secret_value())

    def require_eia_key(self) -> str:
        """Return EIA's key.

        Raises:
            NotConfigured: it is missing or a placeholder; says where to register and how to do without.
        """
        if self.eia_api_key is not None and self.has_eia_key():
            return self.eia_api_key.get_secret_value()
        remedy = (
            f"Register for a free key at {EIA_REGISTRATION} and set EIA_API_KEY; without a key, download EIA's "
            "six-month files and run `watthour import EIA930_BALANCE_2024_Jan_Jun.csv --region ny`."
        )
        shown = None if self.eia_api_key is None else "(hidden)"
        problem = "no key is set" if shown is None else "this is a placeholder, not a key"
        raise NotConfigured("EIA_API_KEY", shown, problem, remedy=remedy)


def load_settings(**said: object) -> Settings:
    """Read the settings from arguments, the environment and ``watthour.toml``, in this order.

    Raises:
        InvalidInput: a value cannot be, a name is unknown, or the file is no TOML.
    """
    try:
        return Settings(**said)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise _first_fault(error) from None  # the chained error would show the value of a secret
    except tomllib.TOMLDecodeError as error:
        path = settings_file(Path(str(said.get("home") or home_directory())))
        raise InvalidInput(
            "settings file", str(path), f"it is no TOML: {error}", remedy="Mend that line, or run `watthour init`."
        ) from None


def _first_fault(error: ValidationError) -> InvalidInput:
    fault = error.errors(include_url=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else "settings"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(field, Settings.model_fields, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "docs/reference/settings.md lists what can be set."
        return InvalidInput(field, "(hidden)", "there is no such setting", remedy=hint)  # may be a misspelt secret
    known = Settings.model_fields.get(field)
    is_secret = known is not None and "SecretStr" in str(known.annotation)
    return InvalidInput(
        field,
        "(hidden)" if is_secret else fault["input"],
        fault["msg"][:1].lower() + fault["msg"][1:],
        remedy=f"Set {field} in {FILE_NAME}, or {environment_name(field)} in the environment.",
    )


def environment_name(field: str) -> str:
    """Return the environment variable that sets a field."""
    known = Settings.model_fields.get(field)
    return field.upper() if known is not None and known.validation_alias is not None else f"WATTHOUR_{field.upper()}"
