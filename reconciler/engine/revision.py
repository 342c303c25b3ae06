"""A git revision of the manifests of a run: its commit, its files, and their contents."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.core.notation import format_value, shorten
from reconciler.engine.git import run_git
from reconciler.errors import SettingsError

if TYPE_CHECKING:
    import hashlib

_SECONDS: Final = 120.0
"""How long git may take: listing a large repository on a network drive takes a while."""

MERGE_BASE: Final = "..."
"""What a revision ends with if its merge base with HEAD is meant."""

_BLOCK: Final = 1 << 20
_STEPS_MAX: Final = 10_000
"""Parts of a path that are followed: no system follows as many."""
_SHA256_LENGTH: Final = 64
_OBJECT: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LINK_MODE: Final = b"120000"
_FILE_MODES: Final = (b"100644", b"100755", b"100664", _LINK_MODE)
_FETCH_ALL: Final = (
    "fetch the whole history: fetch-depth: 0 for actions/checkout, GIT_DEPTH: 0 in GitLab, or "
    "git fetch --unshallow"
)


class Blob(NamedTuple):
    """The contents of one file of a revision: its path in the repository and its object id.

    Those of a symbolic link are what it leads to.
    """

    path: str
    object_id: str
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a work tree at ``root``, a real path.

    Each request to git may take ``seconds``.
    """

    root: str
    environment: Mapping[str, str]
    seconds: float = _SECONDS

    def resolve(self, revision: str) -> str:
        """Return the commit that a revision means; raises SettingsError."""
        check_revision(revision)
        name = revision.removesuffix(MERGE_BASE)
        commit = self.find_commit(name)
        if commit is None:
            raise self._explain_unknown(name)
        return self._find_merge_base(name, commit) if revision != name else commit

    def list_blobs(self, commit: str) -> list[Blob]:
        """List the files and links of a commit; those of submodules are not among them."""
        listed = self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        if listed.returncode:
            raise self._explain_failure("list the files of", commit, listed)
        return list(_parse_tree(listed.stdout))

    def read(self, blobs: Sequence[Blob]) -> Iterator[tuple[Blob, bytes]]:
        """Yield the contents of files; raises SettingsError if the clone lacks one."""
        asked = "".join(f"{blob.object_id}\n" for blob in blobs).encode()
        # It ends early at an object that a partial clone lacks.
        return _pair_contents(blobs, self._run("cat-file", "--batch", stdin=asked).stdout)

    def find_commit(self, name: str) -> str | None:
        """Return the commit that a name means, None if there is none; raises SettingsError."""
        found = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        if found.returncode > 1 and found.stderr.strip():
            raise self._explain_failure("find", name, found)
        written = found.stdout.strip()
        is_one = found.returncode == 0 and _OBJECT.fullmatch(written)
        return written.decode() if is_one else None

    def _find_merge_base(self, name: str, commit: str) -> str:
        head = self.find_commit("HEAD")
        if head is None:
            raise SettingsError(
                "--since: HEAD has no commit yet", hint="commit the manifests first"
            )
        found = self._run("merge-base", commit, head)
        written = found.stdout.split(b"\n")[0]
        if found.returncode == 0 and _OBJECT.fullmatch(written):
            return written.decode()
        if self._is_shallow():
            message = f"--since: this clone is shallow, and lacks where HEAD left {_show(name)}"
            raise SettingsError(message, hint=_FETCH_ALL)
        message = f"--since: {_show(name)} and HEAD have no common commit"
        raise SettingsError(
            message, hint=f"without the dots, --since {name} compares with it as is"
        )

    def _is_shallow(self) -> bool:
        return self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def _explain_unknown(self, name: str) -> SettingsError:
        if self._is_shallow():
            message = f"--since: this clone is shallow, and has no revision {_show(name)}"
            return SettingsError(message, hint=_FETCH_ALL)
        hint = "correct it, or fetch it, as with git fetch origin main"
        return SettingsError(f"--since: {self.root} has no revision {_show(name)}", hint=hint)

    def _explain_failure(
        self, aim: str, what: str, failed: subprocess.CompletedProcess[bytes]
    ) -> SettingsError:
        reason = failed.stderr.decode(errors="replace").strip().splitlines()[:1]
        message = f"--since: git cannot {aim} {_show(what)}: {''.join(reason) or 'no reason given'}"
        return SettingsError(shorten(message, 500))

    def _run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a plumbing command, which runs no program that a repository configures.

        The repository may be of another user, as in containers of CI: what that user configures has
        no effect on such commands.
        """
        try:
            return run_git(
                Path(self.root),
                *("-c", f"safe.directory={self.root}"),
                *arguments,
                environment=self.environment,
                seconds=self.seconds,
                stdin=stdin,
            )
        except FileNotFoundError as error:
            message = "--since needs git, which is not installed"
            raise SettingsError(message, hint="install git") from error
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise SettingsError(f"--since: git cannot run: {error}") from error


def check_revision(revision: str) -> None:
    """Raise SettingsError if text cannot be a revision, or means two of them."""
    name = revision.removesuffix(MERGE_BASE)
    shown = _show(revision)
    if not name or not name.isprintable() or name.startswith("-") or name != name.strip():
        raise SettingsError(
            f"--since: expected a git revision, found {shown}",
            hint="pass a branch, a tag or a commit, such as origin/main",
        )
    if ".." in name:
        raise SettingsError(
            f"--since: expected one revision, found {shown}",
            hint="it is compared with the files as they are; origin/main... means where HEAD left "
            "origin/main",
        )


def find_repository(files: Iterable[tuple[str, str]], roots: Mapping[str, str]) -> str:
    """Return the root of the only repository of some files.

    ``files`` are paths with their real paths, ``roots`` has the root of each, empty for none.
    Raises SettingsError if there is none, or several.
    """
    first: tuple[str, str] | None = None
    for path, real in files:
        root = roots[real]
        if not root:
            raise SettingsError(
                f"--since: {path} is not in a git repository",
                hint="run git init and commit the manifests, or leave out --since",
            )
        if first is not None and first[1] != root:
            raise SettingsError(
                f"--since: {first[0]} is in the git repository {first[1]}, but {path} in {root}",
                hint="run them separately: a submodule is a repository of its own",
            )
        first = first or (path, root)
    return first[1] if first else ""


def _parse_tree(listed: bytes) -> Iterator[Blob]:
    for line in listed.split(b"\0"):
        described, tab, path = line.partition(b"\t")
        parts = described.split(b" ")
        if tab and parts[0] in _FILE_MODES:
            yield Blob(os.fsdecode(path), parts[2].decode(), is_link=parts[0] == _LINK_MODE)


def list_links(path: str) -> Iterator[str]:
    """Yield the symbolic links that a path leads through, in order, by their real paths."""
    at, left = "/", list(reversed(os.path.join(Path.cwd(), path).split("/")))  # noqa: PTH118 - the parts, as written
    for _ in range(_STEPS_MAX):
        if not left:
            return
        name = left.pop()
        if name in {"", "."}:
            continue
        step = os.path.dirname(at) if name == ".." else os.path.join(at, name)  # noqa: PTH118, PTH120 - see above
        if not os.path.islink(step):  # noqa: PTH114 - see above
            at = step
            continue
        yield step
        target = os.readlink(step)  # noqa: PTH115 - see above
        left += reversed(target.split("/"))
        at = "/" if target.startswith("/") else at


def hash_link(link: str, length: int) -> str:
    """Return the object id that git gives a symbolic link."""
    target = os.fsencode(os.readlink(link))  # noqa: PTH115 - what it says, as it is
    digest = _start_hash(len(target), length)
    digest.update(target)
    return digest.hexdigest()


def _start_hash(size: int, length: int) -> hashlib._Hash:
    from hashlib import new  # noqa: PLC0415 - it loads OpenSSL

    name = "sha256" if length == _SHA256_LENGTH else "sha1"
    return new(name, b"blob %d\0" % size, usedforsecurity=False)


def hash_file(file: str, length: int) -> str:
    """Return the object id that git gives the contents of a file; empty if it cannot be read."""
    try:
        with open(file, "rb", buffering=0, opener=_open_at_once) as opened:
            state = os.fstat(opened.fileno())
            if not stat.S_ISREG(state.st_mode):
                return ""
            digest = _start_hash(state.st_size, length)
            while block := opened.read(_BLOCK):
                digest.update(block)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, as a pipe would make it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _pair_contents(blobs: Sequence[Blob], answer: bytes) -> Iterator[tuple[Blob, bytes]]:
    """Cut the output of ``cat-file --batch``: for each object a line, its bytes, and a line end."""
    offset = 0
    for blob in blobs:
        end = answer.find(b"\n", offset)
        described = answer[offset:end].split(b" ")
        if end < 0 or len(described) != 3 or described[1] != b"blob":  # noqa: PLR2004
            raise SettingsError(
                f"--since: this clone lacks the contents of {blob.path} at the revision",
                hint="clone without a filter, or fetch the contents with git fetch --refetch",
            )
        start, size = end + 1, int(described[2])
        yield blob, answer[start : start + size]
        offset = start + size + 1


def _show(text: str) -> str:
    return shorten(format_value(text), 200)
