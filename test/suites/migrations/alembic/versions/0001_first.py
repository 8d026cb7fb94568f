import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = '0001'
down_revision = None


def upgrade():
    op.create_table(
        'authors',
        sa.Column('id', sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column('full_name', sa.Text, nullable=False),
        sa.Column('facts', pg.JSONB),
    )
    op.bulk_insert(sa.table('authors', sa.column('full_name', sa.Text)), [{'full_name': f'author {n}'} for n in range(3)])


def downgrade():
    op.drop_table('authors')
