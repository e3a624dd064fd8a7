"""What a probability was of, in words: a policy may count suspensions alone, or permanent exclusions alone."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the words. All that was published before was of both."""
    op.execute("ALTER TABLE publications ADD COLUMN outcome_words text NOT NULL DEFAULT 'suspended or excluded'")
    op.execute("ALTER TABLE publications ALTER COLUMN outcome_words DROP DEFAULT")


def downgrade() -> None:
    """Forget the words."""
    op.execute("ALTER TABLE publications DROP COLUMN outcome_words")
