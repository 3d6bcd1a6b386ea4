from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput, NotConfigured
from watthour.settings import FILE_NAME, load_settings
from watthour.sources.connectors import Connectors
from watthour.sources.eia import EiaOptions
from watthour.sources.options import is_placeholder

if TYPE_CHECKING:
    from pathlib import Path

KEY = "8f14e45fceea167a5a36dedd4bea2543"
OURS = ("DATABASE_URL", "EIA_API_KEY", "MLFLOW_TRACKING_URI", "WATTHOUR_PORT", "WATTHOUR_REGIONS", "WATTHOUR_HOST")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("WATTHOUR_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


def test_defaults_need_nothing(home: Path) -> None:
    settings = load_settings()
    assert settings.home == home
    assert settings.regions == ("ny",)
    assert settings.store_url() == f"sqlite:///{home / 'watthour.db'}"
    assert settings.sources == {}


def test_the_home_is_the_platforms_own_place_when_none_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATTHOUR_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.setattr("sys.platform", "linux")
    assert load_settings().home == home / "watthour"


def test_the_file_in_the_home_is_read(home: Path) -> None:
    (home / FILE_NAME).write_text('regions = ["pjm", "ny"]\nport = 8123\n')
    settings = load_settings()
    assert settings.regions == ("pjm", "ny")
    assert settings.port == 8123
    assert settings.file == home / FILE_NAME


def test_the_file_in_the_current_directory_is_read_when_the_home_has_none(home: Path, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("port = 8124\n")
    assert load_settings().port == 8124
    (home / FILE_NAME).write_text("port = 8125\n")
    assert load_settings().port == 8125


def test_the_environment_is_stronger_than_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / FILE_NAME).write_text("port = 8123\n")
    monkeypatch.setenv("WATTHOUR_PORT", "9000")
    monkeypatch.setenv("WATTHOUR_REGIONS", "ny, isne")
    settings = load_settings()
    assert settings.port == 9000
    assert settings.regions == ("ny", "isne")


def test_a_plain_host_variable_of_the_shell_is_not_ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "elsewhere")
    monkeypatch.setenv("PORT", "1")
    assert load_settings().host == "127.0.0.1"
    assert load_settings().home == home


def test_known_names_of_the_environment_need_no_prefix(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@db/watthour")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///m.db")
    settings = load_settings()
    assert settings.home == home
    assert settings.store_url() == "postgresql://someone:secret@db/watthour"
    assert settings.mlflow_tracking_uri is not None


def test_an_empty_variable_counts_as_not_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "  ")
    monkeypatch.setenv("EIA_API_KEY", "")
    settings = load_settings()
    assert settings.home == home
    assert settings.database_url is None
    assert settings.sources == {}


def test_secrets_are_never_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIA_API_KEY", "8f14e45fceea167a5a36dedd4bea2543")
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hunter2@db/watthour")
    shown = f"{load_settings()!r} {load_settings()}"
    assert "8f14e45f" not in shown
    assert "hunter2" not in shown
    assert str(home) in shown


@pytest.mark.parametrize("value", ["your_key_here", "YOUR-API-KEY", "changeme", "<key>", "xxxxxxxx", "key_here", "..."])
def test_a_template_filling_is_recognised(value: str) -> None:
    assert is_placeholder(value)


def eias_fault() -> NotConfigured:
    error = Connectors(load_settings().sources).lacks("eia")
    assert error is not None
    return error


def key_of_eia() -> str:
    options = load_settings().sources["eia"]
    assert isinstance(options, EiaOptions)
    return options.api_key.get_secret_value()


@pytest.mark.usefixtures("home")
def test_a_missing_key_says_where_to_register_and_names_the_way_without() -> None:
    error = eias_fault()
    assert "opendata/register" in str(error)
    assert "six-month" in str(error)
    assert error.field == "EIA_API_KEY"
    assert error.value is None


@pytest.mark.usefixtures("home")
def test_a_placeholder_key_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIA_API_KEY", "your_api_key_here")
    assert "placeholder" in str(eias_fault())
    assert "your_api_key_here" not in str(eias_fault())


