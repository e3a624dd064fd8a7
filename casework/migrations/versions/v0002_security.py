"""Who may do what: forced row-level security by school, grants, append-only tables, the chain of looks."""

from alembic import op

revision = "0002"
down_revision = "0001"

# An unset or empty setting means no school at all. SQL, so that the planner can inline it.
FUNCTIONS = """
CREATE FUNCTION belong_everywhere() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('belong.schools', true), '') = '*';
CREATE FUNCTION belong_sees(school integer) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN belong_everywhere() OR school::text = ANY (
    string_to_array(coalesce(current_setting('belong.schools', true), ''), ',')
  );
"""

_BY_SCHOOL = "belong_sees(school_urn)"
_BY_PUPIL = "belong_everywhere() OR EXISTS (SELECT 1 FROM pupils p WHERE p.id = {table}.pupil_id)"
_BY_FLAG = "belong_everywhere() OR EXISTS (SELECT 1 FROM flags f WHERE f.id = {table}.flag_id)"
_BY_CASE = "belong_everywhere() OR EXISTS (SELECT 1 FROM cases c WHERE c.id = {table}.case_id)"

# The rows of these tables are seen, written and moved only inside the schools of the setting. The rows
# of a policy's inner query are under that table's own policy, so a pupil's facts follow the pupil.
SCOPED = {
    "pupils": _BY_SCHOOL,
    "cases": _BY_SCHOOL,
    "weekly_facts": _BY_PUPIL,
    "incidents": _BY_PUPIL,
    "feature_rows": _BY_PUPIL,
    "scores": _BY_PUPIL,
    "flags": _BY_PUPIL,
    "reasons": _BY_FLAG,
    "views": _BY_CASE,
    "decisions": _BY_CASE,
}

LOOKS = """
ALTER TABLE looks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Whoever reads must be able to write their look, also one at a pupil whom they turn out not to see.
CREATE POLICY looks_write ON looks FOR INSERT WITH CHECK (true);
CREATE POLICY looks_read ON looks FOR SELECT
  USING (belong_everywhere() OR (school_urn IS NOT NULL AND belong_sees(school_urn)));

-- The head moves only by inserting the look that follows it. It runs as the owner because nobody else
-- may touch look_head: a web process that was taken over cannot wind the chain back.
CREATE FUNCTION belong_append_look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.look_head SET seq = NEW.seq, hash = NEW.hash
    WHERE id = 1 AND seq = NEW.seq - 1 AND hash = NEW.previous_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'look % does not follow the last one', NEW.seq;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER looks_append BEFORE INSERT ON looks FOR EACH ROW EXECUTE FUNCTION belong_append_look();

CREATE FUNCTION belong_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
-- Once per statement, not per row: a statement that row-level security leaves no row is refused too.
CREATE TRIGGER looks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON looks
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER views_append_only BEFORE UPDATE ON views FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER decisions_append_only BEFORE UPDATE ON decisions
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER scores_append_only BEFORE UPDATE ON scores FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
"""

# The web process reads, records views and decisions, and logs. The job publishes. Neither owns anything.
GRANTS = """
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION belong_append_look(), belong_refuse_change() FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO belong_app, belong_job;

GRANT SELECT ON schools, pupils, people, person_roles, integrations, integration_schools, publications, weekly_facts,
  incidents, feature_rows, scores, flags, reasons, cases, views, decisions, looks, look_head, deployments, audits
  TO belong_app;
GRANT UPDATE (state, owner_id, review_on, closed_on, version) ON cases TO belong_app;
GRANT INSERT ON views, decisions, looks TO belong_app;
GRANT SELECT, INSERT ON sign_in_sessions TO belong_app;
GRANT UPDATE (last_seen_at, ended_at) ON sign_in_sessions TO belong_app;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO belong_job;
GRANT INSERT, UPDATE ON schools, pupils, people, integrations, cases, deployments, audits, feature_rows TO belong_job;
GRANT INSERT, UPDATE, DELETE ON person_roles, integration_schools, weekly_facts TO belong_job;
GRANT INSERT, DELETE ON incidents TO belong_job;
GRANT INSERT ON publications, scores, flags, reasons, looks TO belong_job;
GRANT UPDATE (ended_at) ON sign_in_sessions TO belong_job;
"""


def upgrade() -> None:
    """Close every door that is not opened here."""
    op.execute(FUNCTIONS)
    for table, rule in SCOPED.items():
        seen = rule.format(table=table)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({seen})")
    op.execute(LOOKS)
    op.execute(GRANTS)


def downgrade() -> None:
    """Security is never taken off a database that holds pupils."""
    raise NotImplementedError("this revision cannot be undone: restore a backup, or delete the home")
