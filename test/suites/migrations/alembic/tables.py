import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(naming_convention={'ix': 'ix_%(table_name)s_%(column_0_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s'})

authors = sa.Table(
    'authors', metadata,
    sa.Column('id', sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column('name', sa.Text, nullable=False, index=True),
    sa.Column('mood', sa.Enum('calm', 'loud', name='mood'), server_default='calm', nullable=False),
    sa.Column('facts', pg.JSONB),
)

books = sa.Table(
    'books', metadata,
    sa.Column('isbn', sa.String(13), primary_key=True),
    sa.Column('author_id', sa.BigInteger, sa.ForeignKey('authors.id', ondelete='CASCADE'), nullable=False),
    sa.Column('title', sa.Text, nullable=False, comment='as printed'),
    sa.Column('tags', pg.ARRAY(sa.Text)),
    sa.Column('published', sa.Date),
)
