from __future__ import annotations

import asyncio
import copy
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from trayport_spec import REQUEST_LIMITS

from trayport_sdk import Settings, TrayportClient, TrayportConfigurationError
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.settings import (
    PROFILES,
    SANDBOX_KEY,
    SANDBOX_PORT,
    checked_address,
    checked_store,
    variable,
    without_password,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "s3cret-key-of-a-trader"
STORE = "redis://worker:hunter2@cache.example:6379/0"
LOCAL = {"analytics_url": "http://127.0.0.1:9/a", "reference_url": "http://[::1]:9/r"}


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def key_of(settings: Settings) -> str | None:
    return None if settings.api_key is None else settings.api_key.get_secret_value()


def found(**arguments: Any) -> tuple[str | None, str]:
    """The key, and where it came from."""
    settings = Settings(**arguments)
    return key_of(settings), settings.origin("api_key")


# --- precedence and profiles


def test_arguments_win_over_variables_and_variables_over_the_file_and_the_file_over_the_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = Settings(profile="production")
    assert (profile.log_level, profile.origin("log_level")) == ("warning", "profile")
    Path(".env").write_text("TRAYPORT_LOG_LEVEL=error\n")
    file = Settings(profile="production")
    assert (file.log_level, file.origin("log_level")) == ("error", ".env")
    monkeypatch.setenv("TRAYPORT_LOG_LEVEL", "DEBUG")
    variable = Settings(profile="production")
    assert (variable.log_level, variable.origin("log_level")) == ("debug", "variable")
    argument = Settings(profile="production", log_level="info")
    assert (argument.log_level, argument.origin("log_level")) == ("info", "argument")


def test_without_anything_the_defaults_hold() -> None:
    settings = Settings()
    assert settings.api_key is None
    assert settings.timeout == 60
    assert {settings.origin(name) for name in Settings.model_fields} == {"default"}


def test_an_empty_variable_counts_as_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TRAYPORT_TIMEOUT=11\nTRAYPORT_DEAD_LETTER_FILE=\n")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "")
    monkeypatch.setenv("TRAYPORT_API_KEY", "  ")
    settings = Settings()
    assert (settings.timeout, settings.dead_letter_file, settings.api_key) == (11, None, None)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_can_be_chosen_by_argument_variable_or_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Settings(profile=name)
    for setting in PROFILES[name]:
        assert chosen.origin(setting) == "profile"
    with monkeypatch.context() as patch:
        patch.setenv("TRAYPORT_PROFILE", name.upper())
        assert not Settings().differences(chosen)
    Path(".env").write_text(f"TRAYPORT_PROFILE={name}\n")
    assert not Settings().differences(chosen)


def test_the_sandbox_profile_asks_the_sandbox_where_it_serves_by_default() -> None:
    settings = Settings(profile="sandbox")
    host = f"http://127.0.0.1:{SANDBOX_PORT}"
    assert settings.analytics_url == host + Sandbox.ANALYTICS_PATH
    assert settings.reference_url == host + Sandbox.REFERENCE_PATH
    assert key_of(settings) == SANDBOX_KEY


# --- what cannot work


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", "soon"),
        ("timeout", "-1"),
        ("timeout", "inf"),
        ("analytics_url", "analytics.example"),
        ("analytics_url", "http://[::1"),
        ("analytics_url", "http://"),
        ("analytics_url", "http://a:b"),
        ("analytics_url", "http://exa mple"),
        ("reference_url", "https://user:password@a.example"),
        ("reference_url", "https://a.example/?k=1"),
        ("http2", "perhaps"),
        ("dead_letter_file", "~nobody-of-this-name/failed.jsonl"),
        ("breaker_recovery", "1e300"),
        ("retry_budget", "86401"),
        ("api_key", "schlüssel"),
        ("profile", "prod"),
        ("max_connections", "0"),
        ("max_retries", "-1"),
        ("retry_cap", "0"),
        ("limiter_store", "postgres://host"),
        ("limiter_store", "redis://:hunter/2@host"),
        ("limiter_store", "redis://user:12?3@h"),
        ("limiter_fallback", "unlimited"),
        ("log_format", "xml"),
        ("requests_per_second", str(REQUEST_LIMITS.per_second + 1)),
        ("requests_per_minute", str(REQUEST_LIMITS.per_minute + 1)),
        ("requests_per_second", "0"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_variable_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(TrayportConfigurationError, match="the argument") as refused:
        Settings(**{name: value})
    assert str(refused.value).startswith(f"settings cannot be used: {name} ")
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(TrayportConfigurationError, match=variable(name)) as refused:
        Settings()
    if name in ("api_key", "limiter_store"):
        assert value not in str(refused.value)
        # Nor may what led to it hold the value.
        assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("retry_budget", 86400.5, "is longer than a day, 86400 seconds"),
        (
            "dead_letter_file",
            "~nobody-of-this-name/f.jsonl",
            r"~nobody-of-this-name/f\.jsonl begins",
        ),
    ],
)
def test_the_reason_says_what_is_wrong(name: str, value: Any, reason: str) -> None:
    with pytest.raises(TrayportConfigurationError, match=reason):
        Settings(**{name: value})
    assert Settings(retry_budget=86400).retry_budget == 86400


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TRAYPORT_HTTP2=perhaps\nTRAYPORT_ANALYTICS_URL=nowhere\n")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "soon")
    monkeypatch.setenv("TRAYPORT_REQUESTS_PER_SECOND", "1000")
    with pytest.raises(TrayportConfigurationError) as refused:
        Settings(max_concurrency=0)
    for part in (
        "timeout (variable TRAYPORT_TIMEOUT)",
        "http2 (.env, variable TRAYPORT_HTTP2)",
        "max_concurrency (the argument, or variable TRAYPORT_MAX_CONCURRENCY)",
        "TRAYPORT_ANALYTICS_URL",
    ):
        assert part in str(refused.value)


