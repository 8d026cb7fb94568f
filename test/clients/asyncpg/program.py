"""asyncpg: its own protocol code, binary throughout, every statement prepared, types asked from the catalogue."""

import asyncio
import datetime
import decimal
import json
import time
import uuid

import asyncpg
from report import (
    AGENT, STATEMENTS, WRONG_DATABASE, WRONG_TOKEN, Tally, bytes_told, held_told, report, tell_rows,
    without_side,
)

FIELDS = [
    'severity', 'sqlstate', 'message', 'detail', 'hint', 'position', 'internal_position', 'internal_query', 'context',
    'schema_name', 'table_name', 'column_name', 'data_type_name', 'constraint_name',
]


class Connected:
    """`async with` for a plain connection."""

    def __init__(self, side, **options):
        self.connecting = asyncpg.connect(side.dsn, **options)

    async def __aenter__(self):
        self.connection = await self.connecting
        return self.connection

    async def __aexit__(self, *_):
        await self.connection.close()


def fields_of(error):
    return {name: getattr(error, name) for name in FIELDS if getattr(error, name, None) is not None}


async def refusal(awaited):
    try:
        await awaited
    except asyncpg.PostgresError as error:
        return fields_of(error)
    raise AssertionError('it was not refused')


def records(rows):
    return tell_rows(tuple(row) for row in rows)


# -- who is it


async def login(side):
    async with Connected(side) as connection:
        transport = connection._transport.get_extra_info('ssl_object')
        return {'one': await connection.fetchval('select 1'), 'tls': transport is not None}


async def wrong_token():
    return await refusal(asyncpg.connect(WRONG_TOKEN.dsn))


async def wrong_database():
    return await refusal(asyncpg.connect(WRONG_DATABASE.dsn))


# -- what is read


async def masked(side):
    async with Connected(side) as connection:
        await connection.set_type_codec('jsonb', encoder=json.dumps, decoder=json.loads, schema='pg_catalog')
        return {name: {'binary': await table(connection, query)} for name, query in STATEMENTS['masked'].items()}


async def table(connection, query):
    statement = await connection.prepare(query)
    columns = [attribute.name for attribute in statement.get_attributes()]
    return {'columns': columns, 'rows': records(await statement.fetch())}


async def types(side):
    async with Connected(side) as connection:
        statement = await connection.prepare(STATEMENTS['types'])
        attributes = [[each.name, each.type.name, each.type.kind] for each in statement.get_attributes()]
        return {'attributes': attributes, 'rows': records(await statement.fetch())}


async def parameters(side):
    values = [
        7, -(2**40), decimal.Decimal('12.340'), 0.1, True, 'text with \'quotes\' and \\', b'\x00\xff', None,
        datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc),
        datetime.time(1, 2, 3), datetime.timedelta(days=-3, seconds=4), uuid.UUID(int=7), [1, None, 3], ['a', 'b,"c"'],
        '{"a": [1, null]}', '{"b": "é"}', asyncpg.Range(1, 5), 'calm', (5, 'pair'),
    ]
    kinds = ['int4', 'int8', 'numeric', 'float8', 'bool', 'text', 'bytea', 'text', 'date', 'timestamptz', 'time',
             'interval', 'uuid', 'int4[]', 'text[]', 'json', 'jsonb', 'int4range', 'client_mood', 'client_pair']
    query = 'select ' + ', '.join(f'${at + 1}::{kind}' for at, kind in enumerate(kinds))
    async with Connected(side) as connection:
        nothing = await connection.fetch(query, *[None for _ in values])
        return {'values': records(await connection.fetch(query, *values)), 'nothing': records(nothing)}


async def prepared(side):
    async with Connected(side) as connection:
        statement = await connection.prepare('select count(*), sum(duration_ms) from events where id between $1 and $2')
        told = [tuple(await statement.fetchrow(each * 10, each * 10 + 9)) for each in range(100)]
        cached = [await connection.fetchval('select kind from events where id = $1', each) for each in range(1, 30)]
        # What the pool does between two users of a connection.
        await connection.reset()
        after = await connection.fetchval('select kind from events where id = $1', 5)
        return {'runs': len(told), 'first': told[:3], 'last': told[-1], 'cached': cached, 'after': after}


async def large(side):
    tally = Tally()
    async with Connected(side) as connection, connection.transaction():
        async for row in connection.cursor(STATEMENTS['large'], prefetch=1000):
            tally.add(tuple(row))
    return tally.told()


