"""Whatever happens to the tasks while they are read, each is told of once and truly."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.core.model import Found, Missing, Unreadable
from reconciler.labelstudio.bulk.cost import ReadingLimits
from reconciler.sandbox.tasks_file import new_state
from tests.unit.labelstudio.bulk.changing import (
    answers,
    create,
    delete,
    each_once,
    edit,
    ids_of,
    move,
    poison,
)
from tests.unit.labelstudio.wired import Hooked, query_of

PROJECTS = (7, 8)
IDS = range(1, 90)

PAGE, LARGE, BATCH, SMALL = 8, 32, 4, 2
"""What the first page, any page and a batch hold here at most, and what is not made smaller: all
ways in few tasks."""


LIMITS = ReadingLimits(
    page_size=PAGE, page_size_max=LARGE, pages_min=2, batch=BATCH, size_min=SMALL
)


@dataclass(frozen=True)
class Event:
    """What happens to a task before the request of this number."""

    request: int
    what: str
    task: int


@dataclass(frozen=True)
class Case:
    """A project, what is wanted of it, and what befalls it."""

    tasks: dict[int, int]
    wanted: dict[int, int | None]
    poisoned: set[int]
    events: list[Event]
    page_size_max: int | None
    heavy_above: int
    long_above: int


def cases() -> st.SearchStrategy[Case]:
    ids = st.integers(min_value=IDS.start, max_value=IDS.stop - 1)
    kinds = st.sampled_from(["create", "delete", "edit", "move", "poison"])
    # Dense and thin, mostly in the project that is said, at times in another one.
    homes = st.sampled_from([7, 7, 7, 7, 8])
    said = st.sampled_from([7, 7, 7, 7, 8, None])
    dense = st.sets(ids, max_size=9).map(lambda gaps: dict.fromkeys(set(range(1, 70)) - gaps, 7))
    return st.builds(
        Case,
        st.dictionaries(ids, homes) | dense,
        st.dictionaries(ids, said, min_size=1) | st.just(dict.fromkeys(range(1, 75), 7)),
        st.sets(ids, max_size=3),
        st.lists(st.builds(Event, st.integers(1, 25), kinds, ids), max_size=12),
        st.none() | st.integers(1, LARGE),
        st.sampled_from([SMALL, 4, 100]),
        st.sampled_from([1, 3, 100]),
    )


@dataclass
class World:
    """The tasks of a case, and all that was so at any moment of a run."""

    case: Case
    transport: Hooked = field(init=False)
    versions: set[tuple[int, int, str]] = field(default_factory=set)
    absent: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.state = new_state("community")
        self.state.page_size_max = self.case.page_size_max
        for project in PROJECTS:
            self.state.add_project(f"Project {project}", number=project)
        for task, project in self.case.tasks.items():
            create(self.state, task, project=project, text="First.")
        poison(self.state, *(self.case.poisoned & self.state.tasks.keys()))
        self.transport = Hooked(self.state)
        self.transport.hook = self.before
        self.asked = 0
        self.note()

    def note(self) -> None:
        """Keep what is so now."""
        self.absent |= (set(IDS) | self.case.tasks.keys()) - self.state.tasks.keys()
        for number, task in self.state.tasks.items():
            data = task.values["data"]
            if isinstance(data, dict):
                self.versions.add((number, task.project, data["text"]))
            else:
                self.broken.add(number)

    def before(self, request: httpx.Request) -> httpx.Response | None:
        with self.state.lock:
            self.asked += 1
            for happened in self.case.events:
                if happened.request == self.asked:
                    self.happen(happened)
                    self.note()
        selected = ids_of(request)
        if selected is not None and len(selected) > self.case.long_above:
            return httpx.Response(414, html="<title>Too long</title>")
        if int(query_of(request).get("page_size", 0)) > self.case.heavy_above:
            return httpx.Response(504, html="<title>Gateway Time-out</title>")
        return None

    def happen(self, happened: Event) -> None:
        task, there = happened.task, happened.task in self.state.tasks
        if happened.what == "create":
            # The next gap: what lies behind it moves on, to a page where it is seen once more.
            free = next(number for number in count(task) if number not in self.state.tasks)
            create(self.state, free, project=7, text="Created.")
        elif happened.what == "delete" and there:
            delete(self.state, task)
        elif happened.what == "edit" and there:
            edit(self.state, task, f"Edited before request {happened.request}.")
        elif happened.what == "move" and there:
            move(self.state, task, project=15 - self.state.tasks[task].project)
        elif happened.what == "poison" and there:
            poison(self.state, task)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(cases())
def test_each_wanted_task_is_told_of_once_as_it_was_at_some_moment(case: Case):
    world = World(case)
    wanted: dict[int | None, list[int]] = {}
    for task, project in sorted(case.wanted.items()):
        wanted.setdefault(project, []).append(task)
    answered = answers(world.transport, wanted, limits=LIMITS)
    assert each_once(answered) == sorted(case.wanted)
    for task, observed in answered:
        match observed:
            case Found(row):
                assert isinstance(row["data"], dict)
                assert (task, row["project"], row["data"]["text"]) in world.versions
            case Missing():
                assert task in world.absent
            case Unreadable():
                assert task in world.broken
    # So a task that was there all the time, and whole, is found: nothing else is left for it.
    event(f"requests: {min(world.asked // 20 * 20, 200)}")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases())
def test_how_often_a_still_server_is_asked_is_bounded_by_what_is_wanted(case: Case):
    """A request a batch, a page or a missing task; each broken one its halvings."""
    still = Case(case.tasks, case.wanted, case.poisoned, [], None, 100, 100)
    world = World(still)
    wanted: dict[int | None, list[int]] = {}
    for task, project in sorted(case.wanted.items()):
        wanted.setdefault(project, []).append(task)
    answered = answers(world.transport, wanted, limits=LIMITS)
    not_there = sum(case.tasks.get(task) != project for task, project in case.wanted.items())
    broken = sum(isinstance(observed, Unreadable) for _, observed in answered)
    batches = sum(-(-len(ids) // BATCH) for ids in wanted.values())
    halvings = 2 * BATCH.bit_length()
    # Pages are taken only where they are fewer than batches, and some may break on their way.
    assert world.asked <= 3 * batches + len(PROJECTS) + not_there * 2 + (broken + 3) * halvings


@pytest.mark.parametrize("seed", range(4))
def test_the_same_holds_for_projects_of_thousands_in_pages_and_batches_of_full_size(seed: int):
    """Ids with gaps, of two projects; tasks are deleted and created as the pages go by."""
    step = seed + 1
    ids = range(1, 3200 * step, step)
    case = Case(
        tasks={task: 7 if task % 10 else 8 for task in ids},
        wanted=dict.fromkeys(range(1, 3300 * step, max(1, step - 1)), 7),
        poisoned={ids[0], ids[1234], ids[-1]},
        events=[
            Event(2 + number % 5, ("delete", "create", "edit", "move")[number % 4], task)
            for number, task in enumerate(range(1, 3200 * step, 37))
        ],
        page_size_max=(None, 400)[seed % 2],
        heavy_above=10_000,
        long_above=(10_000, 300)[seed % 2],
    )
    world = World(case)
    world.absent |= set(range(3300 * step)) - case.tasks.keys()
    answered = answers(world.transport, {7: list(case.wanted)})
    assert each_once(answered) == sorted(case.wanted)
    for task, observed in answered:
        if isinstance(observed, Found):
            data = observed.attributes["data"]
            assert isinstance(data, dict)
            assert (task, observed.attributes["project"], data["text"]) in world.versions
        elif isinstance(observed, Missing):
            assert task in world.absent
        else:
            assert task in world.broken