def test_an_argument_that_is_no_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(TrayportConfigurationError, match="timeot is no setting: did you mean time"):
        Settings(timeot=3)


def test_a_variable_that_is_nearly_one_of_ours_is_warned_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAYPORT_API_KY", KEY)
    with pytest.warns(UserWarning, match="did you mean TRAYPORT_API_KEY") as warned:
        Settings()
    assert warned[0].filename == __file__
    assert KEY not in str(warned[0].message)


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAYPORT_GATEWAY_HOME", "/opt/gateway")
    Path(".env").write_text("TRAYPORT_DESK=gas\nTIMEOUT=1\nOTHER=2\n")
    assert Settings().timeout == 60


def test_a_file_that_is_no_text_is_a_configuration_error() -> None:
    Path(".env").write_bytes(b"TRAYPORT_TIMEOUT=\xff\xfe")
    with pytest.raises(TrayportConfigurationError, match=r"\.env cannot be read"):
        Settings()


# --- limits


def test_three_quarters_of_the_documented_limits_are_the_default_and_all_of_them_may_be_set() -> (
    None
):
    limits, settings = REQUEST_LIMITS, Settings()
    assert settings.requests_per_second == limits.per_second * 3 // 4
    assert settings.requests_per_minute == limits.per_minute * 3 // 4
    full = settings.replace(requests_per_second=limits.per_second)
    assert full.requests_per_second == limits.per_second


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("127.8.9.1:8383", True), ("[::1]", True), ("localhost:1", True),
     ("x.invalid", True), ("10.0.0.1", False), ("localhost.example", False), ("example", False),
     ("128.0.0.1", False), ("[::2]", False)],
)  # fmt: skip
def test_only_hosts_on_this_machine_may_be_asked_more_often(host: str, is_here: bool) -> None:
    urls: dict[str, Any] = LOCAL | {"analytics_url": f"http://{host}"}
    if is_here:
        assert Settings(**urls, requests_per_second=1000).requests_per_second == 1000
    else:
        urls["allow_insecure_http"] = True
        with pytest.raises(TrayportConfigurationError, match="TRAYPORT_REQUESTS_PER_SECOND"):
            Settings(**urls, requests_per_second=1000)


