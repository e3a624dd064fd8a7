"""The break-glass administrator, and sessions that end with the roles they were begun under."""

from alembic import op

revision = "0015"
down_revision = "0012"

BREAK_GLASS = """
CREATE TABLE break_glass (
  id smallint NOT NULL DEFAULT 1 CONSTRAINT break_glass_pkey PRIMARY KEY CHECK (id = 1),
  person_id uuid NOT NULL CONSTRAINT break_glass_person_id_fkey REFERENCES people,
  password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
  code_key bytea NOT NULL, made_at timestamptz NOT NULL,
  last_step bigint NOT NULL DEFAULT 0, failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  paused_until timestamptz, used_at timestamptz
);
GRANT SELECT ON break_glass TO belong_app, belong_job;
GRANT UPDATE (last_step, failures, paused_until, used_at) ON break_glass TO belong_app;
GRANT INSERT, DELETE ON break_glass TO belong_job;

-- Whoever gives roles, and on whatever page: this account looks after people, and sees no pupil.
CREATE FUNCTION belong_break_glass_role() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  IF NEW.role <> 'administrator'
     AND EXISTS (SELECT FROM public.people p WHERE p.id = NEW.person_id AND p.issuer = 'break-glass') THEN
    RAISE EXCEPTION 'the break-glass account is an administrator and nothing else';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION belong_break_glass_role() FROM PUBLIC;
CREATE TRIGGER person_roles_break_glass BEFORE INSERT OR UPDATE ON person_roles
  FOR EACH ROW EXECUTE FUNCTION belong_break_glass_role();
"""

# Roles are read at every request, so a change holds at once; that the session ends too is for whoever sits at a
# page of before. Training that is taken gives more and ends nothing; training taken back does.
SESSIONS = """
CREATE FUNCTION belong_end_sessions(who uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, public
  AS $$ UPDATE public.sign_in_sessions SET ended_at = clock_timestamp() WHERE person_id = who AND ended_at IS NULL $$;
CREATE FUNCTION belong_roles_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM public.belong_end_sessions(CASE WHEN TG_OP = 'DELETE' THEN OLD.person_id ELSE NEW.person_id END);
  RETURN NULL;
END $$;
CREATE FUNCTION belong_person_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM public.belong_end_sessions(NEW.id);
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION belong_end_sessions(uuid), belong_roles_moved(), belong_person_moved() FROM PUBLIC;
CREATE TRIGGER person_roles_end_sessions AFTER INSERT OR UPDATE OR DELETE ON person_roles
  FOR EACH ROW EXECUTE FUNCTION belong_roles_moved();
CREATE TRIGGER people_end_sessions AFTER UPDATE ON people FOR EACH ROW
  WHEN (OLD.active AND NOT NEW.active OR OLD.training_on IS NOT NULL AND NEW.training_on IS NULL
        OR NEW.training_on < OLD.training_on)
  EXECUTE FUNCTION belong_person_moved();
"""


def upgrade() -> None:
    """Make the table, empty, and the triggers."""
    op.execute(BREAK_GLASS)
    op.execute(SESSIONS)


def downgrade() -> None:
    """Drop them; an account of last resort goes with its table."""
    op.execute(
        "DROP TRIGGER people_end_sessions ON people; DROP TRIGGER person_roles_end_sessions ON person_roles; "
        "DROP TRIGGER person_roles_break_glass ON person_roles; "
        "DROP FUNCTION belong_person_moved(), belong_roles_moved(), belong_end_sessions(uuid), "
        "belong_break_glass_role(); DROP TABLE break_glass"
    )