async def portions(side):
    """Portals that are asked for some rows at a time, several of them open at once."""
    told = {}
    async with Connected(side) as connection, connection.transaction(isolation='repeatable_read', readonly=True):
        one = await connection.cursor(STATEMENTS['portions'])
        other = await connection.cursor('select id, city from customers order by id')
        sizes = []
        while rows := await one.fetch(100):
            sizes.append(len(rows))
            await other.fetch(7)
        told['sizes'] = sizes
        told['other'] = records(await other.fetch(2))
        forward = await connection.cursor(STATEMENTS['portions'])
        await forward.forward(1000)
        told['thousandth'] = records(await forward.fetch(10))
        told['end'] = await forward.fetchrow()
    return told


async def many_results(side):
    """Several commands in one simple query; asyncpg tells the last status only."""
    async with Connected(side) as connection:
        status = await connection.execute('select 1; set client_min_messages to notice; select 2 where false')
        return {'status': status, 'empty': records(await connection.fetch('-- nothing'))}


async def errors(side):
    told = {}
    async with Connected(side) as connection:
        for name, query in STATEMENTS['errors'].items():
            told[name] = [await refusal(connection.execute(query)), await refusal(connection.fetch(query))]
        told['bad parameter'] = await refusal(connection.fetch('select $1::text::int', 'not a number'))
        told['still there'] = await connection.fetchval('select 1')
    return told


async def notices(side):
    told = []
    async with Connected(side) as connection:
        connection.add_log_listener(lambda _, message: told.append(fields_of(message)))
        for query in [*STATEMENTS['notices'], STATEMENTS['raised']]:
            await connection.execute(query)
        await asyncio.sleep(0)
    return told


async def temporary_tables(side):
    told = {}
    async with Connected(side) as connection:
        await connection.execute('create temporary table own (n int, label text, happened date)')
        await connection.copy_records_to_table('own', records=[(1, 'one', datetime.date(2024, 1, 1)), (2, 'two', None)])
        told['rows'] = records(await connection.fetch('select * from own order by n'))
        told['count'] = await connection.fetchval('select count(*) from own')
    return told


# -- what is changed


async def batch(side):
    async with Connected(side) as connection:
        rows = [(side.name, each, f'label {each}', decimal.Decimal(each) / 4, None) for each in range(1, 501)]
        await connection.executemany('insert into client_scratch values ($1, $2, $3, $4, $5)', rows)
        inserted = await count(connection, side)
        broken = [(side.name, 501, 'new', 1, None), (side.name, 1, 'double', 1, None), (side.name, 502, 'late', 1, None)]
        refused = await refusal(connection.executemany('insert into client_scratch values ($1, $2, $3, $4, $5)', broken))
        many = await connection.fetchmany(
            'insert into client_scratch (side, row_no) values ($1, $2) returning row_no', [(side.name, 601), (side.name, 602)])
        return {'inserted': inserted, 'refused': without_side(refused), 'returned': records(many),
                'left': await count(connection, side)}


async def count(connection, side):
    return await connection.fetchval('select count(*) from client_scratch where side = $1', side.name)


async def transactions(side):
    told = {}
    async with Connected(side) as connection:
        add = lambda number: connection.execute(
            'insert into client_scratch (side, row_no) values ($1, $2)', side.name, number)
        before = await count(connection, side)
        told['failed'] = without_side(await refusal(in_transaction(connection, add, [1000, 1000])))
        told['rolled back'] = await count(connection, side) - before
        await in_transaction(connection, add, [1001])
        async with connection.transaction():
            await add(1002)
            told['inside'] = (await refusal(in_transaction(connection, add, [1003, 1003])))['sqlstate']
            await in_transaction(connection, add, [1004])
        told['savepoints'] = await count(connection, side) - before
        await connection.execute('begin')
        told['undefined'] = (await refusal(connection.fetch('select missing_column from products')))['sqlstate']
        told['aborted'] = await refusal(connection.fetch('select 1'))
        await connection.execute('rollback')
        async with connection.transaction(isolation='serializable', readonly=True, deferrable=True):
            told['isolation'] = await connection.fetchval('show transaction_isolation')
            told['read only'] = await refusal(add(1005))
    return told


async def in_transaction(connection, add, numbers):
    async with connection.transaction():
        for number in numbers:
            await add(number)


async def copy_out(side):
    told = {}
    async with Connected(side) as connection:
        for name, options in {'text': {}, 'csv': {'format': 'csv', 'header': True}, 'binary': {'format': 'binary'}}.items():
            blocks = []
            status = await connection.copy_from_query(STATEMENTS['copyOut'], output=keep_in(blocks), **options)
            told[name] = {'status': status, **bytes_told(b''.join(blocks))}
        blocks = []
        await connection.copy_from_table('client_rules', columns=['rule_no', 'label'], output=keep_in(blocks))
        told['table'] = bytes_told(b''.join(blocks))
    return told


