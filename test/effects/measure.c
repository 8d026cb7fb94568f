/*
 * What the server really does for each message of a client, written down by the server itself. Preloaded into the
 * throw-away servers of `npm run effects`, for versions 13 to 18; it asks nothing and changes nothing, so the session
 * that it watches does not notice.
 *
 * One line of JSON for each statement of a client that ends, and one for each transaction that does, with what has
 * happened since the line before:
 *
 *   pid, at, q   whose it is, when its message began, and the text of that message
 *   kind         execute, utility, commit, abort
 *   xid          a transaction number was assigned: it wrote, or was about to
 *   wal          records of the write-ahead log
 *   rows         [schema, name, relkind, relpersistence, inserted, updated, deleted, above] of relations whose counters
 *                moved; `above`: the tables that they are partitions or children of
 *   locks        [schema, name, relkind, relpersistence, modes] of relations locked more strongly than a read does
 *   advisory     advisory locks, as a difference
 *   objects      [what, catalogue, object] for each object that was made, altered, dropped or truncated
 *   settings     those that matter, when one of them is another one now
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#if PG_VERSION_NUM < 140000
#include "catalog/indexing.h"
#endif
#include "catalog/objectaccess.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

void _PG_init(void);

typedef struct Seen
{
	Oid			oid;
	int64		counts[3];
	LOCKMASK	mask;
	uint32		locked_in;		/* the transaction in which `mask` holds */
} Seen;

typedef struct Touched
{
	char		what;
	Oid			catalogue;
	Oid			object;
} Touched;

#define TOUCHED_MAX 400
#define STRONGER (~(LOCKBIT_ON(NoLock) | LOCKBIT_ON(AccessShareLock)))

static int	depth = 0;
static char *message = NULL;	/* the server forgets its text before it rolls back */
static TimestampTz message_at = 0;
static int	file = -1;
static HTAB *seen = NULL;
static uint32 transaction = 1;
static bool had_xid = false;
static int64 wal_before = 0;
static int	advisory_before = 0;
static char settings_before[1024] = "";
static Touched touched[TOUCHED_MAX];
static int	touched_count = 0;

static post_parse_analyze_hook_type next_analyze = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;
static ExecutorEnd_hook_type next_end = NULL;
static ProcessUtility_hook_type next_utility = NULL;
static object_access_hook_type next_access = NULL;

static const char *const SETTINGS[] = {
	"search_path", "role", "session_authorization", "standard_conforming_strings", "client_encoding",
	"transform_null_equals", "row_security", "session_replication_role", "default_transaction_read_only"
};

