"""psycopg 3 under asyncio: the same protocol code, other waiting."""

import asyncio
import datetime
import decimal
import time

import psycopg
from blocking import fields_of
from psycopg_pool import AsyncConnectionPool
from report import (
    AGENT, STATEMENTS, WRONG_DATABASE, WRONG_TOKEN, Tally, bytes_told, held_told, report, tell_rows, without_side,
)


class Connected:
    """`async with` for a connection that commits each statement."""

    def __init__(self, side, **options):
        self.connecting = psycopg.AsyncConnection.connect(side.dsn, autocommit=True, **options)

    async def __aenter__(self):
        self.connection = await self.connecting
        return self.connection

    async def __aexit__(self, *_):
        await self.connection.close()


async def refusal(awaited):
    try:
        await awaited
    except psycopg.Error as error:
        return fields_of(error.diag)
    raise AssertionError('it was not refused')


async def rows_of(connection, query, values=None, **options):
    return await (await connection.execute(query, values, **options)).fetchall()


async def login(side):
    async with Connected(side) as connection:
        ((one,),) = await rows_of(connection, 'select 1')
        return {'one': one, 'tls': connection.pgconn.ssl_in_use}


async def wrong_token():
    return await refused_login(WRONG_TOKEN)


async def wrong_database():
    return await refused_login(WRONG_DATABASE)


async def refused_login(side):
    try:
        await psycopg.AsyncConnection.connect(side.dsn)
    except psycopg.OperationalError as error:
        return {'message': str(error)}
    raise AssertionError('it was let in')


async def masked(side):
    async with Connected(side) as connection:
        return {
            name: {'text': await table(connection, query, False), 'binary': await table(connection, query, True)}
            for name, query in STATEMENTS['masked'].items()
        }


async def table(connection, query, binary):
    cursor = await connection.execute(query, binary=binary)
    return {'columns': [column.name for column in cursor.description], 'rows': tell_rows(await cursor.fetchall())}


async def types(side):
    async with Connected(side) as connection:
        return await table(connection, STATEMENTS['types'], True)


async def prepared(side):
    query = 'select count(*), sum(duration_ms) from events where id between %s and %s'
    async with Connected(side, prepare_threshold=0) as connection:
        told = [await rows_of(connection, query, [each * 10, each * 10 + 9]) for each in range(60)]
    return {'runs': len(told), 'first': told[:3], 'last': told[-1]}


async def large(side):
    tally = Tally()
    async with Connected(side) as connection, connection.cursor(binary=True) as cursor:
        async for row in cursor.stream(STATEMENTS['large'], size=500):
            tally.add(row)
    return tally.told()


async def portions(side):
    sizes = []
    async with Connected(side) as connection, connection.transaction():
        async with connection.cursor('parts') as cursor:
            await cursor.execute(STATEMENTS['portions'])
            while rows := await cursor.fetchmany(100):
                sizes.append(len(rows))
    return {'sizes': sizes}


async def errors(side):
    told = {}
    async with Connected(side) as connection:
        for name, query in STATEMENTS['errors'].items():
            told[name] = [await refusal(connection.execute(query)), await refusal(connection.execute(query, prepare=True))]
        told['bad parameter'] = await refusal(connection.execute('select %s::int', ['not a number']))
        told['still there'] = await rows_of(connection, 'select 1')
    return told


async def pipeline(side):
    """Some tasks at once on one connection, each in its part of the pipeline."""
    async with Connected(side) as connection:
        async with connection.pipeline():
            query = 'select %s::int, kind from events where id = %s'
            answers = await asyncio.gather(*[rows_of(connection, query, [each, each]) for each in range(1, 41)])
        return {'answers': answers}


