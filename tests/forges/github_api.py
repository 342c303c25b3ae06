"""The part of GitHub's API that reviews use, over the state of a forge.

https://docs.github.com/en/rest: pulls, commits, issues and their comments.
"""

from __future__ import annotations

import re
from typing import Final

from tests.forges.forge_state import (
    REPOSITORY,
    Account,
    Asked,
    Change,
    Comment,
    ForgeState,
    Issue,
    Reply,
    page_rows,
)

_COMMENT_MAX: Final = 65_536


def handle(state: ForgeState, asked: Asked) -> Reply:
    """Answer a request."""
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    account = state.accounts.get(token) if scheme == "Bearer" else None
    if account is None:
        return _refuse(401, "Bad credentials")
    if asked.path == "/graphql":
        return Reply(200, {"data": {"viewer": {"login": account.login}}})
    if asked.path == "/user":
        return _refuse(403, "Resource not accessible by integration")
    prefix = f"/repos/{REPOSITORY}"
    if not asked.path.startswith(prefix):
        return _refuse(404, "Not Found")
    if asked.method != "GET" and not account.may_write:
        return _refuse(403, "Resource not accessible by integration")
    return _route(state, account, asked, asked.path.removeprefix(prefix))


def _route(state: ForgeState, account: Account, asked: Asked, path: str) -> Reply:
    body = str(asked.body.get("body", ""))
    if len(body) > _COMMENT_MAX:
        return _refuse(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    match [asked.method, *path.strip("/").split("/")]:
        case ["GET", "pulls", number] if int(number) in state.changes:
            return Reply(200, _write_pull(state.changes[int(number)]))
        case ["GET", "branches" | "commits" as kind, name, *_]:
            is_branch = kind == "branches"
            return _read_branch(state, name) if is_branch else _list_pulls(state, asked, name)
        case ["GET", "issues", number, "comments"]:
            rows = [_write_comment(one) for one in state.comments_of(int(number))]
            return Reply(200, *page_rows(asked, list(rows)))
        case ["POST", "issues", number, "comments"]:
            return Reply(201, _write_comment(state.post(int(number), account.login, body)))
        case ["PATCH", "issues", "comments", number]:
            (comment,) = (one for one in state.comments if one.number == int(number))
            comment.body = body
            return Reply(200, _write_comment(comment))
        case [_, "issues", *rest]:
            return _serve_issues(state, account, asked, rest)
    return _refuse(404, "Not Found")


def _read_branch(state: ForgeState, branch: str) -> Reply:
    sha = state.repository.git("rev-parse", f"refs/heads/{branch}")
    return Reply(200, {"name": branch, "commit": {"sha": sha}})


def _list_pulls(state: ForgeState, asked: Asked, sha: str) -> Reply:
    """List the merged pull request that brought a commit, or else those that hold it."""
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        return _refuse(422, f"No commit found for SHA: {sha}")
    found = [one for one in state.changes.values() if sha in one.landed]
    if not found:
        found = [one for one in state.changes.values() if sha in one.commits]
    if state.lag:
        state.lag -= 1
        found = []
    return Reply(200, *page_rows(asked, [_write_pull(one) for one in found]))


def _serve_issues(state: ForgeState, account: Account, asked: Asked, rest: list[str]) -> Reply:
    if asked.method == "GET":
        creator = asked.query.get("creator")
        issues: list[object] = [
            _write_issue(one)
            for one in state.issues.values()
            if one.is_open and creator in {None, one.author}
        ]
        pulls: list[object] = [
            {**_write_pull(one), "pull_request": {"url": "..."}, "body": "A pull request"}
            for one in state.changes.values()
            if one.state == "open" and creator in {None, one.author}
        ]
        return Reply(200, *page_rows(asked, [*issues, *pulls]))
    if asked.method == "POST":
        number = state.number()
        title, body = str(asked.body["title"]), str(asked.body["body"])
        issue = state.issues[number] = Issue(number, account.login, title, body)
        return Reply(201, _write_issue(issue))
    issue = state.issues[int(rest[0])]
    issue.body = str(asked.body.get("body", issue.body))
    issue.is_open = asked.body.get("state", "open") == "open"
    return Reply(200, _write_issue(issue))


def _write_pull(change: Change) -> dict[str, object]:
    """Write a pull request: it is closed once it is merged."""
    is_merged = change.state == "merged"
    repository = {"full_name": change.repository} if change.repository else None
    return {
        "number": change.number,
        "state": "open" if change.state == "open" else "closed",
        "title": "Labels",
        "user": {"login": change.author, "type": "User"},
        "merged_at": "2026-01-01T00:00:00Z" if is_merged else None,
        "merge_commit_sha": change.landed[0] if is_merged else None,
        "head": {"ref": change.branch, "sha": change.head, "repo": repository},
        "base": {"ref": change.target, "sha": change.base, "repo": {"full_name": REPOSITORY}},
    }


def _write_comment(comment: Comment) -> dict[str, object]:
    return {
        "id": comment.number,
        "user": {"login": comment.author},
        "body": comment.body,
        "performed_via_github_app": None,
    }


def _write_issue(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.number * 1000,
        "number": issue.number,
        "user": {"login": issue.author},
        "title": issue.title,
        "body": issue.body or None,
        "state": "open" if issue.is_open else "closed",
    }


def _refuse(status: int, message: str) -> Reply:
    return Reply(status, {"message": message, "documentation_url": "https://docs.github.com/rest"})
