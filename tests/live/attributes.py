"""The attributes of a task on the community edition, by what can be done with them."""

from __future__ import annotations

READABLE = frozenset(
    {
        *("id", "predictions", "annotations", "drafts", "annotators", "inner_id", "data", "meta"),
        *("cancelled_annotations", "total_annotations", "total_predictions", "completed_at"),
        *("annotations_results", "predictions_results", "predictions_score", "file_upload"),
        *("storage_filename", "annotations_ids", "predictions_model_versions", "avg_lead_time"),
        *("draft_exists", "updated_by", "created_at", "updated_at", "is_labeled", "overlap"),
        *("comment_count", "unresolved_comment_count", "last_comment_updated_at", "project"),
        "comment_authors",
    }
)
ONLY_IN_FULL = frozenset(
    {
        *("predictions", "annotations", "completed_at", "predictions_score"),
        *("avg_lead_time", "draft_exists"),
    }
)
ANSWERED = frozenset(
    {
        *("id", "data", "meta", "created_at", "updated_at", "is_labeled", "overlap", "inner_id"),
        *("total_annotations", "cancelled_annotations", "total_predictions", "comment_count"),
        *("unresolved_comment_count", "last_comment_updated_at", "project", "updated_by"),
        *("file_upload", "comment_authors", "annotations", "predictions"),
    }
)
STORED: dict[str, object] = {
    "cancelled_annotations": 7,
    "comment_count": 7,
    "data": {"text": "new"},
    "inner_id": 7,
    "is_labeled": True,
    "last_comment_updated_at": "2026-01-02T03:04:05.123456Z",
    "meta": {"new": True},
    "overlap": 7,
    "total_annotations": 7,
    "total_predictions": 7,
    "unresolved_comment_count": 7,
}
IGNORED: dict[str, object] = {
    "allow_skip": False,
    "avg_lead_time": 1.5,
    "completed_at": "2026-01-02T03:04:05Z",
    "draft_exists": True,
    "ground_truth": True,
    "precomputed_agreement": 0.5,
    "predictions_score": 0.5,
    "reviewed": True,
    "reviews_accepted": 1,
    "reviews_rejected": 1,
}
