"""Documents come from files and addresses; every failure is one line that says which and why."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.contract.location import locate_schema
from reconciler.contract.openapi import build_attributes, load_contract, load_overlay
from reconciler.contract.schema_file import list_attributes
from reconciler.errors import ContractError
from reconciler.labelstudio.schema_download import read_description

SERVER = Path(__file__).parents[1] / "contract" / "server-openapi.json"
PROXY = "http://user:s3cret/x@proxy:80"
PAGES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "/docs/api/schema/json/": (200, SERVER.read_bytes(), {}),
    "/page": (200, b"<html>\n<a: b: c>\n</html>", {}),
    "/moved": (302, b"", {"Location": "http://user:secret@elsewhere.example/x?token=secret"}),
    "/nearby": (301, b"", {"Location": "/new?token=secret"}),
    "/broken": (503, b"", {}),
    "/other": (200, b'{"openapi": "3.0.3", "paths": {}}', {}),
    "/large": (200, b" " * 2000, {}),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, content, headers = PAGES[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(name="address")
def serve() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address(address: str):
    description = read_description(f"{address}/docs/api/schema/json/", {})
    assert description.document == json.loads(SERVER.read_bytes())


def test_words_are_lent_to_a_description_that_has_none(address: str):
    attributes = list_attributes(read_description(f"{address}/docs/api/schema/json/", {}))
    assert attributes["overlap"].description.startswith("How many different annotators")
    assert attributes["state"].description == ""


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/broken", "the server returned 503 Service Unavailable"),
        ("/moved", "the server returned 302, a redirect to http://elsewhere.example/x"),
        ("/nearby", "the server returned 301, a redirect to http://127.0.0.1:"),
        ("/page", "neither JSON nor YAML: the mistake is at line 2"),
        ("/other", "does not describe PATCH /api/tasks/{id}/"),
    ],
)
def test_an_address_that_does_not_give_one(address: str, path: str, message: str):
    with pytest.raises(ContractError) as caught:
        list_attributes(read_description(f"{address}{path}?token=secret", {}))
    assert message in caught.value.message
    assert caught.value.message.startswith(f"{address}{path}: ")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_that_gives_too_much(address: str):
    with pytest.raises(ContractError, match="larger than"):
        read_description(f"{address}/large", {}, bytes_max=1000)


def test_an_address_that_never_ends(address: str):
    moments = iter([0.0, 31.0, 62.0])
    with pytest.raises(ContractError, match="not complete after 30 s"):
        read_description(f"{address}/large", {}, now=lambda: next(moments))


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:1/x", "https://", "http://[::1", "http://\udc00"]
)
def test_an_address_that_cannot_be_reached(where: str):
    with pytest.raises(ContractError, match=r"cannot be read: ."):
        read_description(where, {})


def test_yaml_and_json_files(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("# ours\nopenapi: 3.0.3\n")
    (tmp_path / "b.json").write_text('\ufeff{"openapi": "3.0.3"}', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("{openapi: 3.0.3}")
    for name in ("a.yaml", "b.json", "c.yaml"):
        assert read_description(str(tmp_path / name), {}).document == {"openapi": "3.0.3"}


def test_a_proxy_whose_address_cannot_be_read_is_told_without_it():
    with pytest.raises(ContractError, match="http_proxy is not the address of a proxy") as failed:
        read_description("http://label-studio.test/page", {"http_proxy": PROXY})
    assert "s3cret" not in str(failed.value)


def test_what_is_on_this_machine_needs_no_proxy(address: str):
    environment = {"http_proxy": PROXY, "NO_PROXY": "fd07::/64"}
    description = read_description(f"{address}/docs/api/schema/json/", environment)
    assert description.document == json.loads(SERVER.read_bytes())


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(
        ContractError, match=r"none\.yaml: cannot be read: No such file or directory"
    ):
        read_description(str(tmp_path / "none.yaml"), {})


def test_our_own_document_as_a_source_is_our_contract():
    description = read_description(str(locate_schema("task-api.openapi.yaml")), {})
    assert build_attributes(description.document, load_overlay()) == load_contract()
