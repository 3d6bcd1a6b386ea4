from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput, NotConfigured
from watthour.settings import FILE_NAME, is_placeholder, load_settings

if TYPE_CHECKING:
    from pathlib import Path

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
    assert not settings.has_eia_key()


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
    assert settings.eia_api_key is None


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


def test_a_missing_key_says_where_to_register_and_names_the_way_without(home: Path) -> None:
    with pytest.raises(NotConfigured, match=r"opendata/register.*six-month") as caught:
        load_settings().require_eia_key()
    assert caught.value.field == "EIA_API_KEY"
    assert caught.value.value is None
    assert home.exists()


def test_a_placeholder_key_is_told_from_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIA_API_KEY", "your_api_key_here")
    with pytest.raises(NotConfigured, match="placeholder") as caught:
        load_settings().require_eia_key()
    assert "your_api_key_here" not in str(caught.value)
    assert home.exists()


def test_a_real_key_is_returned(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIA_API_KEY", "8f14e45fceea167a5a36dedd4bea2543")
    assert load_settings().require_eia_key() == "8f14e45fceea167a5a36dedd4bea2543"
    assert home.exists()


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
