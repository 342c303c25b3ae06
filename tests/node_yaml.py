"""The YAML reader that programs in JavaScript use: npm's ``yaml``, one process for many texts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

VERSION: Final = "2.8.1"
_PROGRAM: Final = """
const yaml = require("yaml");
const plain = (key, value) =>
  typeof value === "bigint" ? {"integer": String(value)} :
  typeof value === "number" ? {"real": Object.is(value, -0) ? "-0" : String(value)} : value;
require("readline").createInterface({input: process.stdin}).on("line", line => {
  const {text, version} = JSON.parse(line);
  const options = {version, intAsBigInt: true, maxAliasCount: -1, strict: true};
  console.log(JSON.stringify(yaml.parse(text, null, options), plain) ?? "null");
});
"""


def _read_exactly(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Turn numbers back into what they were: JSON from JavaScript does not tell 1 from 1.0."""
    if isinstance(value, list):
        return list(map(_read_exactly, value))
    if isinstance(value, dict):
        if value.keys() == {"integer"} and isinstance(value["integer"], str):
            return int(value["integer"])
        if value.keys() == {"real"} and isinstance(value["real"], str):
            return float(value["real"])
        return {key: _read_exactly(inner) for key, inner in value.items()}
    return value


class NodeYaml:
    """A running node, which reads a text and answers with its value."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        assert node, "npm's yaml is read with node: install node 18 or later"
        self._process = subprocess.Popen(  # noqa: S603 - the command of this test
            [node, "-e", _PROGRAM],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    @classmethod
    def install(cls, folder: Path) -> Self:
        """Install the package from npm into a folder, and start node there."""
        npm = shutil.which("npm")
        assert npm, "npm's yaml is installed with npm: install node 18 or later"
        options = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
        installed = subprocess.run(  # noqa: S603 - as above
            [npm, "install", *options, "--prefix", folder, f"yaml@{VERSION}"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert installed.returncode == 0, installed.stderr
        return cls(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def read(self, text: str, *, version: str) -> Any:  # noqa: ANN401 - any JSON
        """Read a text as YAML 1.1 or 1.2; an error of the reader ends its process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"text": text, "version": version}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"npm's yaml refuses {text!r}"
        return _read_exactly(json.loads(answer))