@pytest.mark.parametrize("name", ["analytics_url", "reference_url"])
@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://far.example", True),
        ("http://127.0.0.1:8383/api", True),
        ("HTTP://localhost/api", True),
        ("http://desk.localhost", True),
        ("http://[::1]:1", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://sandbox.invalid", True),
        ("http://far.example", False),
        ("HTTP://far.example", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("http://[fd00::1]", False),
    ],
)
def test_plain_http_to_other_machines_has_to_be_allowed(
    name: str, address: str, is_safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Settings()
    monkeypatch.setenv(variable(name), address)
    if not is_safe:
        told = rf"{name} \(variable {variable(name)}\): .*TRAYPORT_ALLOW_INSECURE_HTTP"
        with pytest.raises(TrayportConfigurationError, match=told):
            Settings()
        with pytest.raises(TrayportConfigurationError, match="allow_insecure_http"):
            before.replace(**{name: address})
        monkeypatch.setenv("TRAYPORT_ALLOW_INSECURE_HTTP", "true")
    assert getattr(Settings(), name) == address


def test_both_hosts_must_be_on_this_machine() -> None:
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_REQUESTS_PER_MINUTE"):
        Settings(analytics_url=LOCAL["analytics_url"], requests_per_minute=10_000)


def test_settings_that_left_this_machine_may_not_keep_its_limits() -> None:
    fast = Settings(**LOCAL, requests_per_second=1000)
    with pytest.raises(TrayportConfigurationError, match="documented limit"):
        fast.replace(analytics_url="https://analytics.example")


# --- the key and other secrets


class Ring(KeyringBackend):
    """A keyring in memory, which counts how often it is asked."""

    priority = 1

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], str] = {}
        self.set_password("desk", "api_key", "from-keyring")
        self.asked = 0

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        if service == "locked":
            raise KeyringLocked("it is locked")
        return self.keys.get((service, username))


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_the_key_is_looked_for_in_one_place_after_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring: Ring
) -> None:
    key_file, secrets = tmp_path / "key", tmp_path / "secrets"
    key_file.write_text("\ufefffrom-file\r\n")
    secrets.mkdir()
    (secrets / "trayport_api_key").write_text("from-secrets\n")
    Path(".env").write_text("TRAYPORT_API_KEY=from-env-file\n")
    monkeypatch.setenv("TRAYPORT_API_KEY_FILE", str(key_file))
    monkeypatch.setenv("TRAYPORT_SECRETS_DIR", str(secrets))
    monkeypatch.setenv("TRAYPORT_KEYRING_SERVICE", "desk")
    monkeypatch.setenv("TRAYPORT_PROFILE", "sandbox")
    monkeypatch.setenv("TRAYPORT_API_KEY", "from-variable")

    assert found(api_key="from-argument") == ("from-argument", "argument")
    assert found() == ("from-variable", "variable")
    monkeypatch.delenv("TRAYPORT_API_KEY")
    assert found() == ("from-file", "key file")
    key_file.write_text("\n")
    assert found() == ("from-secrets", "secrets directory")
    (secrets / "trayport_api_key").unlink()
    assert ring.asked == 0
    assert found() == ("from-keyring", "keyring")
    ring.keys.clear()
    assert found() == ("from-env-file", ".env")
    Path(".env").unlink()
    assert found() == ("sandbox", "profile")
    assert found(profile="staging") == (None, "default")