async def batch(side):
    async with Connected(side) as connection, connection.cursor() as cursor:
        rows = [(side.name, each, f'label {each}', decimal.Decimal(each) / 4, None) for each in range(1, 501)]
        await cursor.executemany('insert into client_scratch values (%s, %s, %s, %s, %s)', rows)
        inserted = cursor.rowcount
        broken = [(side.name, 501, 'new', 1, None), (side.name, 1, 'double', 1, None)]
        refused = await refusal(cursor.executemany('insert into client_scratch values (%s, %s, %s, %s, %s)', broken))
        left = await rows_of(connection, 'select count(*) from client_scratch where side = %s', [side.name])
        return {'inserted': inserted, 'refused': without_side(refused), 'left': left}


async def copy_out(side):
    told = {}
    async with Connected(side) as connection, connection.cursor() as cursor:
        for name in ('text', 'csv', 'binary'):
            async with cursor.copy(f"copy ({STATEMENTS['copyOut']}) to stdout (format {name})") as copy:
                told[name] = bytes_told(b''.join([bytes(block) async for block in copy]))
    return told


async def copy_in(side):
    async with Connected(side) as connection, connection.cursor() as cursor:
        async with cursor.copy('copy client_loads from stdin (format binary)') as copy:
            copy.set_types(['text', 'int4', 'text', 'float8', 'date'])
            for each in range(20_000):
                await copy.write_row((side.name, each, f'label {each}', each / 8, datetime.date(2024, 1, 1)))
        bad = await refusal(bad_row(cursor))
        found = await rows_of(connection, 'select count(*), sum(amount) from client_loads where side = %s', [side.name])
        return {'bad': bad, 'found': found}


async def bad_row(cursor):
    async with cursor.copy('copy client_loads from stdin') as copy:
        await copy.write(b'side\tnot a number\tlabel\t1\t2024-01-01\n')


async def notifications(side):
    async with Connected(side) as listener, Connected(side) as speaker:
        await listener.execute('listen client_news')
        hearing = asyncio.create_task(two_of(listener))
        await speaker.execute("notify client_news, 'by itself'")
        await speaker.execute('select pg_notify(%s, %s)', ['client_news', 'with a parameter'])
        return {'heard': await hearing}


async def two_of(listener):
    return [[each.channel, each.payload] async for each in listener.notifies(timeout=10, stop_after=2)]


async def cancel(side):
    async with Connected(side) as connection:
        running = asyncio.create_task(refusal(connection.execute(STATEMENTS['endless'])))
        await asyncio.sleep(0.5)
        await connection.cancel_safe()
        return [await running, await rows_of(connection, 'select 1')]


async def timeout(side):
    async with Connected(side, options='-c statement_timeout=200') as connection:
        return [await refusal(connection.execute(STATEMENTS['endless'])), await rows_of(connection, 'select 1')]


async def connections(side):
    async with AsyncConnectionPool(side.dsn, min_size=20, max_size=20, timeout=30, open=False) as pool:
        return {'pool': await asyncio.gather(*[ask(pool, number) for number in range(60)])}


async def ask(pool, number):
    async with pool.connection() as connection:
        ((twice,),) = await rows_of(connection, 'select %s::int * 2', [number])
        return twice


async def held():
    async with Connected(AGENT) as connection:
        return [
            await once(connection, 'drop table client_doomed_psycopg_async', None),
            await once(connection, 'update client_counts set times = times + 1 where client = %s', ['psycopg-async']),
        ]


async def once(connection, statement, values):
    refused = await refusal(connection.execute(statement, values))
    ((usable,),) = await rows_of(connection, 'select 1')
    granted = await come_back(connection, statement, values)
    again = await refusal(connection.execute(statement, values))
    return held_told(refused, refused['message_detail'], usable, granted.statusmessage, again)


async def come_back(connection, statement, values):
    deadline = time.monotonic() + 30
    while True:
        try:
            return await connection.execute(statement, values)
        except psycopg.Error as error:
            if error.sqlstate != 'ZA001' or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


if __name__ == '__main__':
    report(
        about=f'psycopg {psycopg.__version__} under asyncio',
        compared=[
            login, masked, types, prepared, large, portions, errors, pipeline, batch, copy_out, notifications, cancel,
            timeout, connections,
        ],
        loads=[copy_in],
        clear=[login, masked],
        node_only=[wrong_token, wrong_database, held],
    )
