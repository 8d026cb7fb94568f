"""psycopg 3, one thread per connection: everything that it can do with the protocol."""

import datetime
import decimal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range
from psycopg_pool import ConnectionPool
from report import (
    AGENT, STATEMENTS, WRONG_DATABASE, WRONG_TOKEN, Tally, bytes_told, held_told, report, tell_rows,
    without_side,
)

FIELDS = [
    'severity', 'sqlstate', 'message_primary', 'message_detail', 'message_hint', 'statement_position',
    'internal_position', 'internal_query', 'context', 'schema_name', 'table_name', 'column_name', 'datatype_name',
    'constraint_name',
]


def connect(side, **options):
    return psycopg.connect(side.dsn, autocommit=True, **options)


def fields_of(diagnostic):
    return {name: getattr(diagnostic, name) for name in FIELDS if getattr(diagnostic, name) is not None}


def refusal(work, *args):
    """What the server said when it refused; that it did not refuse is an error."""
    try:
        work(*args)
    except psycopg.Error as error:
        return fields_of(error.diag)
    raise AssertionError('it was not refused')


# -- who is it


def login(side):
    with connect(side) as connection:
        (one,) = connection.execute('select 1').fetchone()
        return {'one': one, 'tls': connection.pgconn.ssl_in_use, 'encoding': connection.info.encoding}


def parameters_of_the_server(side):
    with connect(side, options='-c datestyle=iso,dmy -c statement_timeout=7s', application_name='my program') as conn:
        names = ['server_version', 'client_encoding', 'DateStyle', 'TimeZone', 'integer_datetimes', 'application_name',
                 'standard_conforming_strings', 'in_hot_standby', 'default_transaction_read_only', 'is_superuser']
        shown = conn.execute('show statement_timeout').fetchone()
        return {'timeout': shown, **{name: conn.info.parameter_status(name) for name in names}}


def newest_protocol(side):
    """libpq 18 can ask for version 3.2; a server that speaks only 3.0 says so, and the connection goes on."""
    with connect(side, max_protocol_version='latest') as connection:
        return tell_rows(connection.execute('select 1').fetchall())


def wrong_token():
    return refused_login(WRONG_TOKEN)


def wrong_database():
    return refused_login(WRONG_DATABASE)


def refused_login(side):
    try:
        connect(side).close()
    except psycopg.OperationalError as error:
        # libpq keeps the text of a failed login only; the code is in it because the program asks for it.
        return {'sqlstate': error.sqlstate or error.diag.sqlstate, 'message': str(error)}
    raise AssertionError('it was let in')


# -- what is read


def masked(side):
    with connect(side) as connection:
        return {
            name: {'text': table(connection, query, False), 'binary': table(connection, query, True)}
            for name, query in STATEMENTS['masked'].items()
        }


def table(connection, query, binary):
    cursor = connection.execute(query, binary=binary)
    return {'columns': [column.name for column in cursor.description], 'rows': tell_rows(cursor.fetchall())}


def types(side):
    with connect(side) as connection:
        return {
            'text': table(connection, STATEMENTS['types'], False),
            'binary': table(connection, STATEMENTS['types'], True),
            'description': [
                [column.name, column.type_code, column.internal_size, column.precision, column.scale]
                for column in connection.execute(STATEMENTS['types']).description
            ],
        }


def registered_types(side):
    """psycopg asks the catalogue what an enum and a composite look like, and decodes them from then on."""
    with connect(side) as connection:
        pair = psycopg.types.composite.CompositeInfo.fetch(connection, 'client_pair')
        psycopg.types.composite.register_composite(pair, connection)
        mood = psycopg.types.enum.EnumInfo.fetch(connection, 'client_mood')
        psycopg.types.enum.register_enum(mood, connection)
        query = 'select c_pair, c_mood, c_mood_list from client_types order by row_no'
        return [tell_rows(connection.execute(query, binary=binary).fetchall()) for binary in (False, True)]