@pytest.mark.parametrize(
    ("name", "place", "origin"),
    [
        ("api_key_file", "key", "key file"),
        ("secrets_dir", "secrets", "secrets directory"),
        ("keyring_service", "trayport", "keyring"),
    ],
)
def test_a_place_of_the_key_ranks_with_whoever_names_it(
    name: str, place: str, origin: str, monkeypatch: pytest.MonkeyPatch, ring: Ring
) -> None:
    Path("key").write_text("hidden")
    Path("secrets").mkdir()
    Path("secrets/trayport_api_key").write_text("hidden")
    ring.keys["trayport", "api_key"] = "hidden"
    Path(".env").write_text(f"TRAYPORT_API_KEY=from-env-file\n{variable(name)}={place}\n")
    assert found() == ("from-env-file", ".env")
    monkeypatch.setenv(variable(name), place)
    assert found() == ("hidden", origin)
    monkeypatch.setenv("TRAYPORT_API_KEY", "from-variable")
    assert found() == ("from-variable", "variable")
    assert found(**{name: place}) == ("hidden", origin)
    assert found(api_key="from-argument", **{name: place}) == ("from-argument", "argument")


def test_any_secret_ranks_with_whoever_names_its_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "trayport_timeout").write_text("7")
    (tmp_path / "trayport_profile").write_text("production")
    Path(".env").write_text("TRAYPORT_TIMEOUT=8\n")
    monkeypatch.setenv("TRAYPORT_SECRETS_DIR", str(tmp_path))
    settings = Settings()
    assert (settings.timeout, settings.log_level) == (7, "warning")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "9")
    assert Settings().timeout == 9
    assert Settings(secrets_dir=tmp_path).timeout == 7


def test_a_secret_may_name_the_service_of_the_keyring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring: Ring
) -> None:
    (tmp_path / "trayport_keyring_service").write_text("desk")
    monkeypatch.setenv("TRAYPORT_API_KEY", "from-variable")
    assert found(secrets_dir=tmp_path) == ("from-keyring", "keyring")
    assert ring.asked == 1


def test_a_secrets_directory_may_hold_any_setting(tmp_path: Path) -> None:
    (tmp_path / "trayport_limiter_store").write_text(f"{STORE}\n")
    (tmp_path / "TRAYPORT_TIMEOUT").write_text("7\n")
    (tmp_path / "trayport_of_another_program").mkdir()
    settings = Settings(secrets_dir=tmp_path)
    assert settings.limiter_store.get_secret_value() == STORE
    assert settings.timeout == 7
    assert settings.origin("timeout") == "secrets directory"


@pytest.mark.parametrize("name", ["api_key_file", "secrets_dir"])
def test_a_file_that_cannot_be_read_is_named_with_its_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), "nowhere")
    with pytest.raises(TrayportConfigurationError, match=f"{variable(name)}: nowhere cannot be"):
        Settings()


def test_a_key_file_is_not_read_when_the_key_is_known() -> None:
    assert key_of(Settings(api_key=KEY, api_key_file="nowhere")) == KEY


