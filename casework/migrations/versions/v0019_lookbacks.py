"""Learning reviews: what opened each, the weeks before as they were known, steps, and what people say."""

from alembic import op

revision = "0019"
down_revision = "0018"

TABLES = """
CREATE TABLE lookbacks (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT lookbacks_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT lookbacks_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT lookbacks_school_urn_fkey REFERENCES schools,
  kind text NOT NULL CHECK (kind IN ('permanent', 'long')),
  event_on date NOT NULL, opened_on date NOT NULL, due_on date NOT NULL CHECK (due_on > opened_on),
  payload jsonb NOT NULL,
  CONSTRAINT lookbacks_pupil_id_school_urn_event_on_key UNIQUE (pupil_id, school_urn, event_on)
);
CREATE INDEX lookbacks_pupil_id_idx ON lookbacks (pupil_id);
CREATE INDEX lookbacks_school_urn_idx ON lookbacks (school_urn);
CREATE TABLE lookback_steps (
  lookback_id uuid NOT NULL CONSTRAINT lookback_steps_lookback_id_fkey REFERENCES lookbacks,
  number integer NOT NULL CHECK (number > 0),
  school_urn integer NOT NULL CONSTRAINT lookback_steps_school_urn_fkey REFERENCES schools,
  person_id uuid CONSTRAINT lookback_steps_person_id_fkey REFERENCES people,
  step text NOT NULL CHECK (step IN ('take', 'conclude', 'reopen', 'withdraw', 'restore', 'redate')),
  event_on date CHECK ((step = 'redate') = (event_on IS NOT NULL)),
  taken_on date NOT NULL, recorded_at timestamptz NOT NULL,
  CONSTRAINT lookback_steps_pkey PRIMARY KEY (lookback_id, number),
  -- What only the nightly job does, nobody does by hand, and the other way round.
  CHECK ((person_id IS NULL) = (step IN ('withdraw', 'restore', 'redate')))
);
CREATE TABLE lookback_notes (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT lookback_notes_pkey PRIMARY KEY,
  lookback_id uuid NOT NULL CONSTRAINT lookback_notes_lookback_id_fkey REFERENCES lookbacks,
  school_urn integer NOT NULL CONSTRAINT lookback_notes_school_urn_fkey REFERENCES schools,
  person_id uuid NOT NULL CONSTRAINT lookback_notes_person_id_fkey REFERENCES people,
  kind text NOT NULL CHECK (kind IN ('adult', 'needed')), said text NOT NULL CHECK (said <> ''),
  themes text[] NOT NULL CHECK ((kind = 'needed') = (cardinality(themes) > 0)),
  recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT lookback_notes_idempotency_key_key UNIQUE
);
CREATE INDEX lookback_notes_lookback_id_idx ON lookback_notes (lookback_id);
"""
# A step or note goes with its look-back, under its school.
_PART = (
    "belong_everywhere() OR EXISTS (SELECT 1 FROM lookbacks l "
    "WHERE l.id = {table}.lookback_id AND l.school_urn = {table}.school_urn)"
)
SCOPED = {
    "lookbacks": "belong_sees(school_urn)",
    "lookback_steps": _PART.format(table="lookback_steps"),
    "lookback_notes": _PART.format(table="lookback_notes"),
}


def upgrade() -> None:
    """Make the tables, closed by school before they hold anything; nothing in them is ever changed in place."""
    op.execute(TABLES)
    for table, rule in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({rule}) WITH CHECK ({rule})")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change()"
        )
    op.execute(
        "GRANT SELECT ON lookbacks, lookback_steps, lookback_notes TO belong_app, belong_job; "
        "GRANT INSERT ON lookback_steps, lookback_notes TO belong_app; "
        "GRANT INSERT ON lookbacks, lookback_steps TO belong_job"
    )


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute(f"DROP TABLE {', '.join(reversed(SCOPED))}")
