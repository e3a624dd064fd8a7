"""Administration: training taken, changes of staff, invitations, checks of the log, and the register as published."""

from alembic import op

revision = "0013"
down_revision = "0014"

TABLES = """
CREATE TABLE trainings (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT trainings_pkey PRIMARY KEY,
  person_id uuid NOT NULL CONSTRAINT trainings_person_id_fkey REFERENCES people,
  taken_on date NOT NULL, recorded_at timestamptz NOT NULL, course text NOT NULL CHECK (course <> '')
);
CREATE INDEX trainings_person_id_idx ON trainings (person_id);
CREATE TABLE staff_changes (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT staff_changes_pkey PRIMARY KEY,
  at timestamptz NOT NULL,
  person_id uuid NOT NULL CONSTRAINT staff_changes_person_id_fkey REFERENCES people,
  by_id uuid CONSTRAINT staff_changes_by_id_fkey REFERENCES people,
  what text NOT NULL
    CHECK (what IN ('added', 'details', 'ended', 'returned', 'role_given', 'role_taken', 'role_until')),
  role text, school_urn integer CONSTRAINT staff_changes_school_urn_fkey REFERENCES schools, expires_on date
);
CREATE INDEX staff_changes_person_id_seq_idx ON staff_changes (person_id, seq);
CREATE TABLE invitations (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT invitations_pkey PRIMARY KEY,
  code_hash text NOT NULL CONSTRAINT invitations_code_hash_key UNIQUE,
  name text NOT NULL CHECK (name <> ''), email text, role text NOT NULL,
  school_urn integer CONSTRAINT invitations_school_urn_fkey REFERENCES schools, role_expires_on date,
  made_by uuid NOT NULL CONSTRAINT invitations_made_by_fkey REFERENCES people, made_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL, ended_at timestamptz,
  person_id uuid CONSTRAINT invitations_person_id_fkey REFERENCES people
);
CREATE TABLE look_checks (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT look_checks_pkey PRIMARY KEY,
  checked_at timestamptz NOT NULL, holds boolean NOT NULL, looks bigint NOT NULL, head text NOT NULL,
  sentence text NOT NULL
);
CREATE TABLE shown_register (
  id smallint NOT NULL CONSTRAINT shown_register_pkey PRIMARY KEY CHECK (id = 1),
  read_on date NOT NULL, register jsonb NOT NULL
);
"""

# One question of the log each: who looked at this pupil, what this person opened, and a day.
LOOKS = """
CREATE INDEX looks_pupil_id_seq_idx ON looks (pupil_id, seq);
CREATE INDEX looks_person_id_seq_idx ON looks (person_id, seq);
CREATE INDEX looks_at_idx ON looks (at);
DROP INDEX looks_pupil_id_idx, looks_person_id_idx;
CREATE FUNCTION belong_reads_log() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('belong.log', true), '') = 'yes';
-- Opens the log to be read, and nothing else: those who read it see no pupil.
CREATE POLICY looks_read_log ON looks FOR SELECT USING (belong_reads_log());
-- Which id the log knows a number by. It gives no name, no school, and nothing at all outside the log.
CREATE FUNCTION belong_pupils_known_as(pseudonyms bigint[]) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
DECLARE
  scope text := coalesce(current_setting('belong.schools', true), '');
BEGIN
  PERFORM set_config('belong.schools', '*', true);
  RETURN QUERY SELECT p.id FROM public.pupils p WHERE p.pseudonym = ANY (pseudonyms) AND public.belong_reads_log();
  PERFORM set_config('belong.schools', scope, true);
END $$;
"""