@pytest.mark.parametrize("content", [b"hunter2\xff", "hunter2 schlüssel".encode()])
def test_a_key_file_with_what_no_key_has_is_refused_without_its_content(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(TrayportConfigurationError, match="no key has") as refused:
        Settings(api_key_file=tmp_path / "key")
    assert "(key file, variable TRAYPORT_API_KEY)" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_keyring_that_is_locked_is_a_configuration_error(ring: Ring) -> None:
    with pytest.raises(TrayportConfigurationError, match=r"KEYRING_SERVICE: .*it is locked"):
        Settings(keyring_service="locked")
    assert ring.asked == 1


def test_a_keyring_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(TrayportConfigurationError, match=r"trayport-sdk\[keyring\]"):
        Settings(keyring_service="desk")


def test_a_tilde_is_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text(KEY)
    settings = Settings(api_key_file="~/key", dead_letter_file="~/failed.jsonl")
    assert key_of(settings) == KEY
    assert settings.dead_letter_file == tmp_path / "failed.jsonl"


def test_a_tilde_in_a_store_is_the_home_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checked_store("sqlite:///~/counts.db") == f"sqlite:///{tmp_path}/counts.db"
    assert checked_store("sqlite:///a~b/~.db") == "sqlite:///a~b/~.db"
    store = checked_store("rediss://:~p@host:1/0?ssl_ca_certs=~/ca.pem&client_name=~x")
    assert (
        store
        == f"rediss://:~p@host:1/0?ssl_ca_certs={quote(str(tmp_path), '')}%2Fca.pem&client_name=~x"
    )
    for text in (
        "sqlite:///~nobody-of-this-name/c.db",
        "redis://h?ssl_keyfile=~nobody-of-this-name",
    ):
        with pytest.raises(ValueError, match="home of a user that is not known"):
            checked_store(text)


AROUND_A_KEY = [
    '"{}"',
    "'{}'",
    "{}\n",
    "\r\n{}\t",
    "\ufeff{}",
    '\ufeff"{}"\r\n',
    "' {} '",
    "\"'{}'\"",
]


@pytest.mark.parametrize("around", AROUND_A_KEY)
def test_what_plainly_stands_around_a_key_is_taken_off(
    around: str, monkeypatch: pytest.MonkeyPatch, ring: Ring
) -> None:
    written = around.format(KEY)
    assert key_of(Settings(api_key=written)) == KEY
    assert key_of(Settings().replace(api_key=written)) == KEY
    Path("key").write_text(written)
    assert key_of(Settings(api_key_file="key")) == KEY
    Path("trayport_api_key").write_text(written)
    assert key_of(Settings(secrets_dir=".")) == KEY
    ring.keys["desk", "api_key"] = written
    assert key_of(Settings(keyring_service="desk")) == KEY
    monkeypatch.setenv("TRAYPORT_API_KEY", written)
    assert key_of(Settings()) == KEY
    monkeypatch.delenv("TRAYPORT_API_KEY")
    Path(".env").write_text(f"TRAYPORT_API_KEY={written}\n")
    assert key_of(Settings()) == (None if around.startswith("\r\n") else KEY)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_key_file_of_windows_is_read(encoding: str) -> None:
    Path("key").write_text(f"{KEY}\r\n", encoding=encoding)
    assert key_of(Settings(api_key_file="key")) == KEY


def test_a_file_of_variables_may_begin_with_a_byte_order_mark() -> None:
    Path(".env").write_text(f"TRAYPORT_API_KEY={KEY}\n", encoding="utf-8-sig")
    assert found() == (KEY, ".env")


@pytest.mark.parametrize("empty", ['""', "''", "\ufeff", '" "', "\u200b"])
def test_a_key_of_quotes_alone_counts_as_none(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAYPORT_API_KEY", empty)
    Path(".env").write_text("TRAYPORT_API_KEY=from-env-file\n")
    assert found() == ("from-env-file", ".env")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("{} {}", "white space"),
        ("{}\n{}", "white space"),
        ("{}\u00a0{}", "white space"),
        ('"{}', "quote at one end"),
        ("{}'", "quote at one end"),
        ("\"{}'", "quote at one end"),
        ('"', "quote at one end"),
        ("Bearer {}", "begins with Bearer"),
        ("bearer:{}", "begins with bearer"),
        ("apikey:{}", "begins with apikey"),
        ("api-key = {}", "begins with api-key"),
        ("X-API-KEY: {}", "begins with X-API-KEY"),
        ("Authorization: Bearer {}", "begins with Authorization"),
        ("TRAYPORT_API_KEY={}", "begins with TRAYPORT_API_KEY"),
        ("export TRAYPORT_API_KEY={}", "begins with export TRAYPORT_API_KEY"),
        ("{}\0", "characters that no key has"),
        ("{}\x1b[0m", "characters that no key has"),
        ("{}\u2019", "characters that no key has"),
    ],
)
def test_what_is_more_than_a_key_is_refused_without_being_shown(
    written: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = written.format(KEY, KEY)
    with pytest.raises(TrayportConfigurationError, match=f"api_key .*{reason}") as refused:
        TrayportClient(text)
    assert KEY not in str(refused.value)
    Path("key").write_text(text)
    monkeypatch.setenv("TRAYPORT_API_KEY_FILE", "key")
    with pytest.raises(TrayportConfigurationError, match=rf"key file, .*{reason}") as refused:
        Settings()
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("key", ["bearer-of-news", "tokens", "a'b", 'a"b', "a=b", "apikey"])
def test_a_key_may_look_like_other_things(key: str) -> None:
    assert key_of(Settings(api_key=key)) == key


@pytest.mark.parametrize("key", [7, [KEY], b"\xff"])
def test_a_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(TrayportConfigurationError, match="api_key") as refused:
        TrayportClient(key)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_says_how_to_set_it(key: str | None) -> None:
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_API_KEY"):
        TrayportClient(key)


async def client_key(client: TrayportClient) -> str | None:
    async with client:
        return key_of(client.settings)


def test_the_client_takes_the_key_from_the_argument_or_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAYPORT_API_KEY", KEY)
    assert asyncio.run(client_key(TrayportClient())) == KEY
    assert asyncio.run(client_key(TrayportClient("another"))) == "another"
    assert asyncio.run(client_key(TrayportClient(settings=Settings(timeout=5)))) == KEY


def test_no_representation_shows_a_secret() -> None:
    settings = Settings(api_key=KEY, limiter_store=STORE)
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(vars(settings))]
    shown += [repr(settings.model_dump()), repr(settings.__getstate__())]
    assert not any(secret in text for text in shown for secret in (KEY, "hunter2"))


