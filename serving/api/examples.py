"""The examples that the published interface description shows."""

from typing import Any

REQUEST: dict[str, Any] = {
    "as_of": "2026-06-22",
    "pupils": [
        {
            "id": "row-1",
            "school": 990001,
            "year_group": "9",
            "entry_date": "2023-09-04",
            "marks_string": {"start_date": "2026-06-01", "marks": "/\\/\\L\\/\\U\\/\\/\\O-/\\/\\/\\/\\L\\/\\/\\"},
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
            "not_scored": None,
        },
        {
            "id": "row-2",
            "school": 990001,
            "probability": None,
            "in_words": None,
            "usual": None,
            "usual_in_words": None,
            "rising": None,
            "rising_since": None,
            "reasons_for": [],
            "reasons_against": [],
            "not_scored": {
                "code": "too_few_marks",
                "sentence": "The marks given reach back less than 4 school weeks.",
            },
        },
    ],
}
