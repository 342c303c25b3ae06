"""Which values are redacted: what files, the environment and options say, all together.

None of them lifts what another one hides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core.notation import split_paths
from reconciler.core.paths import Path
from reconciler.core.redaction import Redaction, parse_redacted_path
from reconciler.core.shown_digest import DIGEST_KEY_VARIABLE, DigestKey
from reconciler.engine.settings.settings_file import SettingsFiles
from reconciler.errors import SettingsError
from reconciler.manifest.files import Place

__all__ = [
    "Redaction",
    "combine_redaction",
    "parse_redacted_path",
    "read_digest_key",
    "read_redaction",
]

REDACT_VARIABLE: Final = "RECONCILER_REDACT"
"""Paths separated by commas; it adds to settings files and options."""

DIGEST_KEY_MIN: Final = 16
"""Characters of the shortest key: a shorter one could be guessed from a digest."""


def read_redaction(
    places: Mapping[Place, str],
    environment: Mapping[str, str],
    *,
    options: Redaction,
    env: str = "",
) -> Redaction:
    """Read only what is redacted, for commands without a server; raises SettingsError.

    ``places`` are as for `read_settings`. Without an ``env``, that of all environments is redacted.
    """
    return combine_redaction(SettingsFiles.find_above(places), environment, options, env=env)


def combine_redaction(
    files: SettingsFiles, environment: Mapping[str, str], options: Redaction, *, env: str = ""
) -> Redaction:
    """Combine what is redacted; raises SettingsError, which names each wrong path."""
    written = [*files.list_redacted(env), *_split_variable(environment)]
    wrong: list[str] = []
    hidden = tuple(_parse_all(written, wrong))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return Redaction(hidden).join(options)


def _split_variable(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for text in split_paths(environment.get(REDACT_VARIABLE, "")):
        yield REDACT_VARIABLE, text


def _parse_all(written: Iterable[tuple[str, str]], wrong: list[str]) -> Iterator[Path]:
    for place, text in written:
        try:
            yield parse_redacted_path(text)
        except ValueError as error:
            wrong.append(f"{place}: redact: {error}")


def read_digest_key(environment: Mapping[str, str]) -> DigestKey:
    """Read the key for the digests of redacted outputs; raises SettingsError if it is short."""
    secret = environment.get(DIGEST_KEY_VARIABLE, "").strip()
    if secret and len(secret) < DIGEST_KEY_MIN:
        raise SettingsError(
            f"{DIGEST_KEY_VARIABLE}: expected a secret of at least {DIGEST_KEY_MIN} characters, "
            "found a shorter one",
            hint="make one with: openssl rand -hex 32",
        )
    return DigestKey(secret)
