"""The demonstration's accounts, one for each role and one of another school, and colleagues who only stand in lists.

None of these people exist.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DemoAccount:
    """One account of the demonstration; `school` is a place in the list of its schools, None network-wide.

    `partner` is the agreement by which somebody of another organisation signs in.
    """

    subject: str
    name: str
    role: str
    school: int | None
    words: str
    partner: str = ""


ACCOUNTS = (
    DemoAccount(
        subject="school-lead",
        name="Demonstration school lead",
        role="school_lead",
        school=0,
        words="Leads pastoral care at one school: its list, its pupils, views and decisions",
    ),
    DemoAccount(
        subject="school-staff",
        name="Demonstration member of staff",
        role="school_staff",
        school=0,
        words="Works at the same school: its list, its pupils, views and decisions",
    ),
    DemoAccount(
        subject="other-school-lead",
        name="Demonstration lead of another school",
        role="school_lead",
        school=1,
        words="Leads at another school, and cannot see the first one's pupils",
    ),
    DemoAccount(
        subject="network-lead",
        name="Demonstration network lead",
        role="network_lead",
        school=None,
        words="Sees places first, then every school's list, and records no views",
    ),
    DemoAccount(
        subject="board-member",
        name="Demonstration board member",
        role="board_member",
        school=None,
        words="Sees the fairness audits, places and models, and no pupil",
    ),
    DemoAccount(
        subject="data-protection-officer",
        name="Demonstration data-protection officer",
        role="data_protection_officer",
        school=None,
        words="Answers corrections, gives other systems access, reads agreements and the log of looks; opens no pupil",
    ),
    DemoAccount(
        subject="data-scientist",
        name="Demonstration data scientist",
        role="data_scientist",
        school=None,
        words="Sees models, their drift and the fairness audits, and no pupil",
    ),
    DemoAccount(
        subject="administrator",
        name="Demonstration administrator",
        role="administrator",
        school=None,
        words="Adds and invites people, gives and takes roles, reads agreements and the log of looks; sees no pupil",
    ),
    DemoAccount(
        subject="youth-worker",
        name="Demonstration youth worker",
        role="partner",
        school=None,
        words="Works for the borough's youth service: what is agreed with it, and counts by place; no pupil's record",
        partner="youth-service",
    ),
    DemoAccount(
        subject="neighbourhood-officer",
        name="Demonstration neighbourhood officer",
        role="partner",
        school=None,
        words="Works in policing: counts by place that no pupil can be told from, and nothing else",
        partner="neighbourhood-police",
    ),
)


@dataclass(frozen=True, kw_only=True)
class DemoColleague:
    """Somebody for the administrator to look after, with no account to sign in by; days are before and after today."""

    name: str
    role: str
    school: int | None
    trained_ago: int | None
    ends_in: int | None = None


COLLEAGUES = (
    DemoColleague(name="Alex Example", role="school_staff", school=0, trained_ago=350),
    DemoColleague(name="Billie Example", role="school_staff", school=0, trained_ago=None),
    DemoColleague(name="Charlie Example", role="school_lead", school=1, trained_ago=60, ends_in=20),
    DemoColleague(name="Devon Example", role="network_lead", school=None, trained_ago=400, ends_in=-10),
)
