"""psycopg2: libpq's simple protocol throughout, parameters written into the text, results as text."""

import datetime
import decimal
import io
import select
import threading
import time
import uuid

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
from report import (
    AGENT, STATEMENTS, WRONG_DATABASE, WRONG_TOKEN, Tally, bytes_told, held_told, report, tell_rows, without_side,
)

FIELDS = [
    'severity', 'sqlstate', 'message_primary', 'message_detail', 'message_hint', 'statement_position',
    'internal_position', 'internal_query', 'context', 'schema_name', 'table_name', 'column_name', 'datatype_name',
    'constraint_name',
]


class Connected:
    def __init__(self, side, autocommit=True, **options):
        self.connection = psycopg2.connect(side.dsn, **options)
        self.connection.autocommit = autocommit

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        self.connection.close()


def run(connection, query, values=None):
    cursor = connection.cursor()
    cursor.execute(query, values)
    return cursor


def rows_of(connection, query, values=None):
    return run(connection, query, values).fetchall()


def refusal(work, *args):
    try:
        work(*args)
    except psycopg2.Error as error:
        return {name: getattr(error.diag, name) for name in FIELDS if getattr(error.diag, name) is not None}
    raise AssertionError('it was not refused')


# -- who is it


def login(side):
    with Connected(side) as connection:
        ((one,),) = rows_of(connection, 'select 1')
        return {'one': one, 'tls': connection.info.ssl_in_use}


def wrong_token():
    return refused_login(WRONG_TOKEN)


def wrong_database():
    return refused_login(WRONG_DATABASE)


def refused_login(side):
    try:
        psycopg2.connect(side.dsn).close()
    except psycopg2.OperationalError as error:
        return {'message': str(error)}
    raise AssertionError('it was let in')


# -- what is read


def masked(side):
    with Connected(side) as connection:
        return {name: {'text': table(connection, query)} for name, query in STATEMENTS['masked'].items()}


def table(connection, query):
    psycopg2.extras.register_ipaddress(connection)
    cursor = run(connection, query)
    return {'columns': [column.name for column in cursor.description], 'rows': tell_rows(cursor.fetchall())}


def types(side):
    with Connected(side) as connection:
        description = [tuple(column) for column in run(connection, STATEMENTS['types']).description]
        psycopg2.extras.register_composite('client_pair', connection)
        return {'description': description, **table(connection, STATEMENTS['types'])}


def parameters(side):
    values = [
        7, -(2**40), decimal.Decimal('12.340'), 0.1, True, 'text with \'quotes\' and \\ and %', b'\x00\xff', None,
        datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc),
        datetime.timedelta(days=-3, seconds=4), str(uuid.UUID(int=7)), [1, None, 3], ['a', 'b,"c"'],
        psycopg2.extras.Json({'a': [1, None]}), psycopg2.extras.NumericRange(1, 5),
    ]
    with Connected(side) as connection:
        query = 'select ' + ', '.join('%s' for _ in values)
        named = rows_of(connection, 'select %(one)s, %(two)s, %(one)s', {'one': 1, 'two': None})
        return {'values': tell_rows(rows_of(connection, query, values)), 'named': tell_rows(named)}


def prepared(side):
    """By SQL's own PREPARE, which is the only way that psycopg2 has."""
    with Connected(side) as connection:
        run(connection, 'prepare counted (bigint) as select count(*), sum(duration_ms) from events where id <= $1')
        told = [rows_of(connection, 'execute counted (%s)', [each * 10]) for each in range(60)]
        run(connection, 'deallocate counted')
        gone = refusal(run, connection, 'execute counted (1)')['severity']
        return {'runs': len(told), 'first': told[:3], 'last': told[-1], 'gone': gone}


def large(side):
    tally = Tally()
    with Connected(side, autocommit=False) as connection, connection.cursor('large') as cursor:
        cursor.itersize = 5000
        cursor.execute(STATEMENTS['large'])
        for row in cursor:
            tally.add(row)
    return tally.told()


def portions(side):
    with Connected(side, autocommit=False) as connection:
        sizes = []
        with connection.cursor('parts', scrollable=True) as cursor:
            cursor.execute(STATEMENTS['portions'])
            while rows := cursor.fetchmany(100):
                sizes.append(len(rows))
            cursor.scroll(0, mode='absolute')
            first = cursor.fetchone()
        return {'sizes': sizes, 'first': first}


def many_results(side):
    """The last result is the one that is told."""
    with Connected(side) as connection:
        cursor = run(connection, "select 1; set client_min_messages to notice; select 3, 'drei'")
        return {'status': cursor.statusmessage, 'rows': cursor.fetchall()}


def errors(side):
    told = {}
    with Connected(side) as connection:
        for name, query in STATEMENTS['errors'].items():
            told[name] = refusal(run, connection, query)
        told['bad parameter'] = refusal(run, connection, 'select %s::int', ['not a number'])
        told['still there'] = rows_of(connection, 'select 1')
    return told


def notices(side):
    with Connected(side) as connection:
        for query in [*STATEMENTS['notices'], STATEMENTS['raised']]:
            run(connection, query)
        return connection.notices


def temporary_tables(side):
    with Connected(side, autocommit=False) as connection:
        run(connection, 'create temporary table own (n int, label text) on commit drop')
        psycopg2.extras.execute_values(connection.cursor(), 'insert into own values %s', [(1, 'one'), (2, 'two')])
        ((count,),) = rows_of(connection, 'select count(*) from own')
        return {'count': count, 'rows': rows_of(connection, 'select * from own order by n')}


# -- what is changed


