"""The impact on annotations in words, and added up."""

from __future__ import annotations

import pytest

from reconciler.core.annotation_impact import UNREAD, AnnotationImpact, add_impacts


@pytest.mark.parametrize(
    ("impact", "words"),
    [
        (
            AnnotationImpact(7, (1, 2, 3), 40, moved=12, beyond=3, unknown=5),
            (
                "7 annotations by 3 people; 12 of 40 regions would be at other words, 3 beyond "
                "the end, 5 cannot be told"
            ),
        ),
        (
            AnnotationImpact(1, (1,), 1, unknown=1),
            "1 annotation by 1 person; 1 of 1 region cannot be told",
        ),
        (
            AnnotationImpact(2, (), 1_200, beyond=1_100),
            "2 annotations; 1,100 of 1,200 regions would be beyond the end",
        ),
        (AnnotationImpact(2, (1,), 3), "2 annotations by 1 person; 3 regions would still fit"),
        (AnnotationImpact(2, (1,)), "2 annotations by 1 person; no regions"),
        (AnnotationImpact(), "0 annotations"),
        (UNREAD, "the annotations of 1 task could not be read"),
        (
            AnnotationImpact(1, (4,), 1, unread=2),
            (
                "1 annotation by 1 person; 1 region would still fit; the annotations of 2 tasks "
                "could not be read"
            ),
        ),
    ],
)
def test_an_impact_in_words(impact: AnnotationImpact, words: str):
    assert str(impact) == words


def test_impacts_add_up_with_each_person_once():
    one = AnnotationImpact(2, (1, 3), 5, moved=1, unknown=2)
    other = AnnotationImpact(1, (2, 3), 4, beyond=4)
    total = AnnotationImpact(3, (1, 2, 3), 9, moved=1, beyond=4, unknown=2, unread=1)
    assert add_impacts([one, None, other, UNREAD]) == total
    assert add_impacts([None, one]) == one
    assert add_impacts([None]) is None
