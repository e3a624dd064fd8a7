"""What each kind of look is called on a page; one that is not named here shows by its own name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "see_caseload": "Opened the week's list",
        "listed": "Saw the pupil on a list",
        "see_pupil": "Opened the pupil's page",
        "pupil_not_in_scope": "Asked for a page that is not theirs",
        "record_view": "Recorded their own view",
        "record_decision": "Recorded what happens next",
        "set_aside": "Set the case aside",
        "grant_fresh_start": "Granted a fresh start",
        "take_case": "Took the case on",
        "hand_over": "Handed the case over",
        "see_handover": "Opened handing over",
        "arrange_cover": "Arranged cover",
        "end_cover": "Ended a cover",
        "print_list": "Printed the list",
        "take_list": "Downloaded the list",
        "print_pupil": "Printed the pupil's page",
        "take_letter": "Took the letter",
        "record_voice": "Wrote down what they said",
        "record_support": "Wrote down support",
        "see_programmes": "Opened programmes",
        "save_programme": "Entered a programme",
        "record_challenge": "Wrote down a correction asked for",
        "see_challenges": "Opened corrections asked for",
        "listed_challenge": "Saw a correction asked for",
        "see_challenge": "Opened a correction",
        "answer_challenge": "Answered a correction",
        "see_roll": "Opened the roll",
        "see_records": "Opened a school's records",
        "see_uploads": "Opened files brought",
        "see_upload": "Opened a file brought",
        "bring_data": "Brought a file",
        "see_places": "Opened counts by place",
        "see_lookbacks": "Opened the learning reviews",
        "listed_lookback": "Saw the pupil among learning reviews",
        "see_lookback": "Opened a learning review",
        "take_lookback": "Took a learning review on",
        "record_lookback": "Wrote in a learning review",
        "conclude_lookback": "Concluded a learning review",
        "reopen_lookback": "Opened a learning review again",
        "see_themes": "Opened what learning reviews say",
        "take_themes": "Took what learning reviews say",
        "see_continuum": "Opened the exclusions continuum",
        "see_models": "Opened the models",
        "see_quality": "Opened the quality of records",
        "see_audit": "Opened an audit",
        "see_report": "Opened the board's report",
        "take_report": "Took the board's report",
        "export_pupil": "Took a copy of everything held",
        "see_history": "Asked for recorded history",
        "score_stored": "Asked for a stored score",
        "score_posted": "Asked for a score of posted records",
        "score_rows": "Asked for scores of feature rows",
        "see_looks": "Read this log",
        "see_volumes": "Read unusual volumes",
        "add_person": "Added somebody",
        "save_details": "Changed a name or address",
        "give_role": "Gave a role",
        "take_role": "Took a role away",
        "end_person": "Ended somebody who left",
        "let_back": "Let somebody back in",
        "invite_person": "Invited somebody",
        "withdraw_invitation": "Withdrew an invitation",
        "accept_invitation": "Accepted an invitation",
        "break_glass": "The break-glass account",
        "grant_integration": "Gave a system access",
        "rotate_integration": "Made a new secret for a system",
        "revoke_secret": "Withdrew a system's secret",
        "revoke_integration": "Took a system's access away",
    }
)
# What else a look noted is of use to people here; the rest is ids and filters for whoever reads the table itself.
_TOLD: Final = frozenset(
    {"print_list", "take_list", "print_pupil", "give_role", "take_role", "grant_integration", "break_glass"}
)


def about_words(action: str, detail: str) -> str:
    """Return what else is shown of a look; '' for most."""
    return detail if action in _TOLD else ""
