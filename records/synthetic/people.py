"""The simulated pupils: names, UPNs and protected characteristics. No child among them exists.

Shares by ethnicity, language, SEN provision and free school meals are plausible for London, set by hand:
the simulation needs their rough size and how they go together, not their exact value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.network import LONDON, School
from records.synthetic.rolls import NOT_ON_ROLL, Rolls

WINDOWS_A_YEAR = 6
# Shares of pupils at mess = 1: known by a temporary UPN at first; given another permanent UPN (two had been issued).
TEMPORARY_UPNS, CHANGED_UPNS = 0.01, 0.002
NEVER = 10_000
ELSEWHERE = (*range(330, 337), *range(340, 345), *range(350, 360), *range(370, 374), *range(380, 385), 390, 391)
# Kept down or taught a year ahead: out of the year group of their age.
OUT_OF_YEAR_SHARE = 0.004
# Establishment numbers that one cluster's UPNs may use, of the 999 that belong to no real school.
ESTABLISHMENTS_A_CLUSTER = 8
_CHECK = np.array(list("ABCDEFGHJKLMNPQRTUVWXYZ"))
# Code: (share of pupils %, log-odds of free school meals, share with English as an additional language)
_ETHNICITIES = {
    "WBRI": (25.0, 0.0, 0.02), "WIRI": (0.7, -0.1, 0.02), "WIRT": (0.2, 1.6, 0.05), "WROM": (0.4, 1.3, 0.75),
    "WOTH": (15.5, -0.1, 0.75), "MWBC": (3.0, 0.7, 0.03), "MWBA": (1.8, 0.4, 0.15), "MWAS": (2.2, -0.4, 0.15),
    "MOTH": (4.8, 0.1, 0.3), "AIND": (6.3, -1.1, 0.65), "APKN": (4.6, 0.1, 0.7), "ABAN": (7.0, 0.7, 0.85),
    "AOTH": (5.6, -0.2, 0.75), "BCRB": (4.4, 0.6, 0.05), "BAFR": (12.3, 0.4, 0.6), "BOTH": (2.4, 0.5, 0.3),
    "CHNE": (0.9, -1.0, 0.7), "OOTH": (6.4, 0.4, 0.8), "REFU": (1.0, 0.0, 0.35), "NOBT": (0.8, 0.1, 0.4),
}  # fmt: skip
_LANGUAGES = {
    "WOTH": ("POL", "RMN", "POR", "SPA", "TUR"), "WROM": ("RMN", "RME"), "AIND": ("GUJ", "PNJ", "TAM", "HIN"),
    "APKN": ("URD", "PNJ"), "ABAN": ("BNG",), "AOTH": ("TAM", "PRS", "TGL"), "BAFR": ("SOM", "YOR", "FRN", "AKA"),
    "CHNE": ("CHI",), "OOTH": ("ARA", "KUR", "PRS"),
}  # fmt: skip
_NEEDS = {
    "K": (("SEMH", 0.22), ("SLCN", 0.27), ("SPLD", 0.18), ("MLD", 0.17), ("ASD", 0.08), ("OTH", 0.08)),
    "E": (("ASD", 0.36), ("SLCN", 0.22), ("SEMH", 0.17), ("SLD", 0.09), ("MLD", 0.10), ("PD", 0.06)),
}
_FORENAMES = (
    "Aaliyah Abel Ada Ahmed Aisha Alfie Amara Amir Anya Arjun Ava Ayla Beatriz Callum Chidi Chloe Daniel Dara Divya "
    "Ella Emeka Esme Farah Felix Fatima Finn Grace Hana Harvey Hugo Ibrahim Imani Isla Jamal Jasmine Joseph Kai Kwame "
    "Layla Leo Lina Maja Marcus Maya Mei Mohammed Musa Nadia Naomi Noah Nora Oliver Omar Priya Rafael Rosa Ruby Samir "
    "Sara Sofia Tariq Theo Tomasz Yusuf Zara Zoë"
)
_ONSETS = "B Br C Ch D F Fl G Gr H J K L M N P Pr R S St T Th V W"
_VOWELS = "a e i o u ai ea oo"
_ENDINGS = "bury ckley dale den ford gate ham holt land ley low mere ness rick shaw ster ston thorpe ton wick worth"


@dataclass(frozen=True, kw_only=True)
class People:
    """The pupils' names and characteristics: one entry of each array per pupil.

    `sen` has a column per academic year (provision comes and changes); `need` is '' without provision.
    `fsm_start` and `fsm_end` are datetime64[D], NaT where there is no period or it is still open.
    `birth_days` are days of birth. `former_upn` is the number by which a few pupils are known, `temporary`
    or not, until the half-term window `permanent_from` (a number past the last: never); '' for the others.
    """

    upn: npt.NDArray[np.str_]
    forename: npt.NDArray[np.str_]
    surname: npt.NDArray[np.str_]
    birth_day: npt.NDArray[np.datetime64]
    sex: npt.NDArray[np.str_]
    ethnicity: npt.NDArray[np.str_]
    language: npt.NDArray[np.str_]
    sen: npt.NDArray[np.str_]
    need: npt.NDArray[np.str_]
    fsm_start: npt.NDArray[np.datetime64]
    fsm_end: npt.NDArray[np.datetime64]
    temporary: npt.NDArray[np.bool_]
    former_upn: npt.NDArray[np.str_]
    permanent_from: npt.NDArray[np.int64]

    def former(self, window: int) -> npt.NDArray[np.bool_]:
        """Return who is still known by the former UPN in a window."""
        return np.asarray((self.former_upn != "") & (window < self.permanent_from))


def upn_check_letters(bodies: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return the check letter of each UPN body of 12 digits: weights 2 to 13, remainder by 23 (DfE, UPN guide)."""
    digits = bodies.astype("U12").view("U1").reshape(len(bodies), 12).astype(np.int64)
    letters: npt.NDArray[np.str_] = _CHECK[(digits @ np.arange(2, 14)) % 23]
    return letters


