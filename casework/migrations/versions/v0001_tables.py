"""The tables."""

from alembic import op

revision = "0001"
down_revision = None

PEOPLE = """
CREATE TABLE schools (
  urn integer NOT NULL CONSTRAINT schools_pkey PRIMARY KEY,
  name text NOT NULL, phase text NOT NULL, data_to date,
  up_to_date boolean NOT NULL DEFAULT true, note text NOT NULL DEFAULT ''
);
CREATE TABLE pupils (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT pupils_pkey PRIMARY KEY,
  pseudonym bigint NOT NULL CONSTRAINT pupils_pseudonym_key UNIQUE CHECK (pseudonym > 0),
  upn text NOT NULL, forename text NOT NULL, surname text NOT NULL, date_of_birth date, year_group text NOT NULL,
  school_urn integer NOT NULL CONSTRAINT pupils_school_urn_fkey REFERENCES schools,
  left_on date, known_on date NOT NULL
);
CREATE INDEX pupils_school_urn_idx ON pupils (school_urn);
CREATE TABLE people (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT people_pkey PRIMARY KEY,
  issuer text NOT NULL, subject text NOT NULL, name text NOT NULL, email text, training_on date,
  active boolean NOT NULL DEFAULT true,
  CONSTRAINT people_issuer_subject_key UNIQUE (issuer, subject)
);
CREATE TABLE person_roles (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT person_roles_pkey PRIMARY KEY,
  person_id uuid NOT NULL CONSTRAINT person_roles_person_id_fkey REFERENCES people,
  role text NOT NULL CHECK (role IN ('school_staff', 'school_lead', 'network_lead', 'data_scientist',
                                     'board_member', 'data_protection_officer', 'administrator')),
  school_urn integer CONSTRAINT person_roles_school_urn_fkey REFERENCES schools,
  expires_on date,
  CHECK ((role IN ('school_staff', 'school_lead')) = (school_urn IS NOT NULL)),
  CONSTRAINT person_roles_person_id_role_school_urn_key UNIQUE NULLS NOT DISTINCT (person_id, role, school_urn)
);
CREATE TABLE sign_in_sessions (
  id_hash text NOT NULL CONSTRAINT sign_in_sessions_pkey PRIMARY KEY,
  person_id uuid NOT NULL CONSTRAINT sign_in_sessions_person_id_fkey REFERENCES people,
  created_at timestamptz NOT NULL, last_seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
  csrf_secret text NOT NULL, ended_at timestamptz
);
CREATE INDEX sign_in_sessions_person_id_idx ON sign_in_sessions (person_id);
CREATE TABLE integrations (
  client_id text NOT NULL CONSTRAINT integrations_pkey PRIMARY KEY,
  secret_hash text NOT NULL, name text NOT NULL, scopes text[] NOT NULL, expires_on date NOT NULL,
  granted_by text NOT NULL, active boolean NOT NULL DEFAULT true
);
CREATE TABLE integration_schools (
  client_id text NOT NULL CONSTRAINT integration_schools_client_id_fkey REFERENCES integrations,
  school_urn integer NOT NULL CONSTRAINT integration_schools_school_urn_fkey REFERENCES schools,
  CONSTRAINT integration_schools_pkey PRIMARY KEY (client_id, school_urn)
);
"""

FLAGS = """
CREATE TABLE publications (
  bundle_digest text NOT NULL, as_of date NOT NULL, published_at timestamptz NOT NULL,
  horizon_weeks integer NOT NULL CHECK (horizon_weeks > 0), base_rates jsonb NOT NULL, feature_names text[] NOT NULL,
  CONSTRAINT publications_pkey PRIMARY KEY (bundle_digest, as_of)
);
CREATE TABLE weekly_facts (
  -- No foreign key here and in incidents: checking half a million rows doubled the night's writing. The
  -- job writes them only by joining pupils, and takes away what belongs to nobody on roll.
  pupil_id uuid NOT NULL,
  week_start date NOT NULL CHECK ((week_start - date '2000-01-03') % 7 = 0),  -- a Monday
  sessions_possible smallint NOT NULL, sessions_missed smallint NOT NULL, late_marks smallint NOT NULL,
  incidents smallint NOT NULL, removals smallint NOT NULL, positives smallint NOT NULL, suspended boolean NOT NULL,
  CHECK (least(sessions_possible, sessions_missed, late_marks, incidents, removals, positives) >= 0),
  CONSTRAINT weekly_facts_pkey PRIMARY KEY (pupil_id, week_start)
);
CREATE TABLE incidents (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT incidents_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL,
  happened_on date NOT NULL, kind text NOT NULL CHECK (kind IN ('incident', 'positive', 'suspension')),
  what text NOT NULL, place text, sessions smallint
);
CREATE INDEX incidents_pupil_id_happened_on_idx ON incidents (pupil_id, happened_on);
CREATE TABLE feature_rows (
  pupil_id uuid NOT NULL CONSTRAINT feature_rows_pkey PRIMARY KEY
    CONSTRAINT feature_rows_pupil_id_fkey REFERENCES pupils,
  bundle_digest text NOT NULL, as_of date NOT NULL, features jsonb NOT NULL
);
CREATE TABLE scores (
  pupil_id uuid NOT NULL CONSTRAINT scores_pupil_id_fkey REFERENCES pupils,
  bundle_digest text NOT NULL, as_of date NOT NULL,
  school_urn integer NOT NULL CONSTRAINT scores_school_urn_fkey REFERENCES schools, year_group text NOT NULL,
  probability double precision CHECK (probability BETWEEN 0 AND 1),
  rise double precision, rise_margin double precision, rank integer, cut_off double precision,
  eligible boolean NOT NULL, snoozed boolean NOT NULL, flagged boolean NOT NULL, rising_since date,
  capacity integer NOT NULL, abstain text,
  CHECK ((probability IS NULL) = (abstain IS NOT NULL)), CHECK (NOT flagged OR probability IS NOT NULL),
  CONSTRAINT scores_pkey PRIMARY KEY (pupil_id, bundle_digest, as_of),
  CONSTRAINT scores_bundle_digest_fkey FOREIGN KEY (bundle_digest, as_of) REFERENCES publications
);
CREATE TABLE flags (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT flags_pkey PRIMARY KEY,
  pupil_id uuid NOT NULL CONSTRAINT flags_pupil_id_fkey REFERENCES pupils,
  bundle_digest text NOT NULL, as_of date NOT NULL, rising_since date, expires_on date NOT NULL,
  check_sample boolean NOT NULL,
  CONSTRAINT flags_pupil_id_bundle_digest_as_of_key UNIQUE (pupil_id, bundle_digest, as_of)
);
CREATE TABLE reasons (
  flag_id uuid NOT NULL CONSTRAINT reasons_flag_id_fkey REFERENCES flags,
  position smallint NOT NULL, side text NOT NULL CHECK (side IN ('for', 'against')),
  "group" text NOT NULL, sentence text NOT NULL, share text NOT NULL, changeable boolean NOT NULL,
  CONSTRAINT reasons_pkey PRIMARY KEY (flag_id, position)
);
"""

