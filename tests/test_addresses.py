from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.addresses import checked_address, checked_store, without_password

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
    ],
)
def test_a_store_is_memory_or_a_file_or_a_redis(store: str) -> None:
    assert checked_store(f" {store}\n") == store


@pytest.mark.parametrize(
    "store",
    ["", "Memory", "sqlite://", "sqlite:///", "sqlite:counts.db", "redis://", "redis:///0",
     "redis://host:port", "redis://:pa/ss@host", "redis://:pa#ss@host", "redis://a:1/b@host",
     "redis://host#0", "unix:///socket", "postgres://host"],
)  # fmt: skip
def test_anything_else_is_none(store: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not|holds)"):
        checked_store(store)


@given(SECRETS, SECRETS)
def test_a_store_is_shown_without_user_password_and_secret_parameters(
    user: str, password: str
) -> None:
    parameters = f"db=2&password={quote(password, safe='')}&ssl_password=x"
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
