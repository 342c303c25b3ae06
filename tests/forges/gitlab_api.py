"""The part of GitLab's API that reviews use, over the state of a forge.

https://docs.gitlab.com/api/: merge requests, commits, notes and issues.
"""

from __future__ import annotations

from typing import Final

from tests.forges.forge_state import (
    PROJECT,
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

FORK: Final = 99
_NOTE_MAX: Final = 1_000_000


def handle(state: ForgeState, asked: Asked) -> Reply:
    """Answer a request."""
    account = state.accounts.get(asked.headers.get("private-token", ""))
    path = asked.path.removeprefix("/api/v4")
    if account is None:
        return Reply(401, {"message": "401 Unauthorized"})
    if path == "/user":
        return Reply(200, {"id": 7, "username": account.login, "bot": True})
    prefix = f"/projects/{PROJECT}"
    if not path.startswith(f"{prefix}/"):
        return Reply(404, {"message": "404 Project Not Found"})
    if asked.method != "GET" and not account.may_write:
        return Reply(403, {"error": "insufficient_scope", "scope": "api"})
    if len(str(asked.body.get("body", ""))) > _NOTE_MAX:
        return Reply(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})
    return _route(state, account, asked, path.removeprefix(prefix))


def _route(state: ForgeState, account: Account, asked: Asked, path: str) -> Reply:
    body = str(asked.body.get("body", ""))
    match [asked.method, *path.strip("/").split("/")]:
        case ["GET", "merge_requests", number] if int(number) in state.changes:
            return Reply(200, _write_request(state.changes[int(number)]))
        case ["GET", "repository" | "pipelines", *_]:
            return _read_repository(state, asked, path)
        case ["GET", "merge_requests", number, "notes"]:
            return _list_notes(state, asked, int(number))
        case ["POST", "merge_requests" | "issues", number, "notes"]:
            return Reply(201, _write_note(state.post(int(number), account.login, body)))
        case ["PUT", "merge_requests", _, "notes", number]:
            (note,) = (one for one in state.comments if one.number == int(number))
            if note.author != account.login:
                return Reply(403, {"message": "403 Forbidden"})
            note.body = body
            return Reply(200, _write_note(note))
        case [_, "issues", *rest]:
            return _serve_issues(state, account, asked, rest)
    return Reply(404, {"error": "404 Not Found"})


def _read_repository(state: ForgeState, asked: Asked, path: str) -> Reply:
    match path.strip("/").split("/"):
        case ["pipelines", number, "jobs"]:
            return _list_jobs(state, asked, int(number))
        case ["repository", "branches", branch]:
            sha = state.repository.git("rev-parse", f"refs/heads/{branch}")
            return Reply(200, {"name": branch, "commit": {"id": sha}})
        case ["repository", "commits", sha, "merge_requests"]:
            return _list_requests(state, asked, sha)
    return Reply(404, {"error": "404 Not Found"})


def _list_jobs(state: ForgeState, asked: Asked, pipeline: int) -> Reply:
    """List the jobs of a pipeline: of those that were retried, the last alone unless asked."""
    jobs = [(job, name) for run, job, name in state.jobs if run == pipeline]
    if asked.query.get("include_retried") != "true":
        jobs = [(job, name) for name, job in {name: job for job, name in jobs}.items()]
    return Reply(200, *page_rows(asked, [{"id": job, "name": name} for job, name in jobs]))


def _list_requests(state: ForgeState, asked: Asked, sha: str) -> Reply:
    """List the merge requests whose merge brought a commit, or that hold it."""
    found = [one for one in state.changes.values() if sha in {*one.landed, *one.commits}]
    if state.lag:
        state.lag -= 1
        found = [one for one in found if one.state != "merged"]
    return Reply(200, *page_rows(asked, [_write_request(one) for one in found]))


def _list_notes(state: ForgeState, asked: Asked, number: int) -> Reply:
    """List notes: those that the account may not see are removed from the page."""
    page, headers = page_rows(asked, list(state.comments_of(number)))
    notes = [one for one in page if isinstance(one, Comment) and not one.is_hidden]
    return Reply(200, [_write_note(one) for one in notes], headers)


def _serve_issues(state: ForgeState, account: Account, asked: Asked, rest: list[str]) -> Reply:
    if asked.method == "GET":
        author = asked.query.get("author_username")
        rows: list[object] = [
            _write_issue(one)
            for one in state.issues.values()
            if one.is_open and one.author == author and asked.query.get("scope") == "all"
        ]
        return Reply(200, *page_rows(asked, rows))
    if asked.method == "POST":
        number = state.number()
        title, body = str(asked.body["title"]), str(asked.body["description"])
        issue = state.issues[number] = Issue(number, account.login, title, body)
        return Reply(201, _write_issue(issue))
    issue = state.issues[int(rest[0])]
    issue.body = str(asked.body.get("description", issue.body))
    issue.is_open = asked.body.get("state_event") != "close"
    return Reply(200, _write_issue(issue))


def _write_request(change: Change) -> dict[str, object]:
    source = {REPOSITORY: PROJECT, None: None}.get(change.repository, FORK)
    return {
        "id": change.number * 1000,
        "iid": change.number,
        "project_id": PROJECT,
        "state": "opened" if change.state == "open" else change.state,
        "sha": change.head,
        "source_branch": change.branch,
        "target_branch": change.target,
        "source_project_id": source,
        "target_project_id": PROJECT,
        "author": {"username": change.author},
    }


def _write_note(note: Comment) -> dict[str, object]:
    return {
        "id": note.number,
        "body": note.body,
        "author": {"username": note.author},
        "system": note.author == "GitLab",
    }


def _write_issue(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.number * 1000,
        "iid": issue.number,
        "author": {"username": issue.author},
        "title": issue.title,
        "description": issue.body,
        "state": "opened" if issue.is_open else "closed",
    }