def parameters(side):
    values = [
        7, -(2**40), decimal.Decimal('12.340'), 0.1, True, 'text with \'quotes\' and \\', b'\x00\xff', None,
        datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc),
        datetime.time(1, 2, 3), datetime.timedelta(days=-3, seconds=4), uuid.UUID(int=7), [1, None, 3], ['a', 'b,"c"'],
        Json({'a': [1, None]}), Jsonb({'b': 'é'}), Range(1, 5),
    ]
    types = ['int4', 'int8', 'numeric', 'float8', 'bool', 'text', 'bytea', 'text', 'date', 'timestamptz', 'time',
             'interval', 'uuid', 'int4[]', 'text[]', 'json', 'jsonb', 'int4range']
    told = {}
    with connect(side) as connection:
        for placeholder in ('%s', '%t', '%b'):
            query = 'select ' + ', '.join(f'{placeholder}::{each}' for each in types)
            told[placeholder] = tell_rows(connection.execute(query, values).fetchall())
        told['no type said'] = tell_rows(connection.execute('select %s, %s', ['untyped', None]).fetchall())
        told['client side'] = tell_rows(psycopg.ClientCursor(connection).execute('select %s, %s', ["it's", 5]).fetchall())
        told['raw'] = tell_rows(psycopg.RawCursor(connection).execute('select $1::int + $1, $2::text', [5, None]).fetchall())
    return told


def prepared(side):
    """Prepared by the driver after five executions, then reused; also by hand, given up and made again."""
    told = []
    with connect(side) as connection:
        query = 'select count(*), sum(duration_ms) from events where id between %s and %s'
        for each in range(60):
            told.append(connection.execute(query, [each * 10, each * 10 + 9]).fetchone())
        in_use = connection.execute('select count(*) from pg_prepared_statements').fetchone()
        connection.execute('deallocate all')
        again = connection.execute(query, [1, 10], prepare=True).fetchone()
        connection.execute('prepare by_hand (int) as select id, kind from events where id = $1')
        by_hand = [connection.execute('execute by_hand (5)').fetchone() for _ in range(3)]
        connection.execute('discard all')
        gone = connection.execute('select count(*) from pg_prepared_statements').fetchone()
        return {'runs': len(told), 'first': told[:3], 'last': told[-1], 'in_use': in_use, 'again': again,
                'by_hand': tell_rows(by_hand), 'gone': gone}


def large(side):
    tally = Tally()
    with connect(side) as connection, connection.cursor() as cursor:
        for row in cursor.stream(STATEMENTS['large']):
            tally.add(row)
    return tally.told()


def portions(side):
    """A cursor of the server's: scrolled, fetched in parts, held beyond its transaction."""
    told = {}
    with psycopg.connect(side.dsn) as connection:
        with connection.cursor('parts', binary=True) as cursor:
            cursor.itersize = 100
            cursor.execute(STATEMENTS['portions'])
            sizes = []
            while rows := cursor.fetchmany(100):
                sizes.append(len(rows))
            told['sizes'] = sizes
        with connection.cursor('scrolled', scrollable=True) as cursor:
            cursor.execute(STATEMENTS['portions'])
            told['second'] = tell_rows(cursor.fetchmany(2))
            cursor.scroll(1000, mode='absolute')
            told['thousandth'] = tell_rows(cursor.fetchmany(2))
            cursor.scroll(-3)
            told['back'] = tell_rows(cursor.fetchmany(2))
        held = connection.cursor('held', withhold=True)
        held.execute(STATEMENTS['portions'])
        connection.commit()
        told['held'] = tell_rows(held.fetchmany(3))
        held.close()
        with connection.cursor('masked') as cursor:
            cursor.execute('select id, city from customers order by id')
            told['customers'] = len(cursor.fetchall())
    return told