def keep_in(blocks):
    async def keep(block):
        blocks.append(bytes(block))

    return keep


async def copy_in(side):
    columns = ['side', 'row_no', 'label', 'amount', 'happened']
    day = datetime.date(2024, 1, 1)
    rows = [(side.name, each, f'label {each}', each / 8, day) for each in range(10_000)]
    async with Connected(side) as connection:
        told = {'binary': await connection.copy_records_to_table('client_loads', records=rows, columns=columns)}
        source = ''.join(f'{side.name}\t{each}\t\\N\t{each / 8}\t\\N\n' for each in range(10_000, 20_000)).encode()
        told['text'] = await connection.copy_to_table('client_loads', source=pieces(source), columns=columns)
        bad = pieces(b'side\tnot a number\tlabel\t1\t2024-01-01\n')
        told['bad'] = await refusal(connection.copy_to_table('client_loads', source=bad, columns=columns))
        told['given up'] = await refusal(connection.copy_to_table('client_loads', source=broken(), columns=columns))
        told['found'] = records(await connection.fetch(
            'select count(*), sum(amount), count(label), count(happened) from client_loads where side = $1', side.name))
    return told


async def pieces(source):
    for at in range(0, len(source), 8191):
        yield source[at:at + 8191]


async def broken():
    yield b'side\t1\tlabel\t1\t2024-01-01\n'
    raise asyncpg.PostgresError('our own reader failed')


# -- what else happens on a connection


async def notifications(side):
    heard = []
    async with Connected(side) as listener, Connected(side) as speaker:
        arrived = asyncio.Event()

        def hear(_, __, channel, payload):
            heard.append([channel, payload])
            if len(heard) == 2:
                arrived.set()

        await listener.add_listener('client_news', hear)
        await speaker.execute("notify client_news, 'by itself'")
        await speaker.execute('select pg_notify($1, $2)', 'client_news', 'with a parameter')
        await asyncio.wait_for(arrived.wait(), 10)
        await listener.remove_listener('client_news', hear)
        await speaker.execute('notify client_news')
        await listener.fetchval('select 1')
    return {'heard': heard}


async def cancel(side):
    """asyncpg cancels when it is told to give up, and waits for the server's word."""
    async with Connected(side) as connection:
        try:
            await connection.fetch(STATEMENTS['endless'], timeout=0.5)
            ended = 'came to its end'
        except asyncio.TimeoutError:
            ended = 'gave up'
        return [ended, await connection.fetchval('select 1')]


async def timeout(side):
    async with Connected(side, server_settings={'statement_timeout': '200'}) as connection:
        return [await refusal(connection.fetch(STATEMENTS['endless'])), await connection.fetchval('select 1')]


async def connections(side):
    for _ in range(50):
        async with Connected(side) as connection:
            await connection.fetchval('select 1')
    async with Connected(side) as one, Connected(side) as other:
        await one.execute("set timezone = 'Asia/Tokyo'")
        both = [await each.fetchval('show timezone') for each in (one, other)]
    async with asyncpg.create_pool(side.dsn, min_size=20, max_size=20) as pool:
        answers = await asyncio.gather(*[pool.fetchval('select $1::int * 2', each) for each in range(60)])
    return {'both': both, 'pool': answers}


# -- what is held


async def held():
    async with Connected(AGENT) as connection:
        return [
            await once(connection, 'drop table client_doomed_asyncpg'),
            await once(connection, 'update client_counts set times = times + 1 where client = $1', 'asyncpg'),
        ]


async def once(connection, statement, *values):
    refused = await refusal(connection.execute(statement, *values))
    usable = await connection.fetchval('select 1')
    granted = await come_back(connection, statement, values)
    again = await refusal(connection.execute(statement, *values))
    return held_told(refused, refused['detail'], usable, granted, again)


async def come_back(connection, statement, values):
    deadline = time.monotonic() + 30
    while True:
        try:
            return await connection.execute(statement, *values)
        except asyncpg.PostgresError as error:
            if error.sqlstate != 'ZA001' or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


if __name__ == '__main__':
    report(
        about=f'asyncpg {asyncpg.__version__}',
        compared=[
            login, masked, types, parameters, prepared, temporary_tables, large, portions, many_results, errors,
            notices, batch, transactions, copy_out, notifications, cancel, timeout, connections,
        ],
        loads=[copy_in],
        clear=[login, masked],
        node_only=[wrong_token, wrong_database, held],
    )
