from pathlib import Path

import pytest

from trayport_sdk import Settings, TrayportClient, TrayportConfigurationError

KEY = "s3cret-key-of-a-trader"


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TRAYPORT_{name.upper()}", raising=False)


def test_arguments_win_over_variables_and_variables_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TRAYPORT_TIMEOUT=11\nTRAYPORT_CONNECT_TIMEOUT=1\n")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "22")
    assert (Settings().timeout, Settings().connect_timeout) == (22, 1)
    assert Settings(timeout=33).timeout == 33


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRAYPORT_TIMEOUT", "soon"),
        ("TRAYPORT_TIMEOUT", "-1"),
        ("TRAYPORT_ANALYTICS_URL", "analytics.example"),
        ("TRAYPORT_ANALYTICS_URL", "http://[::1"),
        ("TRAYPORT_ANALYTICS_URL", "http://"),
        ("TRAYPORT_ANALYTICS_URL", "http://a:b"),
        ("TRAYPORT_ANALYTICS_URL", "http://exa mple"),
        ("TRAYPORT_REFERENCE_URL", "https://user:password@a.example"),
        ("TRAYPORT_REFERENCE_URL", "https://a.example/?k=1"),
        ("TRAYPORT_HTTP2", "perhaps"),
        ("TRAYPORT_API_KEY", "schlüssel"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_variable_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(TrayportConfigurationError, match=variable) as refused:
        Settings()
    if variable == "TRAYPORT_API_KEY":
        assert value not in str(refused.value)


def test_a_file_that_is_no_text_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"TRAYPORT_TIMEOUT=\xff\xfe")
    with pytest.raises(TrayportConfigurationError, match=r"\.env cannot be read"):
        Settings()


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_says_how_to_set_it(key: str | None) -> None:
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_API_KEY"):
        TrayportClient(key)


async def client_key(client: TrayportClient) -> str:
    async with client:
        key = client.settings.api_key
    assert key is not None
    return key.get_secret_value()


def test_the_key_comes_from_the_argument_or_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setenv("TRAYPORT_API_KEY", KEY)
    assert asyncio.run(client_key(TrayportClient())) == KEY
    assert asyncio.run(client_key(TrayportClient("another"))) == "another"
    assert asyncio.run(client_key(TrayportClient(settings=Settings(timeout=5)))) == KEY


def test_no_representation_shows_the_key() -> None:
    settings = Settings(api_key=KEY)
    client = TrayportClient(settings=settings)
    shown = [repr(settings), str(settings), repr(client), settings.model_dump_json()]
    assert not any(KEY in text for text in shown)
