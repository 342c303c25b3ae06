"""The shells whose completion is supported: click's own, with a script for bash that knows colons.

bash takes a colon for the end of a word, and replaces only what stands after it.
"""

from __future__ import annotations

import os
from typing import ClassVar, Final

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from reconciler.cli.completion_values import complete_environments, complete_selectors
from reconciler.cli.main import COMPLETION_VARIABLE, program

SHELLS: Final = ("bash", "zsh", "fish")

_BASH: Final = """\
%(complete_func)s() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}"
    local response completion type value head
    response=$(env COMP_WORDS="$line" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    COMPREPLY=()
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file ]]; then
            compopt -o default
        elif [[ $type == plain ]]; then
            # bash replaces only what stands after the last colon
            if [[ $COMP_WORDBREAKS == *:* && $word != [\\"\\']* ]]; then
                head="${line##*[[:space:]]}"
                [[ $head == *:* && $value == "${head%%:*}":* ]] && value="${value#"${head%%:*}":}"
            fi
            if [[ $word != [\\"\\']* && $value == *[[:space:]]* ]]; then
                printf -v value '%%q' "$value"
            fi
            [[ $value == *[:=] ]] && compopt -o nospace
            COMPREPLY+=("$value")
        fi
    done
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


_VALUES: Final = {
    "--env": complete_environments,
    "--target": complete_selectors,
    "--exclude": complete_selectors,
}
"""Options of several commands that mean the same in each."""


class _QuickValues(ShellComplete):
    """Completes values without importing the command that they are for, which takes 300 ms."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Complete the value of an option that several commands have; leave the rest to click."""
        complete = _VALUES.get(args[-1]) if len(args) > 1 else None
        if complete is None or incomplete.startswith("-"):
            return super().get_completions(args, incomplete)
        return [CompletionItem(value) for value in complete(incomplete)]


class _Bash(_QuickValues, BashComplete):
    source_template: ClassVar[str] = _BASH

    @staticmethod
    def _check_version() -> None:
        """Leave out click's check, which starts a bash that may not be the one that is meant."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line up to the cursor, which the script passes as it is."""
        line = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(line)[1:]
        if not words or (line[-1:].isspace() and not line.endswith("\\ ")):
            return words, ""
        return words[:-1], words[-1]


class _Zsh(_QuickValues, ZshComplete):
    pass


class _Fish(_QuickValues, FishComplete):
    pass


def add_shells() -> None:
    """Have click use these shells."""
    for shell, kind in zip(SHELLS, (_Bash, _Zsh, _Fish), strict=True):
        add_completion_class(kind, shell)


def build_script(shell: str) -> str:
    """Return the completion script of a shell; raises LookupError for another one."""
    add_shells()
    found = get_completion_class(shell)
    if found is None:
        raise LookupError(shell)
    return found(program, {}, "reconciler", COMPLETION_VARIABLE).source()
