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
     "redis://host/0/1", "redis://host?foo=bar", "redis://host?socket_timeout=abc",
     "redis://host?socket_timeout=1", "redis://host?db=first", "redis://host?db=",
     "redis://host?ssl_cert_reqs=none", "rediss://host?ssl_cert_reqs=perhaps",
     "rediss://host?ssl_check_hostname=2", "redis://host?db=1&connection_class=x"],
)  # fmt: skip
def test_anything_else_is_none(store: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not|holds)"):
        checked_store(store)


@pytest.mark.parametrize("secret", ["hunter2", "pass word", "s3cret&more"])
def test_a_store_that_is_refused_for_its_options_quotes_none(secret: str) -> None:
    options = quote(secret, safe="")
    for text in (f"{options}=1", f"foo={options}", f"db={options}{options}x"):
        with pytest.raises(
            ValueError, match=r"^holds (an option other than db|a value)"
        ) as refused:
            checked_store(f"redis://host?{text}")
        assert "host" not in str(refused.value)
        assert options not in str(refused.value)


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