def temporary_tables(side):
    """What a session has put there itself."""
    told = {}
    with connect(side) as connection:
        connection.execute('create temporary table own (n int, label text, happened date)')
        connection.execute("insert into own values (1, 'one', '2024-01-01'), (2, 'two', null)")
        told['rows'] = tell_rows(connection.execute('select * from own order by n').fetchall())
        (told['count'],) = connection.execute('select count(*) from own').fetchone()
        connection.execute('begin')
        connection.execute('create temporary table brief on commit drop as select id, kind from events where id <= 3')
        told['brief'] = tell_rows(connection.execute('select * from brief order by id').fetchall())
        connection.execute('commit')
        told['gone'] = refusal(connection.execute, 'select * from brief')['sqlstate']
        connection.execute("update own set label = 'new' where n = 1")
        told['changed'] = tell_rows(connection.execute('select n, upper(label) from own order by n').fetchall())
        connection.execute('drop table own')
    return told


def many_results(side):
    with connect(side) as connection, connection.cursor() as cursor:
        cursor.execute("select 1; select 'two', 2 where false; set client_min_messages to notice; select 3, 'drei'")
        told = [[cursor.statusmessage, tell_rows(cursor.fetchall()) if cursor.description else None]]
        while cursor.nextset():
            told.append([cursor.statusmessage, tell_rows(cursor.fetchall()) if cursor.description else None])
        empty = connection.execute('  -- nothing\n')
        return {'results': told, 'empty': [empty.statusmessage, empty.rowcount]}


def errors(side):
    """Each error in the simple protocol and in the extended one, and that the connection goes on."""
    told = {}
    with connect(side) as connection:
        for name, query in STATEMENTS['errors'].items():
            told[name] = [refusal(connection.execute, query), refusal(extended, connection, query)]
        told['bad parameter'] = refusal(connection.execute, 'select %s::int', ['not a number'])
        told['still there'] = tell_rows(connection.execute('select 1').fetchall())
    return told


def extended(connection, query):
    return connection.execute(query, binary=True)


def notices(side):
    told = []
    with connect(side) as connection:
        connection.add_notice_handler(lambda diagnostic: told.append(fields_of(diagnostic)))
        for query in [*STATEMENTS['notices'], STATEMENTS['raised']]:
            connection.execute(query)
    return told


# -- what is changed


def batch(side):
    """executemany goes through pipeline mode."""
    with connect(side) as connection, connection.cursor() as cursor:
        rows = [(side.name, each, f'label {each}', decimal.Decimal(each) / 4, None) for each in range(1, 501)]
        cursor.executemany('insert into client_scratch values (%s, %s, %s, %s, %s)', rows)
        inserted = cursor.rowcount
        cursor.executemany('select label from client_scratch where side = %s and row_no = %s',
                           [(side.name, 3), (side.name, 500)], returning=True)
        returned = [cursor.fetchone()]
        while cursor.nextset():
            returned.append(cursor.fetchone())
        broken = [(side.name, 501, 'new', 1, None), (side.name, 1, 'double', 1, None), (side.name, 502, 'late', 1, None)]
        refused = refusal(cursor.executemany, 'insert into client_scratch values (%s, %s, %s, %s, %s)', broken)
        left = connection.execute('select count(*), max(row_no) from client_scratch where side = %s', [side.name])
        return {'inserted': inserted, 'returned': returned, 'refused': without_side(refused), 'left': left.fetchone()}


def pipeline(side):
    told = {}
    with connect(side) as connection:
        with connection.pipeline():
            query = 'select %s::int, id, kind from events where id = %s'
            cursors = [connection.execute(query, [number, number]) for number in range(1, 41)]
            told['answers'] = tell_rows(cursor.fetchone() for cursor in cursors)
        told['refused'] = refusal(broken_pipeline, connection)
        told['groups'] = groups_at_once(connection.pgconn)
        told['after'] = tell_rows(connection.execute('select 4').fetchall())
        told['written'] = tell_rows(connection.execute(
            "select * from client_scratch where side = 'never'").fetchall())
    return told


def broken_pipeline(connection):
    with connection.pipeline():
        connection.execute('select 1 / %s', [0])
        connection.execute("insert into client_scratch (side, row_no) values ('never', 1)")