def make_upns(first_year: npt.NDArray[np.int64], rng: np.random.Generator, cluster: int = 0) -> npt.NDArray[np.str_]:
    """Return distinct valid UPNs: check letter, London authority, establishment below 1000, year, serial.

    No real school has such an establishment number, so none of these can be a real child's. Each cluster has
    establishments of its own, so no two clusters share a number.
    """
    bodies = np.empty(len(first_year), "U12")
    for year in np.unique(first_year):
        mine = np.flatnonzero(first_year == year)
        number = rng.permutation(len(mine))
        authority = np.array(LONDON)[number % len(LONDON)]
        block, serial = np.divmod(number // len(LONDON), 1000)
        assert int(block.max()) < ESTABLISHMENTS_A_CLUSTER, "more pupils of one year than a cluster has UPNs for"
        establishment = 1 + ESTABLISHMENTS_A_CLUSTER * cluster + block
        bodies[mine] = [
            f"{a}{e:04d}{year % 100:02d}{s:03d}"
            for a, e, s in zip(authority.tolist(), establishment.tolist(), serial.tolist(), strict=True)
        ]
    return np.char.add(upn_check_letters(bodies), bodies)


def _temporary_upns(upns: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return a temporary UPN for each, distinct where they are.

    The last digit becomes the letter of the same value (A is 0, B is 1), so the check letter stays.
    """
    return np.array([upn[:12] + str(_CHECK[int(upn[12])]) for upn in upns.tolist()])


def _former_upns(
    upns: npt.NDArray[np.str_], mess: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.str_]]:
    """Return who has a temporary UPN at first, and the former UPN of those who have one."""
    draw = rng.random(len(upns))
    temporary = draw < TEMPORARY_UPNS * mess
    changed = ~temporary & (draw < (TEMPORARY_UPNS + CHANGED_UPNS) * mess)
    former = np.full(len(upns), "", "U13")
    former[temporary] = _temporary_upns(upns[temporary])
    # The other number was issued by an authority elsewhere, one for each of London's: it stays distinct.
    bodies = np.array([f"{ELSEWHERE[LONDON.index(int(u[1:4]))]}{u[4:]}" for u in upns[changed].tolist()], "U12")
    former[changed] = np.char.add(upn_check_letters(bodies), bodies) if len(bodies) else bodies
    return temporary, former


def make_people(
    schools: Sequence[School],
    rolls: Rolls,
    years: Sequence[int],
    mess: float,
    rng: np.random.Generator,
    *,
    cluster: int = 0,
) -> People:
    """Return the pupils of these rolls; each follows the deprivation of the first school attended."""
    number = len(rolls.first_upn_year)
    on_roll = rolls.school != NOT_ON_ROLL
    first_week = on_roll.argmax(axis=1)
    first_school = rolls.school[np.arange(number), first_week]
    deprivation = np.array([s.deprivation for s in schools])[first_school]
    special = np.array([s.phase == "SP" for s in schools])[first_school]
    sex = np.where(rng.random(number) < np.where(special, 0.7, 0.51), "M", "F")
    ethnicity = _ethnicity(first_school, len(schools), rng)
    fsm = _chance(-1.15 + deprivation + _of(ethnicity, 1) + 0.5 * special, rng)
    sen, need = _sen(sex, fsm, special, len(years), rng)
    start, end = _fsm_periods(fsm, years[0], rng)
    upn = make_upns(rolls.first_upn_year, rng, cluster)
    temporary, former = _former_upns(upn, mess, rng)
    return People(
        upn=upn,
        forename=rng.choice(_FORENAMES.split(), number),
        surname=_surnames(number, rng),
        birth_day=_birth_days(rolls.first_upn_year, rng),
        sex=sex,
        ethnicity=ethnicity,
        language=_language(ethnicity, rng),
        sen=sen,
        need=need,
        fsm_start=start,
        fsm_end=end,
        temporary=temporary,
        former_upn=former,
        permanent_from=np.where(
            temporary & (rng.random(number) < 0.5), NEVER, rng.integers(1, WINDOWS_A_YEAR * len(years), number)
        ),
    )


def _of(ethnicity: npt.NDArray[np.str_], column: int) -> npt.NDArray[np.float64]:
    names, codes = np.unique(ethnicity, return_inverse=True)
    return np.array([_ETHNICITIES[str(name)][column] for name in names])[codes]


def _chance(log_odds: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    return np.asarray(rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds)))


def _ethnicity(first_school: npt.NDArray[np.int8], schools: int, rng: np.random.Generator) -> npt.NDArray[np.str_]:
    names = np.array(list(_ETHNICITIES))
    share = np.array([row[0] for row in _ETHNICITIES.values()])
    found = np.empty(len(first_school), "U4")
    for school in range(schools):
        mine = first_school == school
        # Schools differ: a Dirichlet draw around London's mix.
        mix = rng.dirichlet(share / share.sum() * 40 + 1e-3)
        found[mine] = rng.choice(names, int(mine.sum()), p=mix)
    return found


def _language(ethnicity: npt.NDArray[np.str_], rng: np.random.Generator) -> npt.NDArray[np.str_]:
    found = np.full(len(ethnicity), "ENG", "U3")
    additional = rng.random(len(ethnicity)) < _of(ethnicity, 2)
    for name in _ETHNICITIES:
        mine = additional & (ethnicity == name)
        found[mine] = rng.choice(_LANGUAGES.get(name, ("OTH",)), int(mine.sum()))
    return found


def _sen(
    sex: npt.NDArray[np.str_],
    fsm: npt.NDArray[np.bool_],
    special: npt.NDArray[np.bool_],
    years: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    support = _chance(-2.25 + 0.5 * (sex == "M") + 0.6 * fsm, rng)
    plan = _chance(-3.7 + 0.8 * (sex == "M") + 0.4 * fsm, rng) | special
    level = np.where(plan, "E", np.where(support, "K", "N"))
    sen = np.repeat(level[:, None], years, axis=1)
    # Some needs are only recognised after a year or two; a plan is often preceded by support.
    late = (level != "N") & ~special & (rng.random(len(level)) < 0.15)
    before = np.where((level == "E") & (rng.random(len(level)) < 0.7), "K", "N")
    recognised = rng.integers(1, max(2, years), len(level))
    for year in range(years):
        sen[:, year] = np.where(late & (year < recognised), before, level)
    need = np.full(len(level), "", "U4")
    for provision, choices in _NEEDS.items():
        mine = level == provision
        need[mine] = rng.choice([n for n, _ in choices], int(mine.sum()), p=[p for _, p in choices])
    return sen, need


def _fsm_periods(
    fsm: npt.NDArray[np.bool_], first_year: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    number, zero = len(fsm), np.datetime64(f"{first_year}-09-01", "D")
    began = zero + rng.integers(-1400, 300, number).astype("timedelta64[D]")
    ended = began + rng.integers(300, 1200, number).astype("timedelta64[D]")
    nat = np.datetime64("NaT", "D")
    over = rng.random(number) < 0.12
    return np.where(fsm, began, nat), np.where(fsm & over, ended, nat)


def _birth_days(first_year: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.datetime64]:
    start = np.array([f"{year - 5}-09-01" for year in first_year], "datetime64[D]")
    out_of_year = np.where(rng.random(len(start)) < OUT_OF_YEAR_SHARE, rng.choice((-365, 365), len(start)), 0)
    days = rng.integers(0, 365, len(start)) + out_of_year
    born: npt.NDArray[np.datetime64] = start + days.astype("timedelta64[D]")
    return born


def _surnames(number: int, rng: np.random.Generator) -> npt.NDArray[np.str_]:
    """Return readable surnames that nobody has: 'Example-Brooston'."""
    parts = [rng.choice(part.split(), number) for part in (_ONSETS, _VOWELS, _ENDINGS)]
    return np.array(["Example-" + "".join(three) for three in zip(*parts, strict=True)])
