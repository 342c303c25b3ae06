"""Which proxy is chosen, by all forms that the variables take."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SettingsError
from reconciler.labelstudio.proxies import Proxy, choose_proxy

PROXY = "http://proxy.test:3128"
SERVER = "https://label-studio.example.org"


def chosen(address: str, **environment: str) -> Proxy | None:
    """Choose, where nothing is to be warned of."""

    def warn(text: str) -> None:
        raise AssertionError(text)

    return choose_proxy(address, environment, warn=warn)


@pytest.mark.parametrize(
    ("address", "environment", "variable"),
    [
        (SERVER, {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        (SERVER, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other.test"}, "https_proxy"),
        (SERVER, {"ALL_PROXY": PROXY}, "ALL_PROXY"),
        (SERVER, {"all_proxy": PROXY, "HTTPS_PROXY": "http://other.test"}, "HTTPS_PROXY"),
        (SERVER, {"HTTP_PROXY": PROXY}, None),
        (SERVER, {"HTTPS_PROXY": ""}, None),
        (SERVER, {"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        ("http://example.org", {"HTTP_PROXY": PROXY}, "HTTP_PROXY"),
        ("http://example.org", {"HTTPS_PROXY": PROXY}, None),
        ("http://example.org", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        ("http://example.org", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "http_proxy"),
    ],
)
def test_the_variable_of_the_scheme_goes_before_that_for_all(
    address: str, environment: dict[str, str], variable: str | None
):
    proxy = chosen(address, **environment)
    assert (proxy and proxy.variable) == variable


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("http://proxy.test:3128", "http://proxy.test:3128"),
        ("proxy.test:3128", "http://proxy.test:3128"),
        (" https://proxy.test/ \n", "https://proxy.test"),
        ("http://anna:s3cret@proxy.test:3128", "http://proxy.test:3128"),
        ("http://anna:s%2Fcret@[fd07::1]:3128", "http://[fd07::1]:3128"),
        ("SOCKS5://proxy.test:1080", "socks5://proxy.test:1080"),
        ("socks5h://proxy.test:1080", "socks5h://proxy.test:1080"),
    ],
)
def test_an_address_is_taken_as_curl_takes_it_and_shown_without_its_password(
    written: str, shown: str
):
    proxy = chosen(SERVER, HTTPS_PROXY=written)
    assert proxy is not None
    assert proxy.shown == shown
    assert "cret" not in repr(proxy)


@pytest.mark.parametrize(
    "written",
    [
        "http://anna:s3cret/x@proxy.test:80",
        "http://anna:3/s3cret@proxy.test:80",
        "http://anna:3#s3cret@proxy.test:80",
        "http://[::s3cret",
        "ftp://anna:s3cret@proxy.test",
        "s3cret://",
        "socks4://s3cret.test",
        "http://s3cret.test:port",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_one_that_cannot_be_used_is_named_by_its_variable_and_not_repeated(
    written: str, variable: str
):
    with pytest.raises(SettingsError) as refused:
        chosen(SERVER, **{variable: written})
    assert str(refused.value).startswith(f"{variable} is not the address of a proxy (")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8080",
        "http://LOCALHOST.",
        "http://ls.localhost",
        "http://127.0.0.1:8091",
        "https://127.1.2.3",
        "http://[::1]:8080",
        "http://[::ffff:127.0.0.1]:8080",
    ],
)
def test_what_is_on_this_machine_is_never_asked_by_a_proxy_whatever_the_variables_hold(
    address: str,
):
    names = ("http", "https", "all", "no")
    for value in (PROXY, "ftp://x", "http://[::", "fd07::/64", "10.0.0.0/99", "\x00"):
        everything = {f"{name}_proxy": value for name in names}
        assert chosen(address, **everything) is None


@pytest.mark.parametrize(
    ("no_proxy", "address"),
    [
        ("*", SERVER),
        ("a.test, *", SERVER),
        ("example.org", SERVER),
        ("EXAMPLE.org", "https://Label-Studio.Example.Org."),
        (".example.org", SERVER),
        (".example.org", "https://example.org"),
        ("*.example.org", SERVER),
        ("example.org.", SERVER),
        ("a.test example.org", SERVER),
        ("label-studio.example.org:443", SERVER),
        ("example.org:8443", "https://example.org:8443"),
        ("https://example.org", SERVER),
        ("all://example.org/", SERVER),
        ("10.0.0.7", "https://10.0.0.7"),
        ("10.0.0.7:8443", "https://10.0.0.7:8443"),
        ("10.0.0.0/8", "https://10.1.2.3"),
        ("10.9.9.9/8", "https://10.1.2.3"),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]"),
        ("fd07::/64", "https://[fd07::42]"),
        ("[fd07::]/64", "https://[fd07::42]"),
        ("fd07::42", "https://[fd07:0:0::42]"),
        ("[fd07::42]", "https://[fd07::42]"),
        ("[fd07::42]:8443", "https://[fd07::42]:8443"),
    ],
)
def test_no_proxy_is_used_for_what_no_proxy_names(no_proxy: str, address: str):
    assert chosen(address, ALL_PROXY=PROXY, NO_PROXY=no_proxy) is None
    assert chosen(address, ALL_PROXY="ftp://unusable", no_proxy=no_proxy) is None


@pytest.mark.parametrize(
    ("no_proxy", "address"),
    [
        ("", SERVER),
        ("org.example", SERVER),
        ("xample.org", SERVER),
        ("studio.example.org", SERVER),
        ("example.org:8080", SERVER),
        ("example.org:443", "https://example.org:8443"),
        ("http://example.org", SERVER),
        ("http://*", SERVER),
        ("fd07::/64", "https://[fd08::42]"),
        ("fd07::/64,[::1],127.0.0.0/8", SERVER),
        ("10.0.0.0/8", "https://11.1.2.3"),
        ("10.0.0.0/8", "https://10.example.org"),
        ("[fd07::42]:8443", "https://[fd07::42]"),
        ("localhost", SERVER),
    ],
)
def test_a_proxy_is_used_for_all_else(no_proxy: str, address: str):
    assert chosen(address, ALL_PROXY=PROXY, NO_PROXY=no_proxy) is not None


def test_the_lower_case_list_goes_before_the_other():
    assert chosen(SERVER, ALL_PROXY=PROXY, no_proxy="a.test", NO_PROXY="*") is not None


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/33", "example.org/path", "192.168.*", "[::1", ":8080", "<local>"]
)
def test_an_invalid_entry_of_no_proxy_is_ignored_with_a_warning_that_names_the_variable(entry: str):
    told: list[str] = []
    environment = {"ALL_PROXY": PROXY, "NO_PROXY": f"a.test,{entry}"}
    assert choose_proxy(SERVER, environment, warn=told.append) is not None
    assert told == [f"NO_PROXY: ignored {entry!r}, which is neither a host nor a network"]


@given(st.text(), st.text())
def test_nothing_in_the_variables_ends_a_run_but_a_proxy_that_is_needed(no_proxy: str, proxy: str):
    environment = {"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}
    choose_proxy(SERVER, environment, warn=lambda _: None)
    with suppress(SettingsError):
        choose_proxy(SERVER, {"HTTPS_PROXY": proxy})
