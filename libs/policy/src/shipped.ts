// Made by scripts/embed.mjs from countersign.cedarschema and policies/: change those.

export const SCHEMA = `// What policies can speak of. Released as it is: names here are only ever added.

// Who acts. Groups are those of the directory.
entity Group;
entity Person in [Group] { id: String };
entity Service in [Group] { id: String };
// An agent acts for a person.
entity Agent in [Group] { id: String, onBehalfOf?: String };

// What is acted upon: Environment "prod", Database "prod/shop", Schema "prod/shop.public",
// Relation "prod/shop.public.orders", Column "prod/shop.public.orders.total".
entity Environment;
entity Database in [Environment];
entity Schema in [Database, Environment];
entity Relation in [Schema, Database, Environment] {
  // schema.relation, as the server resolved it
  name: String,
  // belongs to the session and goes with it
  temporary: Bool,
  // part of the server's own catalogue
  system: Bool
};
entity Column in [Relation, Schema, Database, Environment] {
  name: String,
  // what it holds: "email", "card" …; "clear" when nothing about it is sensitive, "unknown" until it is classified
  class: String
};
// Everything else that a statement can name: a routine, a role, a setting, a server …
entity Object in [Database, Environment] {
  kind: String,
  name: String,
  temporary: Bool,
  system: Bool
};

// What is known of a statement. The second part is about the one use of it that is being asked about.
type Statement = {
  // its kind: "DELETE", "DROP TABLE"
  statement: String,
  environment: String,
  // "idle", "open" or "failed"
  transaction: String,
  agent: Bool,
  // UTC, 0 to 23
  hour: Long,
  // in the time zone of the environment: 1 is Monday, 7 Sunday
  weekday: Long,
  // in the time zone of the environment: minutes since midnight, 0 to 1439
  minuteOfDay: Long,
  // \`SET countersign.reason = '…'\` and \`SET countersign.ticket = '…'\`; absent when nothing or only blanks are said
  reason?: String,
  ticket?: String,
  // proven to change nothing
  readOnly: Bool,
  // what its names mean is not known
  unresolved: Bool,
  // the server refuses it before anything of it runs
  fails: Bool,
  // codes of libs/sql, src/danger.ts
  dangers: Set<String>,
  // classes of the columns that it reads or writes
  sensitiveClasses: Set<String>,
  // it puts values of sensitive columns where they are not known to be sensitive
  sensitiveStored: Bool,
  // values of sensitive columns decide whether it fails
  sensitiveSteering: Bool,

  // "statement", or what brings it about: "function", "trigger", "rule", "cascade"
  through: String,
  // "insert", "update", "delete", "merge", "truncate", "drop"; "" when no rows are changed
  change: String,
  // no WHERE, or one that keeps nothing out
  unbounded: Bool,
  tautological: Bool,
  // the number of rows is known, or need not be
  counted: Bool,
  rows?: Long,
  rowsExact: Bool,
  // of all rows of the relation, in percent
  rowsShare?: Long
};

type Circumstances = {
  environment: String,
  agent: Bool,
  hour: Long,
  weekday: Long,
  minuteOfDay: Long,
  reason?: String,
  ticket?: String
};

// Everything that a statement can do to what it uses: \`action in Action::"use"\` in a policy.
action use;

action read, write, delete, truncate, create, alter, drop, grant, execute, copyOut, copyIn, configure, transact,
  maintain, administer, unknown in [use] appliesTo {
  principal: [Person, Service, Agent],
  resource: [Relation, Object],
  context: Statement
};

// To see the values of a column as they are.
action unmask appliesTo {
  principal: [Person, Service, Agent],
  resource: [Column],
  context: Circumstances
};

action connect appliesTo {
  principal: [Person, Service, Agent],
  resource: [Database],
  context: Circumstances
};
`

