"""What was seen of a deployed model after its deployment, and the head of the home's ledger beside each deployment."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
ALTER TABLE deployments ADD COLUMN ledger_number integer NOT NULL DEFAULT 0 CHECK (ledger_number >= 0),
  ADD COLUMN ledger_head text NOT NULL DEFAULT repeat('0', 64);
CREATE TABLE watches (
  bundle_digest text NOT NULL, approval_id text NOT NULL, looked_on date NOT NULL,
  verdict text NOT NULL, payload jsonb NOT NULL,
  CONSTRAINT watches_pkey PRIMARY KEY (bundle_digest, approval_id, looked_on)
);
GRANT SELECT ON watches TO belong_app, belong_job;
GRANT INSERT, UPDATE ON watches TO belong_job;
"""


def upgrade() -> None:
    """Add both. Deployments made before have no head: the first job that runs tells it."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop both, with what they say."""
    op.execute("DROP TABLE watches; ALTER TABLE deployments DROP COLUMN ledger_number, DROP COLUMN ledger_head")