CASES = """
CREATE TABLE cases (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT cases_pkey PRIMARY KEY,
  flag_id uuid NOT NULL CONSTRAINT cases_flag_id_key UNIQUE CONSTRAINT cases_flag_id_fkey REFERENCES flags,
  pupil_id uuid NOT NULL CONSTRAINT cases_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT cases_school_urn_fkey REFERENCES schools,
  state text NOT NULL CHECK (state IN ('open', 'viewed', 'support_offered', 'no_action_now', 'records_wrong',
                                       'closed', 'expired')),
  opened_on date NOT NULL, owner_id uuid CONSTRAINT cases_owner_id_fkey REFERENCES people,
  review_on date, closed_on date,
  version integer NOT NULL DEFAULT 1
);
CREATE INDEX cases_school_urn_idx ON cases (school_urn);
CREATE UNIQUE INDEX cases_one_at_a_time_idx ON cases (pupil_id) WHERE state <> 'closed' AND state <> 'expired';
CREATE TABLE views (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT views_pkey PRIMARY KEY,
  case_id uuid NOT NULL CONSTRAINT views_case_id_fkey REFERENCES cases,
  person_id uuid NOT NULL CONSTRAINT views_person_id_fkey REFERENCES people,
  week date NOT NULL CHECK (extract(isodow FROM week) = 1),
  opinion text NOT NULL
    CHECK (opinion IN ('known_support_in_place', 'new_needs_conversation', 'records_wrong', 'no_concern')),
  why text NOT NULL CHECK (length(why) >= 20),
  -- The home's day, which is shown, and the moment, which orders.
  recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT views_idempotency_key_key UNIQUE
);
CREATE INDEX views_case_id_person_id_week_idx ON views (case_id, person_id, week);
CREATE TABLE decisions (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT decisions_pkey PRIMARY KEY,
  case_id uuid NOT NULL CONSTRAINT decisions_case_id_fkey REFERENCES cases,
  person_id uuid NOT NULL CONSTRAINT decisions_person_id_fkey REFERENCES people,
  reasons_changed_view boolean NOT NULL, reasons_that_do_not_fit smallint[] NOT NULL,
  -- Help only: the database too knows no sanction.
  action text NOT NULL CHECK (action IN ('conversation', 'send_check', 'family_contact', 'mentor', 'none_now')),
  note text NOT NULL, review_on date, recorded_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT decisions_idempotency_key_key UNIQUE
);
CREATE INDEX decisions_case_id_idx ON decisions (case_id);
CREATE TABLE looks (
  seq bigint NOT NULL CONSTRAINT looks_pkey PRIMARY KEY,
  at timestamptz NOT NULL, person_id uuid, integration_id text, action text NOT NULL,
  -- No foreign keys: the log outlives what it speaks of.
  pupil_id uuid, school_urn integer, detail text NOT NULL, previous_hash text NOT NULL, hash text NOT NULL,
  CHECK (num_nonnulls(person_id, integration_id) = 1)
);
CREATE INDEX looks_pupil_id_idx ON looks (pupil_id);
CREATE INDEX looks_person_id_idx ON looks (person_id);
CREATE TABLE look_head (
  id smallint NOT NULL CONSTRAINT look_head_pkey PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL, hash text NOT NULL
);
INSERT INTO look_head VALUES (1, 0, repeat('0', 64));
CREATE TABLE deployments (
  digest text NOT NULL CONSTRAINT deployments_pkey PRIMARY KEY,
  approval_id text NOT NULL, deployed_at timestamptz NOT NULL, revoked_at timestamptz, revoked_reason text,
  CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE TABLE audits (
  bundle_digest text NOT NULL CONSTRAINT audits_pkey PRIMARY KEY,
  payload jsonb NOT NULL, verdict text NOT NULL CHECK (verdict IN ('PASS', 'FAIL', 'NOT_SETTLED', 'WAIVED')),
  created_on date NOT NULL, envelope jsonb, is_current boolean NOT NULL DEFAULT false
);
"""


def upgrade() -> None:
    """Make every table."""
    for statements in (PEOPLE, FLAGS, CASES):
        op.execute(statements)


def downgrade() -> None:
    """There is nothing before the first revision; a home is thrown away whole instead."""
    raise NotImplementedError("the first revision cannot be undone: restore a backup, or delete the home")