def test_the_client_does_not_show_the_key() -> None:
    assert KEY not in repr(TrayportClient(settings=Settings(api_key=KEY)))


def test_secrets_do_not_travel_in_a_pickle() -> None:
    settings = Settings(api_key=KEY, limiter_store=STORE, timeout=7)
    pickled = pickle.dumps(settings)
    assert KEY.encode() not in pickled
    assert b"hunter2" not in pickled
    arrived = pickle.loads(pickled)  # noqa: S301  (our own)
    assert (arrived.api_key, arrived.timeout) == (None, 7)
    assert arrived.limiter_store.get_secret_value() == "redis://cache.example:6379/0"
    assert settings.differences(arrived) == {"api_key", "limiter_store"}


def test_a_pickle_finds_the_key_where_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = pickle.loads(pickle.dumps(Settings(api_key=KEY, timeout=7)))  # noqa: S301  (our own)
    monkeypatch.setenv("TRAYPORT_API_KEY", "of-the-worker")
    assert key_of(arrived.replace(api_key="given")) == "given"
    assert (key_of(arrived.reread()), arrived.reread().timeout) == ("of-the-worker", 7)


def test_a_copy_keeps_the_key() -> None:
    settings = Settings(api_key=KEY)
    for copied in (copy.copy(settings), copy.deepcopy(settings)):
        assert key_of(copied) == KEY
        assert copied.origin("api_key") == "argument"


# --- replacing and reading again


def test_replaced_values_are_checked_and_nothing_else_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAYPORT_CONNECT_TIMEOUT", "2")
    settings = Settings(api_key=KEY, log_level="error")
    monkeypatch.setenv("TRAYPORT_CONNECT_TIMEOUT", "3")
    replaced = settings.replace(timeout=5, api_key=None)
    assert settings.differences(replaced) == {"timeout"}
    assert replaced.connect_timeout == 2
    assert replaced.origin("connect_timeout") == "variable"
    with pytest.raises(TrayportConfigurationError, match="TRAYPORT_TIMEOUT"):
        settings.replace(timeout=-5)
    with pytest.raises(TrayportConfigurationError, match="timeot"):
        settings.replace(timeot=5)


def test_a_replaced_profile_or_key_file_takes_effect(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    settings = Settings(profile="sandbox")
    assert key_of(settings.replace(api_key_file=tmp_path / "key")) == KEY
    production = settings.replace(profile="production")
    assert (production.log_level, production.api_key) == ("warning", None)
    assert production.analytics_url == Settings().analytics_url


def test_a_replaced_place_of_the_key_wins_as_an_argument(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRAYPORT_API_KEY", "from-variable")
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "9")
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "old" / "trayport_timeout").write_text("7")
    (tmp_path / "key").write_text(KEY)
    settings = Settings(secrets_dir=tmp_path / "old", max_retries=1)
    assert (settings.timeout, key_of(settings)) == (7, "from-variable")
    replaced = settings.replace(secrets_dir=tmp_path / "new", api_key_file=tmp_path / "key")
    assert (replaced.timeout, key_of(replaced), replaced.max_retries) == (9, KEY, 1)
    assert not replaced.reread().differences(replaced)