static Seen *
seen_of(Oid oid)
{
	bool		found;
	Seen	   *one;

	if (seen == NULL)
	{
		HASHCTL		info;

		memset(&info, 0, sizeof(info));
		info.keysize = sizeof(Oid);
		info.entrysize = sizeof(Seen);
		info.hcxt = TopMemoryContext;
		seen = hash_create("effects", 256, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	one = hash_search(seen, &oid, HASH_ENTER, &found);
	if (!found)
	{
		memset(one->counts, 0, sizeof(one->counts));
		one->mask = 0;
		one->locked_in = 0;
	}
	return one;
}

static void
append_relation(StringInfo out, Oid oid)
{
	char	   *name = get_rel_name(oid);
	char	   *schema = name ? get_namespace_name(get_rel_namespace(oid)) : NULL;

	appendStringInfoChar(out, '[');
	escape_json(out, schema ? schema : "?");
	appendStringInfoChar(out, ',');
	escape_json(out, name ? name : psprintf("%u", oid));
	if (name)
		appendStringInfo(out, ",\"%c\",\"%c\"", get_rel_relkind(oid), get_rel_persistence(oid));
	else
		appendStringInfoString(out, ",\"?\",\"?\"");
}

static void
append_above(StringInfo out, Oid oid)
{
	ScanKeyData key;
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;

		if (out->data[out->len - 1] != '[')
			appendStringInfoChar(out, ',');
		append_relation(out, parent);
		appendStringInfoChar(out, ']');
		append_above(out, parent);
	}
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
}

static int64
counted(Oid oid, int which)
{
	static const Oid COUNTERS[] = {
		F_PG_STAT_GET_XACT_TUPLES_INSERTED, F_PG_STAT_GET_XACT_TUPLES_UPDATED, F_PG_STAT_GET_XACT_TUPLES_DELETED
	};

	return DatumGetInt64(OidFunctionCall1(COUNTERS[which], ObjectIdGetDatum(oid)));
}

static void
append_counts(StringInfo rows, Oid oid, Seen *one)
{
	int64		moved[3];
	int			i;

	for (i = 0; i < 3; i++)
	{
		int64		now = counted(oid, i);

		/* The server hands its counters over from time to time, and begins anew. */
		moved[i] = now < one->counts[i] ? now : now - one->counts[i];
		one->counts[i] = now;
	}
	if (moved[0] == 0 && moved[1] == 0 && moved[2] == 0)
		return;
	if (rows->len > 0)
		appendStringInfoChar(rows, ',');
	append_relation(rows, oid);
	appendStringInfo(rows, ",%lld,%lld,%lld,[", (long long) moved[0], (long long) moved[1], (long long) moved[2]);
	append_above(rows, oid);
	appendStringInfoString(rows, "]]");
}

static void
append_lock(StringInfo locks, Oid oid, Seen *one, LOCKMASK mask)
{
	LOCKMASK	known = one->locked_in == transaction ? one->mask : 0;

	one->locked_in = transaction;
	one->mask = known | mask;
	if ((mask & ~known & STRONGER) == 0)
		return;
	if (locks->len > 0)
		appendStringInfoChar(locks, ',');
	append_relation(locks, oid);
	appendStringInfo(locks, ",%d]", (int) (mask & ~known & STRONGER));
}

static void
append_held(StringInfo rows, StringInfo locks, int *advisory)
{
	LockData   *data = GetLockStatusData();
	int			i;

	for (i = 0; i < data->nelements; i++)
	{
		LockInstanceData *held = &data->locks[i];

		if (held->pid != MyProcPid || held->holdMask == 0)
			continue;
		if (held->locktag.locktag_type == LOCKTAG_ADVISORY)
			(*advisory)++;
		if (held->locktag.locktag_type != LOCKTAG_RELATION || held->locktag.locktag_field1 != MyDatabaseId)
			continue;
		append_lock(locks, held->locktag.locktag_field2, seen_of(held->locktag.locktag_field2), held->holdMask);
		if ((held->holdMask & ~(LOCKBIT_ON(AccessShareLock) | LOCKBIT_ON(RowShareLock))) != 0)
			append_counts(rows, held->locktag.locktag_field2, seen_of(held->locktag.locktag_field2));
	}
}

static char *
settings_now(void)
{
	StringInfoData now;
	int			i;

	initStringInfo(&now);
	for (i = 0; i < lengthof(SETTINGS); i++)
	{
		const char *value = GetConfigOption(SETTINGS[i], true, false);

		appendStringInfo(&now, "%s=%s;", SETTINGS[i], value ? value : "");
	}
	return now.data;
}

static void
append_settings(StringInfo out)
{
	char	   *now = settings_now();

	if (strncmp(now, settings_before, sizeof(settings_before) - 1) == 0)
		return;
	appendStringInfoString(out, ",\"settings\":");
	escape_json(out, now);
	snprintf(settings_before, sizeof(settings_before), "%s", now);
}

/* What was undone has been counted all the same, by the line that told of it. */
static void
count_anew(void)
{
	HASH_SEQ_STATUS status;
	Seen	   *one;
	int			i;

	if (seen == NULL)
		return;
	hash_seq_init(&status, seen);
	while ((one = hash_seq_search(&status)) != NULL)
		for (i = 0; i < 3; i++)
			one->counts[i] = counted(one->oid, i);
}

static int
advisory_held(void)
{
	LockData   *data = GetLockStatusData();
	int			held = 0;
	int			i;

	for (i = 0; i < data->nelements; i++)
		if (data->locks[i].pid == MyProcPid && data->locks[i].holdMask != 0 &&
			data->locks[i].locktag.locktag_type == LOCKTAG_ADVISORY)
			held++;
	return held;
}

/* A statement of a client begins. The end of a transaction may have put settings back since the last one. */
static void
begin(void)
{
	char	   *now;

	if (depth > 0 || debug_query_string == NULL)
		return;
	if (message == NULL || message_at != GetCurrentStatementStartTimestamp() || strcmp(message, debug_query_string) != 0)
	{
		if (message)
			pfree(message);
		message = MemoryContextStrdup(TopMemoryContext, debug_query_string);
		message_at = GetCurrentStatementStartTimestamp();
		now = settings_now();
		snprintf(settings_before, sizeof(settings_before), "%s", now);
		pfree(now);
		wal_before = pgWalUsage.wal_records;
		count_anew();
		advisory_before = advisory_held();
	}
}

static void
write_line(const char *kind, bool in_order)
{
	StringInfoData line,
				rows,
				locks;
	bool		has_xid = TransactionIdIsValid(GetTopTransactionIdIfAny());
	int			advisory = 0;
	int			i;
	MemoryContext context,
				before;

	/* A session that ends drops what was temporary. */
	if (file < 0 || IsParallelWorker() || message == NULL || proc_exit_inprogress)
		return;
	context = AllocSetContextCreate(TopMemoryContext, "effects line", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	initStringInfo(&line);
	initStringInfo(&rows);
	initStringInfo(&locks);
	appendStringInfo(&line, "{\"pid\":%d,\"at\":\"%lld\",\"kind\":\"%s\",\"xid\":%s,\"wal\":%lld", MyProcPid,
					 (long long) message_at, kind, has_xid && !had_xid ? "true" : "false",
					 (long long) (pgWalUsage.wal_records - wal_before));
	if (in_order)
	{
		append_held(&rows, &locks, &advisory);
		appendStringInfo(&line, ",\"rows\":[%s],\"locks\":[%s],\"advisory\":%d", rows.data, locks.data,
						 advisory - advisory_before);
		advisory_before = advisory;
		append_settings(&line);
	}
	appendStringInfoString(&line, ",\"objects\":[");
	for (i = 0; i < touched_count; i++)
		appendStringInfo(&line, "%s[\"%c\",%u,%u]", i > 0 ? "," : "", touched[i].what, touched[i].catalogue,
						 touched[i].object);
	appendStringInfoString(&line, "],\"q\":");
	escape_json(&line, message);
	appendStringInfoString(&line, "}\n");
	if (write(file, line.data, line.len) != line.len)
		elog(FATAL, "the record of effects cannot be written");
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	had_xid = has_xid;
	wal_before = pgWalUsage.wal_records;
	touched_count = 0;
}

static void
#if PG_VERSION_NUM >= 140000
on_analyze(ParseState *state, Query *query, JumbleState *jumble)
#else
on_analyze(ParseState *state, Query *query)
#endif
{
	if (next_analyze)
#if PG_VERSION_NUM >= 140000
		next_analyze(state, query, jumble);
#else
		next_analyze(state, query);
#endif
	begin();
}

static void
#if PG_VERSION_NUM >= 180000
on_run(QueryDesc *query, ScanDirection direction, uint64 count)
#else
on_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once)
#endif
{
	begin();
	depth++;
	PG_TRY();
	{
#if PG_VERSION_NUM >= 180000
		if (next_run)
			next_run(query, direction, count);
		else
			standard_ExecutorRun(query, direction, count);
#else
		if (next_run)
			next_run(query, direction, count, once);
		else
			standard_ExecutorRun(query, direction, count, once);
#endif
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

static void
on_finish(QueryDesc *query)
{
	begin();
	depth++;
	PG_TRY();
	{
		if (next_finish)
			next_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

static void
on_end(QueryDesc *query)
{
	if (next_end)
		next_end(query);
	else
		standard_ExecutorEnd(query);
	if (depth == 0)
		write_line("execute", true);
}

static void
on_utility(PlannedStmt *statement, const char *text,
#if PG_VERSION_NUM >= 140000
		   bool read_only_tree,
#endif
		   ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
		   QueryCompletion *completion)
{
	begin();
	depth++;
	PG_TRY();
	{
#if PG_VERSION_NUM >= 140000
		if (next_utility)
			next_utility(statement, text, read_only_tree, context, params, environment, receiver, completion);
		else
			standard_ProcessUtility(statement, text, read_only_tree, context, params, environment, receiver,
									completion);
#else
		if (next_utility)
			next_utility(statement, text, context, params, environment, receiver, completion);
		else
			standard_ProcessUtility(statement, text, context, params, environment, receiver, completion);
#endif
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	/* A ROLLBACK leaves a transaction in which nothing can be looked up. */
	if (depth == 0 && IsTransactionState())
		write_line("utility", true);
}

static void
on_access(ObjectAccessType access, Oid catalogue, Oid object, int column, void *arg)
{
	char		what = access == OAT_POST_CREATE ? 'c' : access == OAT_DROP ? 'd' : access == OAT_POST_ALTER ? 'a' : 0;

	if (next_access)
		next_access(access, catalogue, object, column, arg);
#if PG_VERSION_NUM >= 140000
	if (access == OAT_TRUNCATE)
		what = 't';
#endif
	if (what != 0 && touched_count < TOUCHED_MAX)
	{
		touched[touched_count].what = what;
		touched[touched_count].catalogue = catalogue;
		touched[touched_count].object = object;
		touched_count++;
	}
}

static void
on_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		write_line("commit", true);
	if (event == XACT_EVENT_ABORT)
		write_line("abort", false);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		/* Notifications get their number between both events of a commit. */
		if (event == XACT_EVENT_COMMIT && !had_xid && TransactionIdIsValid(GetTopTransactionIdIfAny()))
			write_line("commit", false);
		transaction++;
		had_xid = false;
		wal_before = pgWalUsage.wal_records;
	}
}

/* What fails within a block of its own has been tried all the same. */
static void
on_subtransaction(SubXactEvent event, SubTransactionId own, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && depth == 0)
		write_line("abort", false);
}

void
_PG_init(void)
{
	const char *path = getenv("COUNTERSIGN_EFFECTS");

	if (path == NULL)
		return;
	file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
	next_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = on_analyze;
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = on_run;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = on_finish;
	next_end = ExecutorEnd_hook;
	ExecutorEnd_hook = on_end;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
	next_access = object_access_hook;
	object_access_hook = on_access;
	RegisterXactCallback(on_transaction, NULL);
	RegisterSubXactCallback(on_subtransaction, NULL);
}
