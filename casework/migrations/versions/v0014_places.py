"""What is published without a pupil: counts by place, what each model was tested on, how a school's records stand."""

from alembic import op

revision = "0014"
down_revision = "0015"

TABLES = """
CREATE TABLE place_releases (
  half_term date NOT NULL CONSTRAINT place_releases_pkey PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''), ends_on date NOT NULL CHECK (ends_on > half_term),
  known_on date NOT NULL CHECK (known_on > ends_on), published_at timestamptz NOT NULL
);
-- The database too takes no count that is small or not rounded; null is a count that is not shown.
CREATE TABLE place_counts (
  half_term date NOT NULL CONSTRAINT place_counts_half_term_fkey REFERENCES place_releases,
  cut text NOT NULL, place text NOT NULL, measure text NOT NULL,
  school_urn integer CONSTRAINT place_counts_school_urn_fkey REFERENCES schools,
  count integer CHECK (count = 0 OR (count >= 10 AND count % 5 = 0)),
  CONSTRAINT place_counts_pkey PRIMARY KEY (half_term, cut, place, measure),
  CHECK ((cut = 'school') = (school_urn IS NOT NULL))
);
CREATE INDEX place_counts_cut_place_idx ON place_counts (cut, place);
CREATE TABLE models (
  bundle_digest text NOT NULL CONSTRAINT models_pkey PRIMARY KEY,
  trained_on date NOT NULL, payload jsonb NOT NULL
);
CREATE TABLE school_quality (
  school_urn integer NOT NULL CONSTRAINT school_quality_pkey PRIMARY KEY
    CONSTRAINT school_quality_school_urn_fkey REFERENCES schools,
  as_of date NOT NULL, payload jsonb NOT NULL
);
"""
# Board members and the data-protection officer work with no school's pupils, and may see counts of every place.
PLACES = """
CREATE FUNCTION belong_places() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('belong.places', true), '') = 'yes';
ALTER TABLE place_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY place_counts_in_scope ON place_counts
  USING (school_urn IS NULL OR belong_sees(school_urn) OR belong_places()) WITH CHECK (belong_everywhere());
ALTER TABLE school_quality ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY school_quality_in_scope ON school_quality
  USING (belong_sees(school_urn)) WITH CHECK (belong_sees(school_urn));
-- A second version of a release could be laid beside the first: nothing of it is ever changed.
CREATE TRIGGER place_releases_append_only BEFORE UPDATE ON place_releases
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER place_counts_append_only BEFORE UPDATE ON place_counts
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
GRANT SELECT ON place_releases, place_counts, models, school_quality TO belong_app, belong_job;
GRANT INSERT ON place_releases, place_counts TO belong_job;
GRANT INSERT, UPDATE ON models, school_quality TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed by school before they hold anything."""
    op.execute(TABLES)
    op.execute(PLACES)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP TABLE place_counts, place_releases, models, school_quality; DROP FUNCTION belong_places()")
