"""What a client saw, as the one JSON document that its spec reads.

A section is a function of one side, a connection string to the database itself or to the node. The same code runs
against both, and the spec compares. A section that raises is reported as failed, so that the others are still seen.
"""

import asyncio
import hashlib
import json
import os
import re
import sys
import traceback

STATEMENTS = json.load(open(os.environ['CLIENT_STATEMENTS'], encoding='utf8'))


class Side:
    """Where a section runs. `name` is written into rows, so that both sides can write to the same tables."""

    def __init__(self, name, dsn):
        self.name = name
        self.dsn = dsn


DIRECT = Side('direct', os.environ['CLIENT_DIRECT'])
NODE = Side('node', os.environ['CLIENT_NODE'])
CLEAR = Side('clear', os.environ['CLIENT_CLEAR'])
SERVICE = Side('node', os.environ['CLIENT_SERVICE'])
AGENT = Side('agent', os.environ['CLIENT_AGENT'])
WRONG_TOKEN = Side('wrong token', os.environ['CLIENT_WRONG_TOKEN'])
WRONG_DATABASE = Side('wrong database', os.environ['CLIENT_WRONG_DATABASE'])


def report(about, compared, loads, clear, node_only):
    """Runs every section and prints the document.

    `compared` run directly and through the node; `loads` too, but as the service, because people may not load in
    bulk; `clear` once more without TLS; `node_only` have nothing to be compared with.
    """
    sides = {
        'direct': run_all([*compared, *loads], lambda section: DIRECT),
        'node': run_all([*compared, *loads], lambda section: SERVICE if section in loads else NODE),
        'clear': run_all(clear, lambda section: CLEAR),
        'only': run_all(node_only, lambda section: None),
    }
    json.dump({'about': about, **sides}, sys.stdout)


def run_all(sections, side_of):
    return {section.__name__: run_one(section, side_of(section)) for section in sections}


def run_one(section, side):
    print(section.__name__, side.name if side else '', file=sys.stderr, flush=True)  # Where it is, should it hang.
    try:
        result = section(side) if side else section()
        return {'saw': asyncio.run(result) if asyncio.iscoroutine(result) else result}
    except Exception:
        return {'failed': traceback.format_exc()}


LENGTH_TOLD_MAX = 2000


def tell(value):
    """A value with the type that the driver gave it: the type's name, and what it says of itself."""
    if value is None:
        return None
    kind = type(value).__name__
    if isinstance(value, dict):
        return [kind, {str(key): tell(each) for key, each in value.items()}]
    if isinstance(value, (list, tuple)):
        return [kind, [tell(each) for each in value]]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return [kind, short(bytes(value).hex())]
    return [kind, short(value if isinstance(value, str) else repr(value))]


def short(text):
    if len(text) <= LENGTH_TOLD_MAX:
        return text
    return f'{len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()}'


def tell_rows(rows):
    return [[tell(value) for value in row] for row in rows]


def bytes_told(data):
    return {'bytes': len(data), 'digest': hashlib.sha256(data).hexdigest()}


def without_side(fields):
    """A row's key may name the side that it belongs to; that is our difference, not the node's."""
    return {name: re.sub(r"\b(node|direct)\b", 'SIDE', value) for name, value in fields.items()}


def held_told(refused, detail, usable, granted, again):
    """How the asking of an agent went. The detail of the refusal is for programs to read."""
    return {'refused': refused['sqlstate'], 'detail': json.loads(detail), 'usable': usable, 'granted': granted,
            'again': again['sqlstate']}


class Tally:
    """Many rows in few words."""

    def __init__(self):
        self.rows = 0
        self.digest = hashlib.sha256()

    def add(self, row):
        self.rows += 1
        self.digest.update(repr(tuple(row)).encode())

    def told(self):
        return {'rows': self.rows, 'digest': self.digest.hexdigest()}
