/*
 * How the server is asked what it makes of a statement. Nothing is executed.
 *
 * On a side connection, whose role needs no right but USAGE of the schemas:
 *
 *   1. once: each of ANALYSIS_SETTINGS, as a simple query;
 *   2. whenever the session of the client has another search path: `analysisPath(schemas)`, then ANALYSIS_PATH_QUERY;
 *      unless it answers with the same schemas, nothing is analysed: the server passes over a schema of which the role
 *      has no USAGE, and names would mean something else;
 *   3. for each statement: Parse (unnamed, the text of `command.analysable`, the client's parameter types), Sync.
 *
 * The answer is ParseComplete or ErrorResponse, then ReadyForQuery. Before it comes one NoticeResponse with severity
 * (field V) `LOG` and message ANALYSIS_TITLE, whose detail (field D) is the tree: give it to `readTree`. A statement
 * that the server rewrites to nothing gives an empty list; a utility statement gives one node that is not analysed.
 *
 * The server writes the same to its own log, with the literals of the statement, unless a superuser has said
 * `ALTER ROLE <guard> SET log_min_messages = fatal`.
 */

export const ANALYSIS_SETTINGS: readonly string[] = [
  "SET client_min_messages = 'log'",
  'SET debug_pretty_print = off',
  'SET debug_print_rewritten = on',
  'SET standard_conforming_strings = on',
  "SET client_encoding = 'UTF8'",
  'SET default_transaction_read_only = on',
  // Looking up a relation waits for whoever alters it. That may be the client's own transaction.
  "SET lock_timeout = '250ms'",
  "SET statement_timeout = '5s'",
]

export const ANALYSIS_TITLE = 'rewritten parse tree:'

/** One row with one array of texts. */
export const ANALYSIS_PATH_QUERY = 'SELECT pg_catalog.current_schemas(false)::text[]'

/** `schemas`: what `current_schemas(false)` says in the session of the client, without its temporary schema. */
export const analysisPath = (schemas: readonly string[]): string =>
  `SET search_path = ${schemas.length === 0 ? "''" : schemas.map(quotedSchema).join(', ')}`

const quotedSchema = (schema: string) => `"${schema.replaceAll('"', '""')}"`