def test_reading_again_keeps_arguments_and_finds_what_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "11")
    monkeypatch.setenv("TRAYPORT_LOG_LEVEL", "error")
    settings = Settings(api_key=KEY, connect_timeout=4).replace(max_concurrency=9)
    monkeypatch.setenv("TRAYPORT_TIMEOUT", "22")
    monkeypatch.setenv("TRAYPORT_CONNECT_TIMEOUT", "33")
    monkeypatch.delenv("TRAYPORT_LOG_LEVEL")
    Path(".env").write_text("TRAYPORT_MAX_RETRIES=1\nTRAYPORT_MAX_CONCURRENCY=2\n")
    again = settings.reread()
    assert (again.timeout, again.connect_timeout, again.max_concurrency) == (22, 4, 9)
    assert (again.max_retries, again.log_level, key_of(again)) == (1, "info", KEY)
    assert settings.differences(again) == {"timeout", "max_retries", "log_level"}


def test_settings_without_a_file_stay_without(tmp_path: Path) -> None:
    settings = Settings(_env_file=None)
    Path(".env").write_text("TRAYPORT_TIMEOUT=11\n")
    assert settings.reread().timeout == settings.replace(http2=True).reread().timeout == 60
    other = tmp_path / "other.env"
    other.write_text("TRAYPORT_TIMEOUT=12\n")
    assert Settings(_env_file=other).reread().timeout == 12


# --- Addresses

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4)


@pytest.mark.parametrize(
    "store",
    [
        "memory",
        "sqlite:///counts.db",
        "sqlite:////var/lib/counts.db",
        "redis://host",
        "redis://host:6379/0",
        "rediss://user:pass%2Fword@host:6380/1?ssl_cert_reqs=none",
        "redis://:pass@[::1]:6379",
        "redis://host/?db=2&username=desk&password=pass",
        "rediss://host?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=False",
    ],
)
def test_a_store_is_memory_or_a_file_or_a_redis(store: str) -> None:
    assert checked_store(f" {store}\n") == store


@pytest.mark.parametrize(
    "store",
    ["", "Memory", "sqlite://", "sqlite:///", "sqlite:counts.db", "redis://", "redis:///0",
     "redis://host:port", "redis://:pa/ss@host", "redis://:pa#ss@host", "redis://a:1/b@host",
     "redis://host#0", "unix:///socket", "postgres://host", "redis://host/first",
     "redis://host/0/1", "redis://user:12?3@host", "redis://host?db=1@host"],
)  # fmt: skip
def test_anything_else_is_none(store: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not|holds)"):
        checked_store(store)


@given(SECRETS, SECRETS)
def test_a_store_is_shown_without_user_password_and_secret_parameters(
    user: str, password: str
) -> None:
    parameters = f"db=2&username=u&password={quote(password, safe='')}&ssl_password=x"
    secrets = f"{quote(user, safe='')}:{quote(password, safe='')}"
    store = checked_store(f"rediss://{secrets}@cache.example:6379/0?{parameters}")
    assert without_password(store, "***") == "rediss://***@cache.example:6379/0?db=2"
    assert without_password(store) == "rediss://cache.example:6379/0?db=2"


@given(st.text(), SECRETS)
def test_no_reason_quotes_what_was_refused(start: str, secret: str) -> None:
    for check in (checked_address, checked_store):
        reasons: list[str] = []
        try:
            check(f"{start} {secret * 5}")
        except ValueError as refused:
            reasons.append(str(refused))
        assert not any(secret * 5 in reason for reason in reasons)


@pytest.mark.parametrize("store", ["memory", "sqlite:///a@b.db", "redis://host:1/0"])
def test_a_store_without_a_password_is_shown_as_it_is(store: str) -> None:
    assert without_password(store, "***") == store