@pytest.mark.parametrize("name", ["EIA_API_KEY", "WATTHOUR_EIA_API_KEY"])
@pytest.mark.usefixtures("home")
def test_a_key_comes_from_the_environment_with_and_without_prefix(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, KEY)
    assert key_of_eia() == KEY
    assert Connectors(load_settings().sources).lacks("eia") is None


@pytest.mark.parametrize("text", [f'eia_api_key = "{KEY}"', f'[sources.eia]\napi_key = "{KEY}"'])
def test_a_key_comes_from_the_file_in_its_block_or_flat(home: Path, text: str) -> None:
    (home / FILE_NAME).write_text(text)
    assert key_of_eia() == KEY


def test_an_option_in_the_environment_is_stronger_than_in_the_file_and_joins_the_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / FILE_NAME).write_text(f'eia_url = "http://file"\n[sources.eia]\napi_key = "{KEY}"\n')
    assert key_of_eia() == KEY
    assert load_settings().sources["eia"].model_dump()["url"] == "http://file"
    monkeypatch.setenv("WATTHOUR_EIA_URL", "http://environment")
    assert key_of_eia() == KEY
    assert load_settings().sources["eia"].model_dump()["url"] == "http://environment"


@pytest.mark.usefixtures("home")
def test_every_provider_has_its_address_and_the_longest_name_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EIA", "EIA_BULK", "OPEN_METEO", "NYISO", "ELIA"):
        monkeypatch.setenv(f"WATTHOUR_{name}_URL", f"http://{name.lower()}")
    urls = {block: options.model_dump()["url"] for block, options in load_settings().sources.items()}
    assert urls == {name: f"http://{name}" for name in ("eia", "eia_bulk", "open_meteo", "nyiso", "elia")}


def test_a_provider_can_be_switched_off(home: Path) -> None:
    (home / FILE_NAME).write_text("[sources.nyiso]\nenabled = false\n")
    assert not load_settings().sources["nyiso"].enabled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sources.ela]\nurl = 'x'", "elia"),
        ("[sources.tea_leaves]\nurl = 'x'", "open_meteo"),
        ("[sources.eia]\nkey = '8f14e45fceea'", "api_key"),
        ("[sources.nyiso]\nenabled = 'perhaps'", "WATTHOUR_NYISO_ENABLED"),
        ("[sources.eia]\napi_key = 12345678", "EIA"),
        ("sources = 'eia'", r"\[sources.eia\]"),
    ],
)
def test_a_block_that_cannot_be_is_named_and_secrets_stay_hidden(home: Path, text: str, words: str) -> None:
    (home / FILE_NAME).write_text(text)
    with pytest.raises(InvalidInput, match=words) as caught:
        load_settings()
    assert caught.value.field.startswith("sources")
    assert "8f14e45fceea" not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_a_value_that_cannot_be_names_field_value_and_cure(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATTHOUR_PORT", "70000")
    with pytest.raises(InvalidInput, match="WATTHOUR_PORT in the environment") as caught:
        load_settings()
    assert caught.value.field == "port"
    assert caught.value.value == "70000"
    assert home.exists()


def test_a_misspelt_setting_names_the_near_one_and_hides_its_value(home: Path) -> None:
    (home / FILE_NAME).write_text('eia_api_kee = "8f14e45fceea"\n')
    with pytest.raises(InvalidInput, match="eia_api_key") as caught:
        load_settings()
    assert "8f14e45fceea" not in str(caught.value)


def test_a_secret_that_cannot_be_is_hidden_in_the_error(home: Path) -> None:
    (home / FILE_NAME).write_text("database_url = 12345678\n")
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert "12345678" not in str(caught.value)
    assert caught.value.field == "database_url"


def test_a_broken_file_is_named_with_the_line(home: Path) -> None:
    (home / FILE_NAME).write_text("port = = 3\n")
    with pytest.raises(InvalidInput, match="line 1") as caught:
        load_settings()
    assert str(home / FILE_NAME) in str(caught.value)
