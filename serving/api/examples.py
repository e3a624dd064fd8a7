"""The examples that the published interface description shows."""

from typing import Any

_TWO_WEEKS = "/\\" * 10
_HALF_TERM = "-" * 10

REQUEST: dict[str, Any] = {
    "as_of": "2026-06-22",
    "pupils": [
        {
            "id": "row-1",
            "school": 990001,
            "year_group": "9",
            "entry_date": "2023-09-04",
            "marks_string": {
                "start_date": "2026-05-11",
                "marks": _TWO_WEEKS + _HALF_TERM + "/\\/\\L\\/\\U\\/\\/\\O-/\\/\\/\\/\\L\\/\\/\\",
            },
            "behaviour": [
                {"date": "2026-06-09", "type": "Disruption", "severity": 2, "outcome": "Detention"},
                {"date": "2026-06-17", "type": "Defiance", "severity": 3, "outcome": "Internal Exclusion"},
            ],
            "suspensions": [{"start_date": "2025-11-12", "sessions": 4}],
        },
        {
            "id": "row-2",
            "school": 990001,
            "year_group": "8",
            "entry_date": "2024-09-03",
            "marks": [{"date": "2026-06-19", "session": "AM", "code": "/"}],
        },
    ],
}

ANSWER: dict[str, Any] = {
    "as_of": "2026-06-22",
    "horizon_school_weeks": 6,
    "outcome": "a suspension or permanent exclusion starts",
    "bundle": "5f0c" + 60 * "0",
    "approval": {
        "id": "91ab" + 60 * "0",
        "policy": "77d0" + 60 * "0",
        "verdict": "WAIVED",
        "expires_on": "2026-09-18",
        "monitoring_plan": "The audit runs again every week on outcomes that have matured.",
    },
    "demonstration": True,
    "notices": ["Demonstration: the pupils are simulated and the signatures are a demonstration's."],
    "scores": [
        {
            "id": "row-1",
            "school": 990001,
            "as_of": "2026-06-22",
            "probability": 0.083,
            "in_words": "about 8 in 100",
            "usual": 0.014,
            "usual_in_words": "about 1 in 100",
            "rising": "yes",
            "rising_since": "2026-06-08",
            "reasons_for": [
                {
                    "group": "Time in lessons",
                    "sentence": "removed from lessons 1 time in the last 4 school weeks",
                    "share": "most",
                    "changeable": True,
                }
            ],
            "reasons_against": [],
            "eased_on": "2026-04-20",
            "eased_in_words": "about 3 in 100",
            "changed": [
                {
                    "way": "up",
                    "group": "Time in lessons",
                    "sentence": "Removals from lessons: 1 in the last 4 school weeks, 0 in the 4 before 20 April",
                    "share": "most",
                    "changeable": True,
                }
            ],
            "would_lower": [
                {
                    "group": "Time in lessons",
                    "sentence": "If time in lessons (removals from lessons) were again as before 20 April",
                    "in_words": "about 4 in 100",
                }
            ],
            "not_scored": None,
        },
        {
            "id": "row-2",
            "school": 990001,
            "as_of": "2026-06-22",
            "probability": None,
            "in_words": None,
            "usual": None,
            "usual_in_words": None,
            "rising": None,
            "rising_since": None,
            "reasons_for": [],
            "reasons_against": [],
            "eased_on": None,
            "eased_in_words": None,
            "changed": [],
            "would_lower": [],
            "not_scored": {
                "code": "too_few_marks",
                "sentence": "The marks given reach back less than 4 school weeks.",
            },
        },
    ],
}

LIVE: dict[str, Any] = {"status": "live"}

READY: dict[str, Any] = {
    "status": "ready",
    "bundle": ANSWER["bundle"],
    "approval": ANSWER["approval"],
    "demonstration": True,
}

ROWS: dict[str, Any] = {
    "fingerprint": "64 hexadecimal digits: the catalogue's, as `belong features` and every bundle name it",
    "names": ["missed_rate_4w", "incidents_4w"],
    "rows": [[0.05, 2.0], [None, 0.0]],
    "reasons": True,
}

ROWS_SCORED: dict[str, Any] = {
    "bundle": ANSWER["bundle"],
    "approval": ANSWER["approval"]["id"],
    "demonstration": True,
    "probabilities": [0.083, 0.011],
    "reasons": [
        {"reasons_for": ANSWER["scores"][0]["reasons_for"], "reasons_against": []},
        {"reasons_for": [], "reasons_against": []},
    ],
}

TOKEN: dict[str, Any] = {
    "access_token": "eyJ...",
    "token_type": "Bearer",
    "expires_in": 900,
    "scope": "lists:read",
}

LISTED: dict[str, Any] = {
    "pupil": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "upn": None,
    "school": 990001,
    "year_group": "9",
    "on_list": True,
    "since": "2026-06-22",
    "until": "2026-08-03",
    "left_on": None,
    "facts": [
        "Removals from lessons 3 in the last 4 weeks, 0 in the 4 before.",
        "Late marks 6 in the last 4 weeks, 1 in the 4 before.",
    ],
    "data_to": "2026-06-19",
    "updated_at": "2026-06-22T04:10:07.412000Z",
    "score": None,
    "score_withheld": None,
}

_NOTICES = ["Demonstration: the pupils are simulated and the signatures are a demonstration's."]

LISTS: dict[str, Any] = {"notices": _NOTICES, "pupils": [LISTED], "next": None}

CHANGES: dict[str, Any] = {
    "notices": _NOTICES,
    "changes": [{"at": "2026-06-22T04:10:07.412000Z", "what": "joined", "pupil": LISTED}],
    "next": "gAAAA...",
    "more": False,
}

HISTORY: dict[str, Any] = {
    "pupil": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "upn": None,
    "school": 990001,
    "year_group": "9",
    "left_on": None,
    "data_to": "2026-06-19",
    "notices": _NOTICES,
    "weeks": [
        {
            "week_start": "2026-06-15",
            "sessions_possible": 10,
            "sessions_missed": 1,
            "late_marks": 2,
            "incidents": 3,
            "removals": 1,
            "positives": 0,
            "suspended": False,
        }
    ],
    "events": [
        {
            "happened_on": "2026-06-18",
            "kind": "incident",
            "what": "Removed from a lesson",
            "place": "Classroom",
            "sessions": None,
        }
    ],
    "on_list": [{"since": "2026-06-22", "left_on": None}],
    "scores": None,
}
