"""Cases set aside, fresh starts, what pupils and families say, and corrections that they ask for."""

from alembic import op

revision = "0009"
down_revision = "0007"

TABLES = """
ALTER TABLE cases ADD COLUMN snoozed_until date;
CREATE TABLE snoozes (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT snoozes_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT snoozes_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT snoozes_school_urn_fkey REFERENCES schools,
  case_id uuid NOT NULL CONSTRAINT snoozes_case_id_fkey REFERENCES cases,
  person_id uuid NOT NULL CONSTRAINT snoozes_person_id_fkey REFERENCES people,
  until_on date NOT NULL, why text NOT NULL CHECK (length(why) >= 20),
  recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  -- Six weeks and no longer: the database too knows no pupil whom nobody looks at.
  CHECK (until_on > recorded_on AND until_on <= recorded_on + 42)
);
CREATE INDEX snoozes_pupil_id_idx ON snoozes (pupil_id);
CREATE INDEX snoozes_case_id_idx ON snoozes (case_id);
CREATE TABLE fresh_starts (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT fresh_starts_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT fresh_starts_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT fresh_starts_school_urn_fkey REFERENCES schools,
  person_id uuid NOT NULL CONSTRAINT fresh_starts_person_id_fkey REFERENCES people,
  from_on date NOT NULL, why text NOT NULL CHECK (length(why) >= 20), recorded_at timestamptz NOT NULL,
  CONSTRAINT fresh_starts_pupil_id_from_on_key UNIQUE (pupil_id, from_on)
);
CREATE TABLE voices (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT voices_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT voices_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT voices_school_urn_fkey REFERENCES schools,
  person_id uuid NOT NULL CONSTRAINT voices_person_id_fkey REFERENCES people,
  whose text NOT NULL CHECK (whose IN ('pupil', 'family')), said text NOT NULL CHECK (said <> ''),
  asked_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT voices_idempotency_key_key UNIQUE
);
CREATE INDEX voices_pupil_id_idx ON voices (pupil_id);
CREATE TABLE challenges (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT challenges_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT challenges_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT challenges_school_urn_fkey REFERENCES schools,
  person_id uuid NOT NULL CONSTRAINT challenges_person_id_fkey REFERENCES people,
  whose text NOT NULL CHECK (whose IN ('pupil', 'family')),
  about text NOT NULL CHECK (about IN ('records', 'list', 'decision')), said text NOT NULL CHECK (said <> ''),
  received_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT challenges_idempotency_key_key UNIQUE
);
CREATE INDEX challenges_pupil_id_idx ON challenges (pupil_id);
CREATE INDEX challenges_school_urn_idx ON challenges (school_urn);
CREATE TABLE challenge_steps (
  challenge_id uuid NOT NULL CONSTRAINT challenge_steps_challenge_id_fkey REFERENCES challenges,
  number integer NOT NULL CHECK (number > 0),
  school_urn integer NOT NULL CONSTRAINT challenge_steps_school_urn_fkey REFERENCES schools,
  person_id uuid NOT NULL CONSTRAINT challenge_steps_person_id_fkey REFERENCES people,
  step text NOT NULL CHECK (step IN ('extend', 'correct', 'correct_in_part', 'refuse', 'withdraw')),
  answer text NOT NULL CHECK (length(answer) >= 20), taken_on date NOT NULL, recorded_at timestamptz NOT NULL,
  CONSTRAINT challenge_steps_pkey PRIMARY KEY (challenge_id, number)
);
"""
# The data-protection officer works with no pupil's list, and answers for the records of every school. The setting
# opens corrections to be read, nothing else: who asks for one must see the school, and an answer goes with what it
# answers, under its school.
OFFICER = """
CREATE FUNCTION belong_answers() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('belong.answers', true), '') = 'yes';
"""
_MINE = "belong_sees(school_urn)"
_ANSWER = (
    "belong_everywhere() OR EXISTS (SELECT 1 FROM challenges c "
    "WHERE c.id = challenge_steps.challenge_id AND c.school_urn = challenge_steps.school_urn)"
)
# Table → the rows that are seen, and those that may be written.
SCOPED = {
    "snoozes": (_MINE, _MINE),
    "fresh_starts": (_MINE, _MINE),
    "voices": (_MINE, _MINE),
    "challenges": (f"{_MINE} OR belong_answers()", _MINE),
    "challenge_steps": (_ANSWER, _ANSWER),
}


def upgrade() -> None:
    """Make the tables, closed by school before they hold anything; nothing in them is ever changed in place."""
    op.execute(TABLES)
    op.execute(OFFICER)
    for table, (seen, written) in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({written})")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change()"
        )
    names = ", ".join(SCOPED)
    op.execute(
        f"GRANT SELECT, INSERT ON {names} TO belong_app; GRANT SELECT ON {names} TO belong_job; "
        "GRANT UPDATE (snoozed_until) ON cases TO belong_app"
    )


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute(f"DROP TABLE {', '.join(reversed(SCOPED))}; ALTER TABLE cases DROP COLUMN snoozed_until")
    op.execute("DROP FUNCTION belong_answers()")