def batch(side):
    with Connected(side) as connection:
        rows = [(side.name, each, f'label {each}', decimal.Decimal(each) / 4, None) for each in range(1, 501)]
        cursor = connection.cursor()
        psycopg2.extras.execute_values(cursor, 'insert into client_scratch values %s', rows, page_size=500)
        inserted = cursor.rowcount
        psycopg2.extras.execute_batch(
            cursor, 'update client_scratch set label = %s where side = %s and row_no = %s',
            [(f'new {each}', side.name, each) for each in range(1, 41)], page_size=20)
        broken = [(side.name, 501, 'new', 1, None), (side.name, 1, 'double', 1, None)]
        refused = refusal(
            psycopg2.extras.execute_batch, cursor, 'insert into client_scratch values (%s, %s, %s, %s, %s)', broken)
        left = rows_of(connection, "select count(*), count(*) filter (where label like 'new%%') from client_scratch where side = %s", [side.name])
        return {'inserted': inserted, 'refused': without_side(refused), 'left': left}


def transactions(side):
    with Connected(side, autocommit=False) as connection:
        told = {}
        count = lambda: rows_of(connection, 'select count(*) from client_scratch where side = %s and row_no >= 1000', [side.name])[0][0]
        add = lambda number: run(connection, 'insert into client_scratch (side, row_no) values (%s, %s)', [side.name, number])
        add(1000)
        connection.rollback()
        told['rolled back'] = count()
        add(1001)
        add(1002)
        connection.commit()
        run(connection, 'savepoint here')
        add(1003)
        run(connection, 'rollback to here')
        run(connection, 'release here')
        add(1004)
        connection.commit()
        told['savepoints'] = count()
        told['undefined'] = refusal(run, connection, 'select missing_column from products')['sqlstate']
        told['aborted'] = refusal(run, connection, 'select 1')
        connection.rollback()
        connection.set_session(isolation_level='SERIALIZABLE', readonly=True)
        ((told['isolation'],),) = rows_of(connection, 'show transaction_isolation')
        told['read only'] = refusal(add, 1005)
        connection.rollback()
        return told


def copy_out(side):
    told = {}
    with Connected(side) as connection, connection.cursor() as cursor:
        for name in ('text', 'csv', 'binary'):
            target = io.BytesIO()
            cursor.copy_expert(f"copy ({STATEMENTS['copyOut']}) to stdout (format {name})", target)
            told[name] = bytes_told(target.getvalue())
    return told


def copy_in(side):
    lines = ''.join(f'{side.name}\t{each}\tlabel {each}\t{each / 8}\t2024-01-01\n' for each in range(20_000))
    with Connected(side) as connection, connection.cursor() as cursor:
        cursor.copy_from(io.StringIO(lines), 'client_loads')
        bad = refusal(cursor.copy_from, io.StringIO('side\tnot a number\tlabel\t1\t2024-01-01\n'), 'client_loads')
        found = rows_of(connection, 'select count(*), sum(amount) from client_loads where side = %s', [side.name])
        return {'bad': bad, 'found': found}


# -- what else happens on a connection


def notifications(side):
    with Connected(side) as listener, Connected(side) as speaker:
        run(listener, 'listen client_news')
        run(speaker, "notify client_news, 'by itself'")
        run(speaker, 'select pg_notify(%s, %s)', ['client_news', 'with a parameter'])
        deadline = time.monotonic() + 10
        while len(listener.notifies) < 2 and time.monotonic() < deadline:
            select.select([listener], [], [], 1)
            listener.poll()
        return {'heard': [[each.channel, each.payload] for each in listener.notifies]}


def cancel(side):
    with Connected(side) as connection:
        timer = threading.Timer(0.5, connection.cancel)
        timer.start()
        refused = refusal(run, connection, STATEMENTS['endless'])
        timer.join()
        return [refused, rows_of(connection, 'select 1')]


def timeout(side):
    with Connected(side, options='-c statement_timeout=200') as connection:
        return [refusal(run, connection, STATEMENTS['endless']), rows_of(connection, 'select 1')]


def connections(side):
    for _ in range(50):
        with Connected(side) as connection:
            run(connection, 'select 1')
    pool = psycopg2.pool.ThreadedConnectionPool(20, 20, side.dsn)
    free = threading.Semaphore(20)
    answers = []
    threads = [threading.Thread(target=ask, args=(pool, free, number, answers)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.closeall()
    return {'pool': sorted(answers)}


def ask(pool, free, number, answers):
    with free:
        connection = pool.getconn()
        answers.append(rows_of(connection, 'select %s * 2', [number])[0][0])
        pool.putconn(connection)


# -- what is held


def held():
    with Connected(AGENT) as connection:
        return [
            once(connection, 'drop table client_doomed_psycopg2', None),
            once(connection, 'update client_counts set times = times + 1 where client = %s', ['psycopg2']),
        ]


def once(connection, statement, values):
    refused = refusal(run, connection, statement, values)
    ((usable,),) = rows_of(connection, 'select 1')
    granted = come_back(connection, statement, values)
    again = refusal(run, connection, statement, values)
    return held_told(refused, refused['message_detail'], usable, granted.statusmessage, again)


def come_back(connection, statement, values):
    deadline = time.monotonic() + 30
    while True:
        try:
            return run(connection, statement, values)
        except psycopg2.Error as error:
            if error.pgcode != 'ZA001' or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == '__main__':
    report(
        about=f'psycopg2 {psycopg2.__version__}, libpq {psycopg2.extensions.libpq_version()}',
        compared=[
            login, masked, types, parameters, prepared, large, portions, many_results, errors, notices,
            temporary_tables, batch, transactions, copy_out, notifications, cancel, timeout, connections,
        ],
        loads=[copy_in],
        clear=[login, masked],
        node_only=[wrong_token, wrong_database, held],
    )
