"""What is offered and what comes of it, programmes that pay for it, and what is published of them without a pupil."""

from alembic import op

revision = "0016"
down_revision = "0013"

PROGRAMMES = """
CREATE TABLE programmes (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT programmes_pkey PRIMARY KEY,
  made_by uuid NOT NULL CONSTRAINT programmes_made_by_fkey REFERENCES people, made_at timestamptz NOT NULL
);
CREATE TABLE programme_versions (
  programme_id uuid NOT NULL CONSTRAINT programme_versions_programme_id_fkey REFERENCES programmes,
  version integer NOT NULL CHECK (version > 0),
  name text NOT NULL CHECK (name <> ''), funder text NOT NULL CHECK (funder <> ''),
  start_on date NOT NULL, end_on date NOT NULL CHECK (end_on >= start_on),
  kinds text[] NOT NULL CHECK (cardinality(kinds) > 0), schools integer[] NOT NULL CHECK (cardinality(schools) > 0),
  budget_pounds integer CHECK (budget_pounds >= 0), hour_pence integer CHECK (hour_pence >= 0),
  person_id uuid NOT NULL CONSTRAINT programme_versions_person_id_fkey REFERENCES people,
  recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  CONSTRAINT programme_versions_pkey PRIMARY KEY (programme_id, version),
  CHECK (budget_pounds IS NOT NULL OR hour_pence IS NOT NULL)
);
"""
SUPPORT = """
CREATE TABLE supports (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT supports_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT supports_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT supports_school_urn_fkey REFERENCES schools,
  case_id uuid CONSTRAINT supports_case_id_fkey REFERENCES cases
);
CREATE INDEX supports_pupil_id_idx ON supports (pupil_id);
CREATE INDEX supports_case_id_idx ON supports (case_id);
CREATE TABLE support_versions (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT support_versions_seq_key UNIQUE,
  support_id uuid NOT NULL CONSTRAINT support_versions_support_id_fkey REFERENCES supports,
  version integer NOT NULL CHECK (version > 0),
  school_urn integer NOT NULL CONSTRAINT support_versions_school_urn_fkey REFERENCES schools,
  kind text NOT NULL CHECK (kind IN ('conversation', 'assessment', 'family', 'mentoring', 'youth_work', 'counselling',
    'learning', 'attendance', 'behaviour_plan', 'transition', 'reintegration', 'timetable', 'external', 'other')),
  provider text NOT NULL,
  programme_id uuid CONSTRAINT support_versions_programme_id_fkey REFERENCES programmes,
  offered_on date NOT NULL,
  standing text NOT NULL CHECK (standing IN ('waiting', 'taken_up', 'declined', 'mistaken')),
  start_on date, end_on date CHECK (end_on >= start_on), hours numeric(6, 2) CHECK (hours >= 0),
  review text CHECK (review IN ('too_early', 'helps', 'helps_in_part', 'no_change', 'harder')), note text NOT NULL,
  person_id uuid NOT NULL CONSTRAINT support_versions_person_id_fkey REFERENCES people,
  recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT support_versions_idempotency_key_key UNIQUE,
  CONSTRAINT support_versions_pkey PRIMARY KEY (support_id, version),
  -- Days and hours are of what was taken up, and of nothing else.
  CHECK ((standing = 'taken_up') = (start_on IS NOT NULL)),
  CHECK (start_on IS NOT NULL OR (end_on IS NULL AND hours IS NULL AND review IS NULL))
);
CREATE INDEX support_versions_programme_id_idx ON support_versions (programme_id);
-- Words about a support go when it goes.
ALTER TABLE voices ADD COLUMN support_id uuid CONSTRAINT voices_support_id_fkey REFERENCES supports;
CREATE INDEX voices_support_id_idx ON voices (support_id);
"""
PUBLISHED = """
CREATE TABLE programme_releases (
  programme_id uuid NOT NULL CONSTRAINT programme_releases_programme_id_fkey REFERENCES programmes,
  period text NOT NULL CHECK (period <> ''), start_on date NOT NULL, end_on date NOT NULL CHECK (end_on >= start_on),
  known_on date NOT NULL CHECK (known_on > end_on), cost_pounds integer CHECK (cost_pounds >= 0),
  published_at timestamptz NOT NULL,
  CONSTRAINT programme_releases_pkey PRIMARY KEY (programme_id, period)
);
-- As counts by place: none that is small, none that is not rounded; null is a count that is not shown.
CREATE TABLE programme_counts (
  programme_id uuid NOT NULL, period text NOT NULL, cut text NOT NULL, place text NOT NULL, measure text NOT NULL,
  count integer CHECK (count = 0 OR (count >= 10 AND count % 5 = 0)),
  CONSTRAINT programme_counts_pkey PRIMARY KEY (programme_id, period, cut, place, measure),
  CONSTRAINT programme_counts_programme_id_period_fkey FOREIGN KEY (programme_id, period) REFERENCES programme_releases
);
CREATE TABLE programme_effects (
  programme_id uuid NOT NULL CONSTRAINT programme_effects_programme_id_fkey REFERENCES programmes,
  outcome text NOT NULL CHECK (outcome <> ''), published_on date NOT NULL,
  design text NOT NULL CHECK (design <> ''), estimate double precision NOT NULL,
  lower double precision NOT NULL CHECK (lower <= estimate),
  upper double precision NOT NULL CHECK (upper >= estimate),
  unit text NOT NULL CHECK (unit <> ''), pupils integer NOT NULL CHECK (pupils >= 10 AND pupils % 5 = 0),
  rests_on text NOT NULL CHECK (rests_on <> ''),
  CONSTRAINT programme_effects_pkey PRIMARY KEY (programme_id, outcome, published_on)
);
"""
_ANSWERS = "belong_everywhere() OR belong_places()"
# Table → the rows that are seen, and those that may be written.
SCOPED = {
    "supports": ("belong_sees(school_urn)", "belong_sees(school_urn)"),
    "support_versions": ("belong_sees(school_urn)", "belong_sees(school_urn)"),
    # A school reads of the programmes that it is in; those who answer for the network read of all, and enter them.
    "programme_versions": (
        f"{_ANSWERS} OR EXISTS (SELECT FROM unnest(schools) AS one (urn) WHERE belong_sees(one.urn))",
        "belong_everywhere()",
    ),
    "programme_releases": (_ANSWERS, "belong_everywhere()"),
    "programme_counts": (_ANSWERS, "belong_everywhere()"),
    "programme_effects": (_ANSWERS, "belong_everywhere()"),
}
TABLES = ("programmes", *SCOPED)


def upgrade() -> None:
    """Make the tables, closed before they hold anything; nothing in them is ever changed in place."""
    for tables in (PROGRAMMES, SUPPORT, PUBLISHED):
        op.execute(tables)
    for table, (seen, written) in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({written})")
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change()"
        )
    op.execute(
        f"GRANT SELECT ON {', '.join(TABLES)} TO belong_app, belong_job; "
        "GRANT INSERT ON programmes, programme_versions, supports, support_versions TO belong_app; "
        "GRANT INSERT ON programme_releases, programme_counts, programme_effects TO belong_job"
    )


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DELETE FROM voices WHERE support_id IS NOT NULL; ALTER TABLE voices DROP COLUMN support_id")
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
