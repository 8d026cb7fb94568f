import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = '0002'
down_revision = '0001'


def upgrade():
    mood = pg.ENUM('calm', 'loud', name='mood')
    mood.create(op.get_bind())
    op.alter_column('authors', 'full_name', new_column_name='name')
    op.create_index('ix_authors_name', 'authors', ['name'])
    op.add_column('authors', sa.Column('mood', pg.ENUM(name='mood', create_type=False), server_default='calm', nullable=False))
    op.create_table(
        'books',
        sa.Column('isbn', sa.String(13), primary_key=True),
        sa.Column('author_id', sa.BigInteger, nullable=False),
        sa.Column('title', sa.Text, nullable=False, comment='as printed'),
        sa.Column('tags', pg.ARRAY(sa.Text)),
        sa.Column('published', sa.Date),
        sa.ForeignKeyConstraint(['author_id'], ['authors.id'], name='fk_books_author_id', ondelete='CASCADE'),
    )
    with op.get_context().autocommit_block():
        op.create_index('books_concurrently', 'books', ['published'], postgresql_concurrently=True)
    op.drop_index('books_concurrently', 'books')


def downgrade():
    op.drop_table('books')
    op.drop_column('authors', 'mood')
    op.drop_index('ix_authors_name', 'authors')
    op.alter_column('authors', 'name', new_column_name='full_name')
    op.execute('drop type mood')
