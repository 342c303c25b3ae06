"""A client of the YAML language server that editors run, over its standard input and output."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

VERSION: Final = "1.25.0"
_COMPLETION: Final = {"completionItem": {"snippetSupport": True}}


def install(folder: Path) -> Path:
    """Install the language server from npm into a folder, and return its program."""
    npm = shutil.which("npm")
    assert npm, "the language server is installed with npm: install node 18 or later"
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    package = f"yaml-language-server@{VERSION}"
    installed = subprocess.run(  # noqa: S603 - the command of this test
        [npm, "install", *options, "--prefix", folder, package],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    return folder / "node_modules" / ".bin" / "yaml-language-server"


class LanguageServer:
    """One running language server, which reads each text with a schema."""

    def __init__(self, program: Path, schema: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - as above
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._schema = schema
        self._sent = 0
        self._opened = 0

    def __enter__(self) -> Self:
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": {"textDocument": {"completion": _COMPLETION}},
        }
        self._ask("initialize", params)
        self._tell("initialized", {})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()

    def diagnose(self, text: str) -> list[str]:
        """Return what the editor underlines, as ``line:column: message``."""
        uri = self._open(text)
        while True:
            message = self._receive()
            params = message.get("params", {})
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri:
                return [_format_diagnostic(found) for found in params["diagnostics"]]

    def complete(self, text: str) -> list[Mapping[str, Any]]:
        """Return what the editor offers where the text has ``|``, in the order of the schema."""
        uri, position = self._open_at_cursor(text)
        answer = self._ask("textDocument/completion", {"textDocument": uri, "position": position})
        items: list[Mapping[str, Any]] = answer["items"]
        return items

    def hover(self, text: str) -> str:
        """Return what the editor shows for the word where the text has ``|``."""
        uri, position = self._open_at_cursor(text)
        answer = self._ask("textDocument/hover", {"textDocument": uri, "position": position})
        return str(answer["contents"]["value"]) if answer else ""

    def _open_at_cursor(self, text: str) -> tuple[Mapping[str, str], Mapping[str, int]]:
        before, after = text.split("|")
        uri = self._open(before + after)
        lines = before.split("\n")
        return {"uri": uri}, {"line": len(lines), "character": len(lines[-1])}

    def _open(self, text: str) -> str:
        self._opened += 1
        uri = f"file:///manifests/{self._opened}.yaml"
        first = f"# yaml-language-server: $schema={self._schema.as_uri()}\n"
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": first + text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _ask(self, method: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        self._sent += 1
        self._send({"id": self._sent, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._sent and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _tell(self, method: str, params: Mapping[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream
        stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        stream.flush()

    def _receive(self) -> dict[str, Any]:
        """Read the next message; requests of the server are answered with nothing."""
        stream = self._process.stdout
        assert stream
        length = 0
        while line := stream.readline().strip():
            if found := re.fullmatch(rb"Content-Length: (\d+)", line):
                length = int(found[1])
        assert length, "the language server ended"
        message: dict[str, Any] = json.loads(stream.read(length))
        if "id" in message and "method" in message:
            asked = message["params"].get("items", []) if message.get("params") else []
            self._send({"id": message["id"], "result": [None for _ in asked]})
        return message


def expand(snippet: str) -> str:
    """Write a snippet as an editor does whose user accepts what it suggests."""
    return re.sub(r"\$\{\d+:?([^}]*)\}|\$\d+", lambda found: found[1] or "", snippet)


def _format_diagnostic(found: Mapping[str, Any]) -> str:
    start = found["range"]["start"]
    return f"{start['line']}:{start['character'] + 1}: {found['message']}"