export const SHIPPED: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: '10-everyday.cedar',
    text: `// What everybody may do. Everything that is dangerous about it is held or forbidden in the files after this one;
// what no permit names is denied.

@id("connect")
permit (principal, action == Action::"connect", resource);

// Reading is free, because sensitive columns are masked: see 40-masking.cedar.
@id("read")
permit (principal, action in [Action::"read", Action::"copyOut"], resource);

@id("session")
permit (principal, action in [Action::"configure", Action::"transact"], resource);

@id("call")
permit (principal, action == Action::"execute", resource);

@id("upkeep")
permit (principal, action == Action::"maintain", resource);

@id("change-rows")
permit (principal, action in [Action::"write", Action::"delete", Action::"copyIn"], resource);

// Each of these is held below; without this permit it would be denied.
@id("change-structure")
permit (
  principal,
  action in
    [Action::"create", Action::"alter", Action::"drop", Action::"truncate", Action::"grant", Action::"administer"],
  resource
);
`,
  },
  {
    name: '20-holds.cedar',
    text: `// What waits for a countersignature.

// Rows -----------------------------------------------------------------------------------------------------------

@id("hold-every-row")
@effect("hold")
@approvers("owners")
@because("it changes every row of a relation")
@advice("name the rows in a WHERE clause, by their key where you can")
forbid (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when { (context.unbounded || context.tautological) && !resource.temporary };

@id("hold-many-rows")
@effect("hold")
@approvers("owners")
@because("it changes 50 rows or more")
@advice("work in smaller parts")
forbid (principal is Person, action in [Action::"write", Action::"delete"], resource is Relation)
when { context.change != "insert" && context has rows && context.rows >= 50 && !resource.temporary };

@id("hold-many-rows-of-agents")
@effect("hold")
@approvers("owners")
@because("an agent changes more than 10 rows")
@advice("change rows by their key, a few at a time")
forbid (principal is Agent, action in [Action::"write", Action::"delete"], resource is Relation)
when { context.change != "insert" && context has rows && context.rows > 10 && !resource.temporary };

@id("hold-many-rows-of-services")
@effect("hold")
@approvers("owners")
@because("it changes more than 1,000 rows")
forbid (principal is Service, action in [Action::"write", Action::"delete"], resource is Relation)
when { context.change != "insert" && context has rows && context.rows > 1000 && !resource.temporary };

@id("hold-half-of-a-relation")
@effect("hold")
@approvers("owners")
@because("it changes half of a relation or more")
forbid (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when {
  context.change != "insert" &&
  context has rows && context.rows >= 10 &&
  context has rowsShare && context.rowsShare >= 50 &&
  !resource.temporary
};

@id("hold-uncounted")
@effect("hold")
@approvers("owners")
@because("it is not known how many rows it changes")
@advice("name the rows by their key")
forbid (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when {
  ["update", "delete", "merge"].contains(context.change) && !context.counted && !context.fails && !resource.temporary
};

@id("hold-mass-insert")
@effect("hold")
@approvers("owners")
@because("it inserts more than 10,000 rows")
forbid (principal, action == Action::"write", resource is Relation)
when {
  context.change == "insert" && context has rows && context.rows > 10000 && !resource.temporary
}
unless { principal is Service };

@id("hold-bulk-load")
@effect("hold")
@approvers("owners")
@because("COPY … FROM loads rows that cannot be counted beforehand")
@advice("let a service load them, or use INSERT")
forbid (principal, action == Action::"copyIn", resource)
when { !resource.temporary }
unless { principal is Service };

@id("hold-writing-code")
@effect("hold")
@approvers("owners")
@because("a block of code changes rows")
forbid (principal, action in [Action::"write", Action::"delete"], resource is Relation)
when { ["DO", "CALL"].contains(context.statement) && !resource.temporary };

// Structure ------------------------------------------------------------------------------------------------------

@id("hold-structure")
@effect("hold")
@approvers("owners")
@because("it changes the structure of the database")
forbid (principal, action in [Action::"create", Action::"alter"], resource)
when { !resource.temporary };

@id("hold-destruction")
@effect("hold")
@approvers("owners")
@because("it destroys data or structure")
forbid (principal, action in [Action::"drop", Action::"truncate"], resource)
when { !resource.temporary };

@id("hold-rights")
@effect("hold")
@approvers("security")
@because("it changes who may do what")
forbid (principal, action == Action::"grant", resource);

@id("hold-rights-on-data")
@effect("hold")
@approvers("owners")
@because("it changes who may see or change data")
forbid (principal, action == Action::"grant", resource is Relation);

@id("hold-administration")
@effect("hold")
@approvers("security")
@because("it reaches beyond the database")
forbid (principal, action == Action::"administer", resource);

@id("hold-code")
@effect("hold")
@approvers("security")
@because("it stores code that others will run")
forbid (principal, action in [Action::"create", Action::"alter"], resource is Object)
when {
  ["routine", "trigger", "rule", "extension", "language"].contains(resource.kind) ||
  context.dangers.containsAny(["security-definer", "dynamic-code", "unreadable-code"])
};

// Circumstances --------------------------------------------------------------------------------------------------

@id("hold-dangers")
@effect("hold")
@approvers("owners")
@because("it does something that can hurt others")
forbid (principal, action in Action::"use", resource)
when {
  context.dangers.containsAny([
    "locks-every-row", "exclusive-lock", "input-output", "large-product", "sleep", "time-limit",
    "data-loss", "rename", "sequence-reset", "statistics-reset", "large-object", "unreadable-code"
  ])
};

// Views in which statements of others or values of columns stand ("other-statements", "statistics-values") are read all
// day by people and by tools. They are not held: the columns that matter have no class, so they are masked.
@id("hold-safeguards")
@effect("hold")
@approvers("security")
@because("it switches off or goes around a safeguard")
forbid (principal, action in Action::"use", resource)
when {
  context.dangers.containsAny([
    "role-switch", "search-path", "row-security", "read-write", "protection-off", "session-control",
    "stored-credentials", "security-definer", "superuser", "all-data"
  ])
};

@id("hold-copies-of-sensitive-values")
@effect("hold")
@approvers("owners,security")
@because("it puts sensitive values where they would not be masked")
forbid (principal, action in Action::"use", resource)
when { context.sensitiveStored };

@id("hold-questions-by-error")
@effect("hold")
@approvers("owners")
@because("whether it fails would tell sensitive values")
forbid (principal, action in Action::"use", resource)
when { context.sensitiveSteering };

@id("hold-unresolved")
@effect("hold")
@approvers("owners")
@because("what its names mean is not known")
forbid (principal, action in Action::"use", resource)
when { context.unresolved };
`,
  },
  {
    name: '30-denials.cedar',
    text: `// What nobody does through this door, whoever signs. An administrator has another one, beside the data.

@id("deny-unknown")
@because("it could not be understood")
@advice("write it as plain SQL, without building statements from strings")
forbid (principal, action == Action::"unknown", resource);

@id("deny-host")
@because("it reaches the database server's own files, programs or settings")
forbid (principal, action in Action::"use", resource)
when {
  context.dangers.containsAny(["server-file", "program", "server-code", "server-control", "untrusted-language"])
};

@id("deny-elsewhere")
@because("it reaches another server, where nothing of this holds")
forbid (principal, action in Action::"use", resource)
when { context.dangers.contains("remote") };

@id("deny-hidden-sql")
@because("it runs SQL that is held in a string")
@advice("run that SQL as a statement of its own")
forbid (principal, action in Action::"use", resource)
when { context.dangers.contains("sql-in-string") };

@id("deny-password-hashes")
@because("it reads password hashes")
forbid (principal, action in Action::"use", resource)
when { context.dangers.contains("password-hashes") };

@id("deny-misreading")
@because("it would make the server read statements in another way than they are checked here")
forbid (principal, action in Action::"use", resource)
when { context.dangers.containsAny(["lexing", "encoding", "guard-rail", "setting-unknown"]) };

@id("deny-two-phase")
@because("a prepared transaction would leave this session and everything that is known of it")
forbid (principal, action in Action::"use", resource)
when { context.dangers.contains("two-phase") };

@id("deny-catalogue")
@because("it writes to the server's own catalogue")
forbid (
  principal,
  action in
    [Action::"write", Action::"delete", Action::"truncate", Action::"alter", Action::"drop", Action::"copyIn"],
  resource
)
when { resource.system };

// Agents ---------------------------------------------------------------------------------------------------------

@id("deny-agents-rights")
@because("agents do not change who may do what, nor what lies beyond the database")
@advice("ask the person you act for")
forbid (principal is Agent, action in [Action::"grant", Action::"administer"], resource);

@id("deny-agents-roles")
@because("agents do not create or drop roles, databases or extensions")
forbid (principal is Agent, action in [Action::"create", Action::"alter", Action::"drop"], resource is Object)
when { ["role", "database", "extension", "server", "publication", "subscription"].contains(resource.kind) };

@id("deny-agents-safeguards")
@because("agents do not switch roles or end sessions")
forbid (principal is Agent, action in Action::"use", resource)
when { context.dangers.containsAny(["role-switch", "session-control", "superuser"]) };

// Auditors -------------------------------------------------------------------------------------------------------

@id("deny-auditors-changes")
@because("auditors only read")
forbid (
  principal in Group::"auditors",
  action in
    [
      Action::"write", Action::"delete", Action::"truncate", Action::"create", Action::"alter", Action::"drop",
      Action::"grant", Action::"copyIn", Action::"maintain", Action::"administer"
    ],
  resource
)
when { !resource.temporary };
`,
  },
  {
    name: '40-masking.cedar',
    text: `// Who sees values as they are. Without a permit a column is masked.

@id("clear-columns")
permit (principal, action == Action::"unmask", resource)
when { resource.class == "clear" };

// How what is masked looks. Without a rule of its own a class has the mask that libs/masking gives it.

@id("secrets-leave-nothing")
@effect("mask")
@mask("redact")
forbid (principal, action == Action::"unmask", resource)
when { ["secret", "password"].contains(resource.class) };
`,
  },
]
