/**
 * What a node sets on each session before anything else, and what it holds to be so from then on: statements that
 * change it are denied by the shipped policies (`lexing`, `encoding`), and a server that tells of a change
 * (`session_track_system_variables`) ends the session.
 */
export const SESSION_SETTINGS = [
  'SET NAMES utf8mb4',
  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
  "SET SESSION session_track_system_variables = 'sql_mode,character_set_client,character_set_connection,character_set_results'",
  'SET SESSION session_track_schema = 1',
] as const
