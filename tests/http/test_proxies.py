"""Which proxy the variables of the environment name for an address."""

from __future__ import annotations

import os
from unittest.mock import patch

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import TrayportConfigurationError
from trayport_sdk.http.proxies import proxy_for

PROXY = "http://desk:hunter2@proxy.example:3128"
HTTPS = "https://analytics.example.com/api"


@pytest.mark.parametrize(
    ("entries", "host", "is_exempt"),
    [
        # names
        ("analytics.example.com", "analytics.example.com", True),
        ("example.com", "analytics.example.com", True),
        ("ample.com", "analytics.example.com", False),
        ("example.com.org", "analytics.example.com", False),
        ("example.com", "example.com.org", False),
        (".example.com", "analytics.example.com", True),
        (".example.com", "example.com", True),
        ("*.example.com", "analytics.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "badexample.com", False),
        ("Example.COM", "ANALYTICS.example.com", True),
        ("example.com.", "analytics.example.com", True),
        ("example.com", "analytics.example.com.", True),
        ("com", "example.com", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("gas_desk", "gas_desk", True),
        # lists
        ("*", "analytics.example.com", True),
        ("other.example,*", "analytics.example.com", True),
        ("other.example,example.com", "analytics.example.com", True),
        (" other.example , example.com ", "analytics.example.com", True),
        ("other.example example.com", "analytics.example.com", True),
        ("other.example\texample.com\n", "analytics.example.com", True),
        (",, ,", "analytics.example.com", False),
        ("", "analytics.example.com", False),
        # IPv4
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.30", False),
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.9.9.9/8", "10.0.0.1", True),
        ("10.1.2.0/25", "10.1.2.127", True),
        ("10.1.2.0/25", "10.1.2.128", False),
        ("0.0.0.0/0", "10.1.2.3", True),
        ("10.1.2.3/32", "10.1.2.3", True),
        ("2.3", "10.1.2.3", False),
        ("*", "10.1.2.3", True),
        ("127.0.0.0/8", "127.1.2.3", True),
        ("localhost", "localhost", True),
        ("127.0.0.1", "localhost", False),
        # IPv6
        ("::1", "[::1]", True),
        ("[::1]", "[::1]", True),
        ("0:0:0:0:0:0:0:1", "[::1]", True),
        ("::2", "[::1]", False),
        ("FD00::1", "[fd00::1]", True),
        ("fd00::/8", "[fd12:3456::1]", True),
        ("[fd00::]/8", "[fd12:3456::1]", True),
        ("[fd00::/8]", "[fd12:3456::1]", True),
        ("fd00::/8", "[fe80::1]", False),
        ("::/0", "10.1.2.3", False),
        ("10.0.0.0/8", "[::ffff:10.1.2.3]", True),
        ("fe80::/10", "[fe80::1%25eth0]", True),
        # ports
        ("example.com:443", "analytics.example.com", True),
        ("example.com:8443", "analytics.example.com", False),
        ("example.com:8443", "analytics.example.com:8443", True),
        ("example.com", "analytics.example.com:8443", True),
        ("10.1.2.3:8443", "10.1.2.3:8443", True),
        ("10.1.2.3:8443", "10.1.2.3", False),
        ("[::1]:8443", "[::1]:8443", True),
        ("[::1]:8443", "[::1]:8444", False),
        ("*.example.com:443", "analytics.example.com", True),
        # what is ignored
        (":443", "analytics.example.com", False),
        (".", "analytics.example.com", False),
        ("*.", "analytics.example.com", False),
        ("10.0.0.0/33,10.1.2.3", "10.1.2.3", True),
        ("10.0.0.0/33", "10.1.2.3", False),
        ("10.0.0/8", "10.1.2.3", False),
        ("example.com:https", "analytics.example.com", False),
        ("[::1,::g,[", "[::1]", True),
        ("..example.com", "analytics.example.com", False),
        ("*example.com", "analytics.example.com", False),
        ("é" * 70, "analytics.example.com", False),
    ],
)
def test_no_proxy(entries: str, host: str, is_exempt: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        for variable in ("HTTPS_PROXY", "ALL_PROXY"):
            proxy = proxy_for(f"https://{host}/api", {variable: PROXY, name: entries})
            assert (proxy is None) is is_exempt
    # Entries do not hide each other.
    both = {"HTTPS_PROXY": PROXY, "no_proxy": "other.example", "NO_PROXY": entries}
    assert (proxy_for(f"https://{host}/api", both) is None) is is_exempt


@pytest.mark.parametrize(
    ("variables", "url", "variable"),
    [
        ({"HTTPS_PROXY": "a:1"}, HTTPS, "HTTPS_PROXY"),
        ({"https_proxy": "a:1"}, HTTPS, "https_proxy"),
        ({"https_proxy": "a:1", "HTTPS_PROXY": "b:1"}, HTTPS, "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "b:1"}, HTTPS, None),
        ({"https_proxy": " ", "ALL_PROXY": "b:1"}, HTTPS, "ALL_PROXY"),
        ({"HTTPS_PROXY": "", "all_proxy": "b:1"}, HTTPS, "all_proxy"),
        ({"HTTPS_PROXY": "a:1", "ALL_PROXY": "b:1"}, HTTPS, "HTTPS_PROXY"),
        ({"HTTP_PROXY": "a:1"}, HTTPS, None),
        ({"HTTPS_PROXY": "a:1"}, "http://far.example", None),
        ({"HTTP_PROXY": "a:1"}, "http://far.example", "HTTP_PROXY"),
        ({"http_proxy": "a:1", "HTTP_PROXY": "b:1"}, "http://far.example", "http_proxy"),
        ({"HTTP_PROXY": "a:1", "REQUEST_METHOD": "GET"}, "http://far.example", None),
        ({"http_proxy": "a:1", "REQUEST_METHOD": "GET"}, "http://far.example", "http_proxy"),
        ({"HTTPS_PROXY": "a:1", "REQUEST_METHOD": "GET"}, HTTPS, "HTTPS_PROXY"),
        ({"FTP_PROXY": "a:1", "PROXY": "b:1"}, HTTPS, None),
        ({}, HTTPS, None),
        # Only https hides the key from a proxy, so plain http to this machine goes to none.
        ({"ALL_PROXY": "a:1"}, "https://127.0.0.1:8383", "ALL_PROXY"),
        ({"ALL_PROXY": "a:1"}, "http://127.0.0.1:8383", None),
        ({"ALL_PROXY": "a:1"}, "http://[::1]:8383", None),
        ({"ALL_PROXY": "a:1"}, "http://[::ffff:127.0.0.1]:8383", None),
        ({"ALL_PROXY": "a:1"}, "http://LOCALHOST.", None),
        ({"ALL_PROXY": "a:1"}, "http://sandbox.invalid", None),
    ],
)
def test_the_variable_that_holds(variables: dict[str, str], url: str, variable: str | None) -> None:
    proxy = proxy_for(url, variables)
    assert (proxy and proxy.variable) == variable
    if proxy is not None:
        assert proxy.url == f"http://{variables[proxy.variable].strip()}"


@pytest.mark.parametrize(
    "value", [PROXY, "https://proxy.example", "http://[::1]:3128", "HTTP://proxy.example/"]
)
def test_an_address_with_a_scheme_is_taken_as_it_is(value: str) -> None:
    proxy = proxy_for(HTTPS, {"HTTPS_PROXY": f" {value}\n"})
    assert proxy is not None
    assert proxy.url == value


@pytest.mark.parametrize(
    "value",
    ["ftp://proxy.example", "socks9://desk:hunter2@x:1", "socks4://a", "http://", "http://a:b",
     "http://a:0", "http://desk:hunter2@a:99999", "http://[::1", "a b:c", "://"],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(TrayportConfigurationError, match="HTTPS_PROXY sets cannot") as refused:
        proxy_for(HTTPS, {"HTTPS_PROXY": value, "ALL_PROXY": "a:1"})
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is refused.value.__context__ is None


def test_the_proxy_of_the_system_holds_where_there_is_no_variable() -> None:
    place = "trayport_sdk.http.proxies"
    with (
        patch.dict(os.environ, clear=True),
        patch(f"{place}.getproxies", return_value={"https": PROXY}),
        patch(f"{place}.proxy_bypass", side_effect=lambda host: host == "near.example"),
    ):
        proxy = proxy_for(HTTPS)
        assert proxy is not None
        assert (proxy.url, proxy.variable) == (PROXY, "the proxy of the system")
        assert proxy_for("https://near.example") is None
        assert proxy_for("http://far.example") is None
        assert proxy_for(HTTPS, {}) is None


def test_a_proxy_does_not_show_its_password() -> None:
    proxy = proxy_for(HTTPS, {"HTTPS_PROXY": PROXY})
    assert proxy is not None
    assert "hunter2" not in f"{proxy} {proxy!r} {attrs.asdict(proxy)}"


@given(st.text(), st.sampled_from(["https://10.1.2.3", "https://[fd00::1]:1", HTTPS]))
def test_no_list_breaks_a_request(entries: str, url: str) -> None:
    proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": entries})
