"""Every day: cover for absence, term dates entered on a page, doubts about records, Monday's letters."""

from alembic import op

revision = "0010"
down_revision = "0006"

TABLES = """
CREATE TABLE covers (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT covers_pkey PRIMARY KEY,
  school_urn integer NOT NULL CONSTRAINT covers_school_urn_fkey REFERENCES schools,
  away_id uuid NOT NULL CONSTRAINT covers_away_id_fkey REFERENCES people,
  covering_id uuid NOT NULL CONSTRAINT covers_covering_id_fkey REFERENCES people,
  from_on date NOT NULL, until_on date NOT NULL CHECK (until_on >= from_on),
  arranged_by uuid NOT NULL CONSTRAINT covers_arranged_by_fkey REFERENCES people,
  arranged_at timestamptz NOT NULL, ended_on date,
  CHECK (away_id <> covering_id)
);
CREATE INDEX covers_school_urn_idx ON covers (school_urn);
CREATE INDEX covers_away_id_idx ON covers (away_id);
CREATE TABLE term_dates (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT term_dates_pkey PRIMARY KEY,
  school_urn integer NOT NULL CONSTRAINT term_dates_school_urn_fkey REFERENCES schools,
  kind text NOT NULL CHECK (kind IN ('half_term', 'inset', 'closure')), name text NOT NULL CHECK (name <> ''),
  start_on date NOT NULL, end_on date NOT NULL CHECK (end_on >= start_on), withdrawn boolean NOT NULL,
  entered_by uuid NOT NULL CONSTRAINT term_dates_entered_by_fkey REFERENCES people,
  entered_on date NOT NULL, entered_at timestamptz NOT NULL
);
CREATE INDEX term_dates_school_urn_idx ON term_dates (school_urn);
CREATE TRIGGER term_dates_append_only BEFORE UPDATE ON term_dates
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TABLE school_doubts (
  school_urn integer NOT NULL CONSTRAINT school_doubts_school_urn_fkey REFERENCES schools,
  rule text NOT NULL, since date NOT NULL, sentence text NOT NULL, remedy text NOT NULL, holds boolean NOT NULL,
  CONSTRAINT school_doubts_pkey PRIMARY KEY (school_urn, rule, since)
);
CREATE TABLE monday_letters (
  person_id uuid NOT NULL CONSTRAINT monday_letters_person_id_fkey REFERENCES people,
  week date NOT NULL CHECK ((week - date '2000-01-03') % 7 = 0),  -- a Monday
  sent_at timestamptz NOT NULL,
  CONSTRAINT monday_letters_pkey PRIMARY KEY (person_id, week)
);
-- A list asks for a person's own cases, and who leaves hands all of theirs over.
CREATE INDEX cases_owner_id_idx ON cases (owner_id);
"""

# A school's own matters: seen, written and moved only inside the schools of the setting.
SCOPED = dict.fromkeys(("covers", "term_dates", "school_doubts"), "belong_sees(school_urn)")

GRANTS = """
GRANT SELECT, INSERT ON covers, term_dates TO belong_app;
GRANT UPDATE (ended_on) ON covers TO belong_app;
GRANT SELECT ON school_doubts TO belong_app;
GRANT SELECT ON covers, term_dates, school_doubts, monday_letters TO belong_job;
GRANT INSERT, DELETE ON school_doubts TO belong_job;
GRANT INSERT ON monday_letters TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything."""
    op.execute(TABLES)
    for table, seen in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({seen})")
    op.execute(GRANTS)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP INDEX cases_owner_id_idx; DROP TABLE covers, term_dates, school_doubts, monday_letters")