def groups_at_once(pgconn):
    """Three groups sent before any answer is read, the second of them broken; below the driver, where the order of
    answers does not depend on when they come."""
    pgconn.enter_pipeline_mode()
    for query, value in [('select $1::int', b'1'), (None, None), ('select 1 / $1::int', b'0'),
                         ("insert into client_scratch (side, row_no) values ('never', $1)", b'2'), (None, None),
                         ('select $1::int', b'3'), ('select missing_column from products where id = $1', b'4'),
                         ('select $1::int', b'5'), (None, None), ('select $1::int', b'6'), (None, None)]:
        if query is None:
            pgconn.pipeline_sync()
        else:
            pgconn.send_query_params(query.encode(), [value])
    told = []
    while told.count('PIPELINE_SYNC') < 4:
        result = pgconn.get_result()
        if result is None:
            continue
        status = psycopg.pq.ExecStatus(result.status).name
        told.append(status if status != 'TUPLES_OK' else result.get_value(0, 0).decode())
    pgconn.exit_pipeline_mode()
    return told


def transactions(side):
    with psycopg.connect(side.dsn) as connection:
        told = {}
        count = lambda: connection.execute("select count(*) from client_scratch where side = %s and row_no >= 1000", [side.name]).fetchone()[0]
        add = lambda number: connection.execute('insert into client_scratch (side, row_no) values (%s, %s)', [side.name, number])
        add(1000)
        connection.rollback()
        told['rolled back'] = count()
        add(1001)
        connection.commit()
        told['committed'] = count()
        with connection.transaction():
            add(1002)
            try:
                with connection.transaction('inner_one'):
                    add(1003)
                    raise psycopg.Rollback('inner_one')
            except psycopg.Rollback:
                pass
            with connection.transaction():
                add(1004)
            told['failed inside'] = [refusal(failing_savepoint, connection, add)['sqlstate'], connection.info.transaction_status.name]
        connection.commit()
        told['savepoints'] = count()
        told['undefined'] = refusal(connection.execute, 'select missing_column from products')['sqlstate']
        told['status'] = connection.info.transaction_status.name
        told['aborted'] = refusal(connection.execute, 'select 1')
        connection.rollback()
        told['after'] = [count(), connection.info.transaction_status.name]
        connection.rollback()
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        connection.read_only = True
        (told['isolation'],) = connection.execute('show transaction_isolation').fetchone()
        told['read only'] = refusal(add, 1005)
        connection.rollback()
        return told


def failing_savepoint(connection, add):
    with connection.transaction():
        add(1004)


def copy_out(side):
    told = {}
    with connect(side) as connection, connection.cursor() as cursor:
        for form, options in {'text': 'text', 'csv': 'csv, header', 'binary': 'binary'}.items():
            with cursor.copy(f"copy ({STATEMENTS['copyOut']}) to stdout (format {options})") as copy:
                told[form] = bytes_told(b''.join(bytes(block) for block in copy))
        with cursor.copy('copy (select id, kind from events where id <= 5 order by id) to stdout') as copy:
            copy.set_types(['int8', 'text'])
            told['rows'] = tell_rows(copy.rows())
    return told


def copy_in(side):
    with connect(side) as connection, connection.cursor() as cursor:
        with cursor.copy('copy client_loads from stdin') as copy:
            for each in range(10_000):
                copy.write_row((side.name, each, f'label {each}\twith tab', each / 8, datetime.date(2024, 1, 1)))
        told = {'text': cursor.rowcount}
        with cursor.copy('copy client_loads from stdin (format binary)') as copy:
            copy.set_types(['text', 'int4', 'text', 'float8', 'date'])
            for each in range(10_000, 20_000):
                copy.write_row((side.name, each, None, each / 8, None))
        told['binary'] = cursor.rowcount
        told['given up'] = refusal(give_up, cursor)
        told['bad'] = refusal(bad_row, cursor)
        found = connection.execute('select count(*), sum(amount), count(label), count(happened) from client_loads where side = %s', [side.name])
        return {**told, 'found': tell_rows(found.fetchall())}


