"""Every feature there is, gathered, checked and fingerprinted; and its page in the documentation."""

import hashlib
import json
from collections.abc import Sequence

from features.definitions.attendance import ATTENDANCE
from features.definitions.attendance_patterns import ATTENDANCE_PATTERNS
from features.definitions.behaviour import BEHAVIOUR
from features.definitions.behaviour_kinds import BEHAVIOUR_KINDS
from features.definitions.behaviour_patterns import BEHAVIOUR_PATTERNS
from features.definitions.lessons import LESSONS
from features.definitions.moves import MOVES
from features.definitions.sanction_patterns import SANCTION_PATTERNS
from features.definitions.sanctions import SANCTIONS
from features.definitions.season import SEASON
from features.definitions.strengths import STRENGTHS
from features.feature import GROUPS, Feature
from features.forms import FORMS
from features.measure import FORBIDDEN_CODES, HEALTH_CODES, NEUTRAL_CODES, Forbidden
from features.spans import said


def gather(*parts: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features in the order given.

    Raises
    ------
    Forbidden
        Two share a name, or one name of a measure stands for two measures.
    """
    features = tuple(feature for part in parts for feature in part)
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Forbidden(f"features declared twice: {', '.join(twice)}; give each its own name")
    measures: dict[str, object] = {}
    for feature in features:
        for measure in feature.measures:
            if measures.setdefault(measure.name, measure.declaration()) != measure.declaration():
                raise Forbidden(f"feature {feature.name!r}: measure {measure.name!r} is declared in two ways")
    return features


CATALOGUE: tuple[Feature, ...] = gather(
    ATTENDANCE,
    ATTENDANCE_PATTERNS,
    LESSONS,
    BEHAVIOUR,
    BEHAVIOUR_KINDS,
    BEHAVIOUR_PATTERNS,
    STRENGTHS,
    SANCTIONS,
    SANCTION_PATTERNS,
    MOVES,
    SEASON,
)


def fingerprint(features: Sequence[Feature] = CATALOGUE) -> str:
    """Return the SHA-256, in hexadecimal, of everything that decides the features' values and words, in order."""
    declared = json.dumps([feature.declaration() for feature in features], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(declared.encode("utf-8")).hexdigest()


def page() -> str:
    """Return the documentation page of the catalogue, in Markdown."""
    lines = [
        "# Features",
        "",
        f"{len(CATALOGUE)} features. Windows are in school weeks before the day of scoring; holidays are passed over.",
        "In a sentence 'the last year' is 39 school weeks and 'the last three years' are 117.",
        f"Sessions marked {', '.join(sorted(NEUTRAL_CODES))} are neutral: neither missed nor attended.",
        "",
        "No feature may read:",
        "",
    ]
    health = " and ".join(sorted(HEALTH_CODES))
    lines.append(f"- marks {health} (health), unless it names disability as its risk and the policy allows it by name")
    for (table, column), (codes, reason) in FORBIDDEN_CODES.items():
        lines.append(f"- `{table}.{column}`{': ' + ', '.join(sorted(codes)) if codes else ''}: {reason}")
    lines += ["", "## Forms", "", "| Form | Value | No value where there are |", "|---|---|---|"]
    lines += [f"| {kind} | {form.means} | {form.unknown or 'always a value'} |" for kind, form in FORMS.items()]
    for group in GROUPS:
        lines += [
            "",
            f"## {group}",
            "",
            "| Feature | Form | Window | Counts | Unit | When empty | Changeable | Said as | Source | May stand for |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [_row(feature) for feature in CATALOGUE if feature.group == group]
    return "\n".join(lines) + "\n"


def _row(feature: Feature) -> str:
    counts = " / ".join(measure.means for measure in feature.measures) or feature.context.replace("_", " ")
    window = said(feature.span) if feature.span != "weeks" else f"{feature.window_weeks} school weeks"
    if feature.kind == "context":
        window = "the day itself"
    if feature.before_weeks:
        window += f", beside the {feature.before_weeks} before"
    empty = "unknown" if feature.unknown else "never"
    if feature.when_empty is not None:
        empty = f"{feature.when_empty:g}"
    shares = feature.kind in ("share", "top_share") or (feature.per is not None and "share" in feature.unit)
    cells = (
        f"`{feature.name}`",
        feature.kind,
        window,
        counts,
        feature.unit,
        empty,
        "yes" if feature.changeable else "no",
        feature.sentence(0.25 if shares else 3.0),
        feature.source,
        f"{feature.proxy_risk.of}: {feature.proxy_risk.because}" if feature.proxy_risk else "",
    )
    return f"| {' | '.join(cells)} |"
