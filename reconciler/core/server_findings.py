"""From what was observed of a server to findings: a small pure function for each check."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.finding import Check, Finding, fail, note, ok, warn
from reconciler.core.notation import count_noun, shorten
from reconciler.core.observations import (
    Account,
    AtOnce,
    Failure,
    FailureKind,
    Observations,
    PageSeen,
    Sample,
    TokenFacts,
    TokenKind,
)
from reconciler.core.plan_model import ServerIdentity

_DAY: Final = 86_400
_SOON_DAYS: Final = 14
"""Days before an expiry from which it is worth a warning."""

_SLOW_SECONDS: Final = 1.0
_SKEW_MAX: Final = 60.0
"""Seconds by which clocks may differ without a warning."""

_SKEW_UNSEEN: Final = 2.0
"""Seconds that are not worth a word: the date of a response is in whole seconds."""

_PARALLEL: Final = 1.4
"""How many times faster than one after the other is clearly faster: random variation is less."""

_OLDEST_TESTED: Final = (1, 13)
_DISABLED: Final = "legacy token authentication has been disabled"
_ROLES: Final = {
    "OW": "owner",
    "AD": "administrator",
    "MA": "manager",
    "RE": "reviewer",
    "AN": "annotator",
    "NO": "not activated",
    "DI": "disabled",
}
"""The roles of Label Studio Enterprise, as its description names them."""

_LIMITED: Final = frozenset({"RE", "AN", "NO", "DI"})
_PERSONAL: Final = "make a personal access token in Account & Settings in Label Studio"
_AGAIN: Final = "run it again"
_CHECK_SERVER: Final = "look at the server's log, and run it again"


def check_settings(seen: Observations) -> Iterator[Finding]:
    """Report what is wrong with the settings, other than the token."""
    for failure in seen.setup.failures:
        yield fail(Check.SETTINGS, failure.message, failure.hint or "correct the setting")
    for warning in seen.setup.warnings:
        message, _, hint = warning.partition(" (")
        yield warn(Check.SETTINGS, message, hint.removesuffix(")") or "correct the setting")


def check_address(seen: Observations) -> Iterator[Finding]:
    """Report the address, and whether requests to it are encrypted."""
    setup = seen.setup
    if setup.address and setup.is_plaintext and not setup.failures:
        yield warn(
            Check.ADDRESS,
            f"{setup.address}, set by {setup.named_by}, has no encryption: others on the network "
            "can read the token and all tasks",
            "use https if the server has it",
        )
    elif setup.address:
        yield ok(Check.ADDRESS, f"{setup.address}, set by {setup.named_by}")


def check_proxy(seen: Observations) -> Iterator[Finding]:
    """Report which proxy requests take."""
    if seen.setup.address:
        yield ok(Check.PROXY, seen.setup.proxy or "none: requests go directly to the server")


def check_connection(seen: Observations) -> Iterator[Finding]:
    """Report whether the server can be reached, and until when its certificate is valid."""
    identity = seen.identity
    if identity is None:
        return
    if isinstance(identity, Failure) and identity.kind is FailureKind.NO_CONNECTION:
        yield fail(Check.CONNECTION, identity.message, identity.hint or "is the server running?")
    elif seen.tls is None:
        yield ok(Check.CONNECTION, "the server responds, over http")
    else:
        yield from _judge_certificate(seen)


def _judge_certificate(seen: Observations) -> Iterator[Finding]:
    tls = seen.tls
    assert tls is not None  # noqa: S101 - the caller checks it
    found = f"the server responds, over {tls.version} with a trusted certificate"
    if tls.expires is None:
        yield ok(Check.CONNECTION, found)
        return
    until = f"{found} that is valid until {_format_day(tls.expires)}"
    if tls.expires - seen.now < _SOON_DAYS * _DAY:
        yield warn(
            Check.CONNECTION,
            f"{until}, {_format_left(tls.expires - seen.now)} from now",
            "renew the certificate of the server: from then on, nothing connects to it",
        )
    else:
        yield ok(Check.CONNECTION, until)


def check_version(seen: Observations) -> Iterator[Finding]:
    """Report what the server is."""
    identity = seen.identity
    if isinstance(identity, Failure):
        if identity.kind is not FailureKind.NO_CONNECTION:
            hint = identity.hint or "is this the address of a Label Studio server?"
            yield fail(Check.VERSION, identity.message, hint)
    elif identity is not None:
        yield _judge_version(identity)


def _judge_version(identity: ServerIdentity) -> Finding:
    named = " ".join(filter(None, ("Label Studio", identity.edition, identity.version)))
    if (identity.edition or "").lower() == "enterprise":
        return note(
            Check.VERSION,
            f"{named}; reconciler follows the published description of this edition, and was not "
            "tested on it",
            "apply to a few tasks first, with --canary or --max-changes",
        )
    release = _parse_release(identity.version or "")
    if release and release < _OLDEST_TESTED:
        return note(
            Check.VERSION,
            f"{named}; the oldest release that reconciler was tested on is 1.13",
            "upgrade the server, or apply to a few tasks first",
        )
    return ok(Check.VERSION, named)


def _parse_release(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(map(int, parts)) if all(p.isascii() and p.isdigit() for p in parts) else ()


def check_latency(seen: Observations) -> Iterator[Finding]:
    """Report how long small requests take."""
    if not seen.round_trips:
        return
    seconds = min(seen.round_trips)
    found = f"the fastest of {count_noun(len(seen.round_trips), 'small request')} took"
    if seconds >= _SLOW_SECONDS:
        yield warn(
            Check.LATENCY,
            f"{found} {seconds:.1f} s",
            "is the server overloaded or far away? run reconciler nearer to it",
        )
    else:
        yield ok(Check.LATENCY, f"{found} {max(1, round(seconds * 1000))} ms")


def check_clock(seen: Observations) -> Iterator[Finding]:
    """Compare the clock of the server with that of this machine.

    The server's time lies between the date that it sends and a second later, at some moment
    between sending and receiving.
    """
    clock = seen.clock
    if clock is None:
        return
    low, high = clock.date - clock.received, clock.date + 1 - clock.sent
    most = max(abs(low), abs(high))
    if most < _SKEW_UNSEEN or low <= 0 <= high:
        found = f"agrees with that of the server within {most:.1f} s"
        yield ok(Check.CLOCK, f"the clock of this machine {found}")
        return
    least = low if low > 0 else -high
    ahead = "ahead of" if high < 0 else "behind"
    found = (
        f"the clock of this machine is {_format_span(least)} {ahead} the date that the server, or "
        "a proxy in front of it, sends"
    )
    if least < _SKEW_MAX:
        yield ok(Check.CLOCK, found)
    else:
        yield warn(Check.CLOCK, found, "correct the clock that is wrong, with NTP for example")


def check_token(seen: Observations) -> Iterator[Finding]:
    """Report the kind of the token, whether the server accepts it, and how long it is valid."""
    token = seen.token
    if isinstance(token, Failure):
        yield fail(Check.TOKEN, token.message, token.hint)
        return
    refusal = _find_refusal(seen)
    expired = token.expires is not None and token.expires <= seen.now
    if refusal is not None:
        message = refusal.message.removeprefix(f"the {token.kind} was refused: ")
        found = f"{token.kind}: {message}"
        if expired:
            found = f"{found}; by this machine's clock, it expired on {_format_day(token.expires)}"
        yield fail(Check.TOKEN, found, _choose_token_remedy(refusal, expired=expired))
    elif seen.account is None:
        if expired:
            found = f"{token.kind} that expired on {_format_day(token.expires)}"
            yield fail(Check.TOKEN, found, _PERSONAL)
        else:
            yield note(Check.TOKEN, f"{token.kind}; not tried", "fix the problems above first")
    else:
        yield _judge_time_left(token, seen)


def _find_refusal(seen: Observations) -> Failure | None:
    """Return the first failure of a request that needs the token, unless another one succeeded."""
    answers = (seen.account, seen.projects)
    if any(answer is not None and not isinstance(answer, Failure) for answer in answers):
        return None
    return next((answer for answer in answers if isinstance(answer, Failure)), None)


def _choose_token_remedy(refusal: Failure, *, expired: bool) -> str:
    if _DISABLED in refusal.message or (expired and refusal.kind is FailureKind.REFUSED):
        return _PERSONAL
    return refusal.hint or _AGAIN


def _judge_time_left(token: TokenFacts, seen: Observations) -> Finding:
    found = f"{token.kind}, which the server accepts"
    if token.expires is None:
        return ok(Check.TOKEN, f"{found}; it states no expiry")
    left = token.expires - seen.now
    until = f"{found}; it is valid until {_format_day(token.expires)}"
    if token.kind is TokenKind.ACCESS:
        return warn(Check.TOKEN, f"{found}; it expires in {_format_left(left)}", _PERSONAL)
    if left < _SOON_DAYS * _DAY:
        return warn(Check.TOKEN, f"{until}, {_format_left(left)} from now", _PERSONAL)
    return ok(Check.TOKEN, until)


def check_user(seen: Observations) -> Iterator[Finding]:
    """Report the user of the token and, if the server shows it, the role."""
    account = seen.account
    if isinstance(account, Account):
        yield _judge_account(account, seen.identity)
    elif isinstance(account, Failure) and _find_refusal(seen) is None:
        yield note(
            Check.USER,
            f"the server does not say whose token it is: {account.message}",
            "do nothing, if reports need not name the user",
        )


def _judge_account(account: Account, identity: ServerIdentity | Failure | None) -> Finding:
    found = account.user
    if account.organisation:
        found = f"{found} of organisation {account.organisation}"
    if account.role:
        found = f"{found}, with the role {_ROLES.get(account.role, account.role)}"
        if account.role in _LIMITED:
            return warn(
                Check.USER,
                f"{found}, which may not be allowed to change tasks",
                "use the token of a manager, an administrator or the owner",
            )
    elif isinstance(identity, ServerIdentity) and identity.edition == "Community":
        found = f"{found}; Label Studio Community has no roles"
    return ok(Check.USER, found)


def check_updates(seen: Observations) -> Iterator[Finding]:
    """Report whether the server offers updates to this user, and of which attributes."""
    honoured = seen.honoured
    if isinstance(honoured, Failure):
        yield note(
            Check.UPDATES,
            f"the server does not say which attributes an update stores: {honoured.message}",
            "may the user change tasks? apply checks the response to each update",
        )
    elif honoured is not None:
        stored = (honoured | ALWAYS_HONOURED) & seen.writable
        yield ok(
            Check.UPDATES,
            f"offered to this user; they store {len(stored)} of the {len(seen.writable)} "
            "attributes that manifests can declare",
        )


def check_pages(seen: Observations) -> Iterator[Finding]:
    """Report how many tasks the server lists at once, if a project is large enough to show it."""
    page = seen.page
    if isinstance(page, Failure):
        found = f"the task list cannot be read: {page.message}"
        # A single damaged task breaks a page; a plan reads the others without it.
        judge = warn if page.kind is FailureKind.OTHER else fail
        yield judge(Check.PAGES, found, page.hint or _CHECK_SERVER)
    elif page is not None:
        yield _judge_page(page)


def _judge_page(page: PageSeen) -> Finding:
    if page.rows < min(page.requested, page.total):
        return note(
            Check.PAGES,
            f"the server cuts pages to {page.rows:,} tasks; reconciler requests {page.requested:,}",
            f"set TASK_API_PAGE_SIZE_MAX of the server to {page.requested:,} or more, for faster "
            "plans of whole projects",
        )
    if page.total < page.requested:
        tasks = count_noun(page.total, "task")
        return ok(
            Check.PAGES,
            f"project {page.project} has {tasks}: too few to show the server's limit",
        )
    return ok(Check.PAGES, f"{page.rows:,} tasks at once, in {page.seconds:.1f} s")


def check_at_once(seen: Observations) -> Iterator[Finding]:
    """Report whether several requests at once are faster than one after the other."""
    at_once = seen.at_once
    if isinstance(at_once, Failure):
        yield note(Check.AT_ONCE, f"not measured: {at_once.message}", _CHECK_SERVER)
    elif isinstance(at_once, AtOnce):
        yield _judge_at_once(at_once)


def _judge_at_once(measured: AtOnce) -> Finding:
    gain = measured.requests * measured.alone / max(measured.together, 1e-9)
    found = (
        f"{measured.requests} small lists at once took {_format_time(measured.together)}, and one "
        f"alone {_format_time(measured.alone)}"
    )
    if gain >= _PARALLEL:
        return ok(Check.AT_ONCE, f"{found}: several are faster")
    return ok(Check.AT_ONCE, f"{found}: several are not clearly faster")


def check_stored_addresses(seen: Observations) -> Iterator[Finding]:
    """Report whether task lists show addresses as they are stored."""
    sample = seen.sample
    if isinstance(sample, Failure):
        found = f"the first tasks of {_name_project(seen)} cannot be read: {sample.message}"
        remedy = sample.hint or "run reconciler plan, which finds out which tasks are damaged"
        yield warn(Check.STORED_ADDRESSES, found, remedy)
        return
    if sample is None or not sample.tasks:
        return
    if sample.resolved:
        yield warn(
            Check.STORED_ADDRESSES,
            f"the task list shows {shorten(sample.resolved, 80)}, which the server generated, "
            "although the request forbids that",
            "does a proxy drop resolve_uri=false? plans block changes of such tasks",
        )
    elif sample.stored:
        tasks = count_noun(sample.stored, "task")
        yield ok(Check.STORED_ADDRESSES, f"shown as stored, in {tasks} that {_hold(sample)} one")
    else:
        tasks = count_noun(len(sample.tasks), "task")
        yield ok(Check.STORED_ADDRESSES, f"{tasks} looked at, none with a storage address in data")


def _name_project(seen: Observations) -> str:
    return f"project {seen.page.project}" if isinstance(seen.page, PageSeen) else "a project"


def _hold(sample: Sample) -> str:
    return "holds" if sample.stored == 1 else "hold"


def _format_day(moment: float | None) -> str:
    """Write the UTC date of a moment; years that Python cannot express are never."""
    if moment is None:
        return "an unknown day"
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "a day after the year 9999"


def _format_left(seconds: float) -> str:
    return f"{_format_span(seconds)}" if seconds > 0 else "0 s"


def _format_span(seconds: float) -> str:
    """Write a length of time in its largest fitting unit."""
    for unit, noun in ((_DAY, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            return count_noun(int(seconds // unit), noun)
    return f"{seconds:.0f} s"


def _format_time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"
