"""The address of a server, before anything is sent to it."""

from __future__ import annotations

import pytest

from reconciler.core.server_address import (
    is_plaintext,
    is_same_server,
    is_this_machine,
    normalize_address,
)
from reconciler.errors import SettingsError


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("https://label-studio.example.org", "https://label-studio.example.org"),
        ("https://label-studio.example.org/", "https://label-studio.example.org"),
        (" http://localhost:8080/\n", "http://localhost:8080"),
        ("https://example.org/label-studio/", "https://example.org/label-studio"),
        ("https://label-studio.example.org/api", "https://label-studio.example.org"),
        ("https://label-studio.example.org/api/", "https://label-studio.example.org"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken_without_what_people_leave_at_its_end(written: str, used: str):
    assert normalize_address(written) == used


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "'' is not a server address"),
        ("label-studio.example.org", "'label-studio.example.org' is not a server address"),
        ("localhost:8080", "'localhost:8080' is not a server address"),
        ("ftp://example.org", "'ftp://example.org' is not a server address"),
        ("ftp://x.test/user/login", "'ftp://x.test/user/login' is not a server address"),
        ("https:///user/login", "'https:///user/login' is not a server address"),
        ("https://", "'https://' is not a server address"),
        ("http://localhost:port", "the port of 'http://localhost:port' is not valid"),
        ("http://localhost:99999", "the port of 'http://localhost:99999' is not valid"),
        ("http://two words", "'http://two words' is not a server address"),
        ("http://[::1", "the server address is not valid"),
        ("https://example.org/?page=1", "the server address has a query or a fragment"),
        ("https://example.org/#top", "the server address has a query or a fragment"),
        ("https://anna:secret@example.org", "the server address contains a user name"),
    ],
)
def test_anything_else_is_refused_with_an_example(written: str, message: str):
    with pytest.raises(SettingsError) as refused:
        normalize_address(written)
    assert refused.value.message == message
    scheme = "write https:// before it, or http:// if the server has no TLS"
    example = "write it like https://label-studio.example.org"
    lacks_scheme = written in {"label-studio.example.org", "localhost:8080"}
    assert refused.value.hint == (scheme if lacks_scheme else example)


@pytest.mark.parametrize(
    "written",
    [
        "https://anna:s3cret@example.org",
        "ftp://anna:s3cret@example.org",
        "anna:s3cret@example.org",
        "https://example.org/?token=s3cret",
        "example.org/?token=s3cret",
    ],
)
def test_secrets_in_an_address_are_not_repeated(written: str):
    with pytest.raises(SettingsError) as refused:
        normalize_address(written)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("https://example.org/projects/8/data", "https://example.org"),
        ("https://example.org/projects/8/", "https://example.org"),
        ("https://example.org/projects/8/data?tab=3&task=s3cret", "https://example.org"),
        ("http://localhost:8080/projects/8/settings/labeling", "http://localhost:8080"),
        ("https://example.org/label-studio/projects/8/data", "https://example.org/label-studio"),
        ("https://example.org/user/login/?next=/projects/s3cret", "https://example.org"),
        ("https://example.org/user/account", "https://example.org"),
    ],
)
def test_the_address_of_a_page_in_the_browser_is_recognised(written: str, server: str):
    with pytest.raises(
        SettingsError, match=r"contains /.*, the path of a page in the browser"
    ) as refused:
        normalize_address(written)
    assert refused.value.hint == f"use {server}"
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "written", ["https://example.org/projects", "https://example.org/projects/eight/ls"]
)
def test_a_server_may_stand_below_a_path_that_is_like_one(written: str):
    assert normalize_address(written) == written


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://x.test", "https://x.test/", True),
        ("https://x.test", "HTTPS://X.Test:443/api/", True),
        ("http://x.test:80", "http://x.test.", True),
        ("https://x.test/ls", "https://x.test/ls/", True),
        ("https://x.test", "http://x.test", False),
        ("https://x.test", "https://x.test:8443", False),
        ("https://x.test", "https://x.test/ls", False),
        ("https://x.test", "https://y.test", False),
        ("https://x.test/ls", "https://x.test/LS", False),
    ],
)
def test_two_addresses_are_compared_by_where_they_lead(one: str, other: str, *, same: bool):
    assert is_same_server(one, other) is is_same_server(other, one) is same


def test_a_bad_address_leads_nowhere():
    with pytest.raises(SettingsError):
        is_same_server("https://x.test", "x.test")


@pytest.mark.parametrize(
    "host", ["127.1", "localhost.example.org", "xlocalhost", "::2", "10.0.0.1", ""]
)
def test_other_hosts_are_not_this_machine(host: str):
    assert not is_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "ls.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
    ],
)
def test_these_hosts_are_this_machine(host: str):
    assert is_this_machine(host)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("http://example.org", True),
        ("http://10.0.0.1:8080", True),
        ("https://example.org", False),
        ("http://localhost:8080", False),
        ("http://[::1]:8080", False),
    ],
)
def test_what_leaves_this_machine_unencrypted_can_be_read(address: str, *, plain: bool):
    assert is_plaintext(address) is plain