# Who works here is nobody's secret inside, but where they work and what changed is for those who look after staff.
STAFF = """
CREATE FUNCTION belong_looks_after_staff() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN belong_everywhere() OR coalesce(current_setting('belong.staff', true), '') = 'yes';
ALTER TABLE staff_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff_changes_read ON staff_changes FOR SELECT USING (belong_looks_after_staff());
CREATE POLICY staff_changes_write ON staff_changes FOR INSERT WITH CHECK (true);
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY invitations_by_staff ON invitations USING (belong_looks_after_staff());

-- Every change of people and roles is noted by the database itself, whoever makes it; as the owner, because
-- nobody else may write there. The web process must say who asks, and that may never be the person changed.
CREATE FUNCTION belong_note_staff(who uuid, did text, role text, school integer, until date) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  asking uuid := nullif(current_setting('belong.person', true), '')::uuid;
BEGIN
  IF asking IS NULL AND session_user = 'belong_app' THEN
    RAISE EXCEPTION 'a change of staff must say who makes it';
  END IF;
  IF asking = who THEN
    RAISE EXCEPTION 'nobody changes their own roles';
  END IF;
  INSERT INTO public.staff_changes (at, person_id, by_id, what, role, school_urn, expires_on)
    VALUES (clock_timestamp(), who, asking, did, role, school, until);
END $$;
CREATE FUNCTION belong_person_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM public.belong_note_staff(NEW.id, 'added', NULL, NULL, NULL);
  ELSIF OLD.active IS DISTINCT FROM NEW.active THEN
    PERFORM public.belong_note_staff(NEW.id, CASE WHEN NEW.active THEN 'returned' ELSE 'ended' END, NULL, NULL, NULL);
  ELSIF (OLD.name, OLD.email) IS DISTINCT FROM (NEW.name, NEW.email) THEN
    PERFORM public.belong_note_staff(NEW.id, 'details', NULL, NULL, NULL);
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION belong_role_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM public.belong_note_staff(OLD.person_id, 'role_taken', OLD.role, OLD.school_urn, NULL);
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM public.belong_note_staff(NEW.person_id, 'role_given', NEW.role, NEW.school_urn, NEW.expires_on);
  ELSIF OLD.expires_on IS DISTINCT FROM NEW.expires_on THEN
    PERFORM public.belong_note_staff(NEW.person_id, 'role_until', NEW.role, NEW.school_urn, NEW.expires_on);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER people_noted AFTER INSERT OR UPDATE ON people
  FOR EACH ROW EXECUTE FUNCTION belong_person_changed();
CREATE TRIGGER person_roles_noted AFTER INSERT OR UPDATE OR DELETE ON person_roles
  FOR EACH ROW EXECUTE FUNCTION belong_role_changed();

-- A day of training moves only with its record.
CREATE FUNCTION belong_trained() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.people SET training_on = NEW.taken_on WHERE id = NEW.person_id;
  RETURN NULL;
END $$;
CREATE TRIGGER trainings_counted AFTER INSERT ON trainings FOR EACH ROW EXECUTE FUNCTION belong_trained();

-- Counts alone, of every school: whoever ends a person sees no pupil, and must not leave a case to nobody.
CREATE FUNCTION belong_open_cases(who uuid) RETURNS TABLE (school_urn integer, theirs bigint, all_open bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  scope text := coalesce(current_setting('belong.schools', true), '');
BEGIN
  PERFORM set_config('belong.schools', '*', true);
  RETURN QUERY SELECT c.school_urn, count(*) FILTER (WHERE c.owner_id = who), count(*) FROM public.cases c
    WHERE c.state NOT IN ('closed', 'expired') AND current_setting('belong.staff', true) = 'yes'
      AND c.school_urn IN (SELECT r.school_urn FROM public.person_roles r WHERE r.person_id = who)
    GROUP BY c.school_urn;
  PERFORM set_config('belong.schools', scope, true);
END $$;
-- Whoever is away is covered by nobody rather than by someone who has left.
CREATE FUNCTION belong_end_covers(who uuid, day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
DECLARE
  scope text := coalesce(current_setting('belong.schools', true), '');
BEGIN
  PERFORM set_config('belong.schools', '*', true);
  UPDATE public.covers SET ended_on = day WHERE covering_id = who AND ended_on IS NULL AND until_on >= day;
  PERFORM set_config('belong.schools', scope, true);
END $$;
"""

APPEND_ONLY = ("trainings", "staff_changes", "look_checks")
GRANTS = """
REVOKE EXECUTE ON FUNCTION belong_pupils_known_as(bigint[]), belong_open_cases(uuid), belong_end_covers(uuid, date),
  belong_note_staff(uuid, text, text, integer, date), belong_person_changed(), belong_role_changed(),
  belong_trained() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION belong_pupils_known_as(bigint[]), belong_open_cases(uuid), belong_end_covers(uuid, date)
  TO belong_app;
GRANT SELECT ON trainings, staff_changes, invitations, look_checks, shown_register TO belong_app, belong_job;
GRANT INSERT ON trainings TO belong_app, belong_job;
GRANT INSERT ON invitations TO belong_app;
GRANT UPDATE (ended_at, person_id) ON invitations TO belong_app;
GRANT INSERT ON look_checks TO belong_job;
GRANT INSERT, UPDATE ON shown_register TO belong_job;
GRANT INSERT (issuer, subject, name, email), UPDATE (name, email, active) ON people TO belong_app;
GRANT INSERT, DELETE, UPDATE (expires_on) ON person_roles TO belong_app;
GRANT INSERT, UPDATE ON integrations TO belong_app;
GRANT INSERT, UPDATE, DELETE ON integration_schools, integration_secrets TO belong_app;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything, and let the web process look after people and systems."""
    op.execute(TABLES)
    op.execute(LOOKS)
    op.execute(STAFF)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change()"
        )
    # A person is known by issuer and subject for good, and a role is given and taken, never turned into another.
    op.execute(GRANTS)


def downgrade() -> None:
    """Who was trained and who changed whose roles is not thrown away."""
    raise NotImplementedError("this revision cannot be undone: restore a backup, or delete the home")
