import type { Difference } from './compare.ts'

/*
 * What every suite may meet. Text is UTF-8 and `standard_conforming_strings` is on: everything that is decided of a
 * statement rests on how its text is read.
 */
const ENCODING = 'it sets client_encoding to something else than UTF-8, which is refused'
const STRINGS = 'it switches standard_conforming_strings off, which is refused'

const LONG = 'the text of a statement is at most 16 MiB (libs/sql, TEXT_BYTES_MAX); a parameter may be longer'

const APPLICATION =
  'application_name has the id of the session in front, so that its statements can be found on the server'

/** By suite. Whatever else differs is a fault of the node. */
export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  pgx: [
    { tests: /TestConnSimpleProtocolRefusesNonUTF8ClientEncoding/, because: ENCODING },
    { tests: /TestConnSimpleProtocolRefusesNonStandardConformingStrings/, because: STRINGS },
  ],
  'tokio-postgres': [{ tests: /^notices$/, because: `${APPLICATION}; so nothing is said of one that is too long` }],
  asyncpg: [
    {
      tests:
        /test_cache_invalidation\.\w+ test_type_cache_invalidation_in_pool$|test_introspection\.TestIntrospection /,
      because: 'it makes a database and uses it at once; a node lets nobody in before it has read the schema',
    },
    {
      tests: /test_executemany_server_failure_during_writes$/,
      because:
        'it counts how much it can send before it hears of an error; a node takes some more than the server does',
      sometimes: true,
    },
    {
      tests: /test_cancellation_03$|test_command_timeout_01$|test_cancel_attempt_expires_during_close$/,
      because: 'it gives a cancel a tenth of a second, on a busy machine',
      sometimes: true,
    },
  ],
  pq: [
    {
      tests: /TestRuntimeParameters(\/#0[789])?$/,
      because: APPLICATION,
    },
    {
      tests: /TestAuth\/end_to_end\/user=pqgounknown_password=wordpass$/,
      because: 'a refused login does not repeat the name that was given',
    },
    {
      tests: /Test(QueryRowContext|ContextCancelQuery)$/,
      because: 'it gives a query ten milliseconds or so to begin',
      sometimes: true,
    },
  ],
  pg8000: [
    { tests: /test_connection (test_application_name|testApplicatioName)$/, because: APPLICATION },
    {
      tests: /(auth\.test_scram-sha-256(_ssl)?|legacy\.test_connection) test_scram_sha_256/,
      because: 'it makes a database of its own, which the node does not serve',
    },
    {
      tests: /test_connection (test_bytes_password|test_password_bytes|testBytesPassword)$/,
      because: 'it makes a role of its own, which is nobody that the node knows',
    },
  ],
  psycopg2: [
    { tests: /test_connection\.ConnectionTests test_encoding_name$/, because: ENCODING },
    { tests: /test_copy\.CopyTests test_copy_(bytes|text|expert_textiobase)$/, because: ENCODING },
    { tests: /test_notify\.NotifiesTests test_notifies_received_on_set_client_encoding$/, because: ENCODING },
    { tests: /test_quote\.QuotingTestCase test_(bytes|koi8|latin1|unicode)$/, because: ENCODING },
    { tests: /test_types_extras\.HstoreTestCase test_roundtrip(_array)?$/, because: ENCODING },
    { tests: /test_types_extras\.JsonTestCase test_scs$/, because: STRINGS },
    { tests: /test_async\.AsyncTests test_flush_on_write$/, because: LONG, sometimes: true },
  ],
}