def give_up(cursor):
    with cursor.copy('copy client_loads from stdin') as copy:
        copy.write_row(('given up', 1, None, None, None))
        raise ValueError_of_ours()


class ValueError_of_ours(psycopg.DataError):
    """Ends the copy from our side, as any exception would."""


def bad_row(cursor):
    with cursor.copy('copy client_loads from stdin') as copy:
        copy.write(b'side\t1\tnote\t1\t2024-01-01\nside\tnot a number\tnote\t1\t2024-01-01\n')


# -- what else happens on a connection


def notifications(side):
    with connect(side) as listener, connect(side) as speaker:
        listener.execute('listen client_news')
        speaker.execute("notify client_news, 'by itself'")
        speaker.execute('select pg_notify(%s, %s)', ['client_news', 'with a parameter'])
        heard = [[each.channel, each.payload] for each in listener.notifies(timeout=10, stop_after=2)]
        listener.execute('unlisten *')
        speaker.execute('notify client_news')
        return {'heard': heard, 'unlistened': [each.payload for each in listener.notifies(timeout=0.2)]}


def cancel(side):
    """Both ways of libpq: over a connection that is as safe as this one, and the old one in clear."""
    told = {}
    for way in ('cancel_safe', 'cancel'):
        with connect(side) as connection, ThreadPoolExecutor() as other_thread:
            asked = other_thread.submit(cancel_soon, getattr(connection, way))
            refused = refusal(connection.execute, STATEMENTS['endless'])
            told[way] = {'asked': asked.result(), 'refused': refused, 'after': connection.execute('select 1').fetchone()}
    return told


def cancel_soon(ask):
    time.sleep(0.5)
    try:
        ask()
        return 'understood'
    except psycopg.Error as error:
        return str(error)


def timeout(side):
    with connect(side) as connection:
        connection.execute("set statement_timeout = '200ms'")
        return [refusal(connection.execute, STATEMENTS['endless']), tell_rows(connection.execute('select 1').fetchall())]


def connections(side):
    for _ in range(50):
        with connect(side) as connection:
            connection.execute('select 1').fetchone()
    with connect(side) as one, connect(side) as other:
        one.execute("set timezone = 'Asia/Tokyo'")
        both = [each.execute('show timezone').fetchone() for each in (one, other)]
    with ConnectionPool(side.dsn, min_size=20, max_size=20, timeout=30) as pool:
        pool.wait(30)
        answers = []
        threads = [threading.Thread(target=ask, args=(pool, each, answers)) for each in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {'both': [zone for zone, in both], 'pool': sorted(answers)}


def ask(pool, number, answers):
    with pool.connection() as connection:
        answers.append(connection.execute('select %s::int * 2', [number]).fetchone()[0])


# -- what is held


def held():
    """An agent is told at once, comes back until somebody has countersigned, and gets it once."""
    with connect(AGENT) as connection:
        return [
            once(connection, 'drop table client_doomed_psycopg', []),
            once(connection, 'update client_counts set times = times + 1 where client = %s', ['psycopg']),
        ]


def once(connection, statement, values):
    run = lambda: connection.execute(statement, values or None)
    refused = refusal(run)
    usable = connection.execute('select 1').fetchone()
    granted = come_back(run)
    return held_told(refused, refused['message_detail'], usable[0], granted.statusmessage, refusal(run))


def come_back(run):
    deadline = time.monotonic() + 30
    while True:
        try:
            return run()
        except psycopg.Error as error:
            if error.sqlstate != 'ZA001' or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == '__main__':
    report(
        about=f'psycopg {psycopg.__version__}, {psycopg.pq.__impl__}, libpq {psycopg.pq.version()}',
        compared=[
            login, parameters_of_the_server, newest_protocol, masked, types, registered_types, parameters, prepared,
            temporary_tables, large, portions, many_results, errors, notices, batch, pipeline, transactions, copy_out, notifications,
            cancel, timeout, connections,
        ],
        loads=[copy_in],
        clear=[login, masked],
        node_only=[wrong_token, wrong_database, held],
    )
