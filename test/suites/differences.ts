import type { Difference } from './compare.ts'

/*
 * What every suite may meet. Text is UTF-8 and `standard_conforming_strings` is on, or the session ends: everything that
 * is decided of a statement rests on how its text is read.
 */
const ENCODING = 'it sets client_encoding to something else than UTF-8, which ends the session'
const STRINGS = 'it switches standard_conforming_strings off, which is refused'

/** By suite. Whatever else differs is a fault of the node. */
export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  pgx: [
    { tests: /TestConnSimpleProtocolRefusesNonUTF8ClientEncoding/, because: ENCODING },
    { tests: /TestConnSimpleProtocolRefusesNonStandardConformingStrings/, because: STRINGS },
  ],
  pq: [
    {
      tests: /TestRuntimeParameters(\/#0[789])?$/,
      because: 'application_name has the id of the session in front, so that its statements can be found on the server',
    },
    {
      tests: /TestAuth\/end_to_end\/user=pqgounknown_password=wordpass$/,
      because: 'a refused login does not repeat the name that was given',
    },
    { tests: /TestQueryRowContext$/, because: 'it gives a query some milliseconds from the login on', sometimes: true },
  ],
  psycopg2: [
    { tests: /test_connection\.ConnectionTests test_encoding_name$/, because: ENCODING },
    { tests: /test_copy\.CopyTests test_copy_(bytes|text|expert_textiobase)$/, because: ENCODING },
    { tests: /test_notify\.NotifiesTests test_notifies_received_on_set_client_encoding$/, because: ENCODING },
    { tests: /test_quote\.QuotingTestCase test_(bytes|koi8|latin1|unicode)$/, because: ENCODING },
    { tests: /test_types_extras\.HstoreTestCase test_roundtrip(_array)?$/, because: ENCODING },
    { tests: /test_types_extras\.JsonTestCase test_scs$/, because: STRINGS },
  ],
}
