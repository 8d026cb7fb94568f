package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const insertScratch = "insert into client_scratch values ($1, $2, $3, $4, $5)"

func batch(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	all := &pgx.Batch{}
	for each := range 500 {
		all.Queue(insertScratch, where.name, each+1, fmt.Sprintf("label %d", each+1), float64(each)/4, time.Unix(0, 0))
	}
	all.Queue("select count(*) from client_scratch where side = $1", where.name)
	results := connection.SendBatch(ctx, all)
	inserted := int64(0)
	for range 500 {
		inserted += must(results.Exec()).RowsAffected()
	}
	var counted int64
	check(results.QueryRow().Scan(&counted))
	check(results.Close())

	told := map[string]any{"inserted": inserted, "counted": counted}
	told["refused"] = brokenBatch(connection, where)
	told["left"] = scalar(connection, "select count(*) from client_scratch where side = $1", where.name)
	told["modes"] = inEveryMode(where, batchOfReads)
	return told
}

// brokenBatch fails in the middle: what came before in the same batch is taken back, what follows is not run.
func brokenBatch(connection *pgx.Conn, where side) any {
	ctx, stop := within()
	defer stop()
	broken := &pgx.Batch{}
	for _, number := range []int{501, 1, 502} {
		broken.Queue(insertScratch, where.name, number, "label", 1.5, nil)
	}
	results := connection.SendBatch(ctx, broken)
	must(results.Exec())
	_, err := results.Exec()
	_, after := results.Exec()
	_ = results.Close()
	refused := withoutSide(fieldsOf(err))
	refused["after"] = after != nil
	return refused
}

func batchOfReads(connection *pgx.Conn) any {
	ctx, stop := within()
	defer stop()
	reads := &pgx.Batch{}
	for each := range 20 {
		reads.Queue("select kind, $2::text from events where id = $1", each+1, fmt.Sprint(each))
		reads.Queue("select city, email from customers where id = $1", each+1)
	}
	results := connection.SendBatch(ctx, reads)
	cities := []string{}
	for range 20 {
		var kind, number, city, address string
		check(results.QueryRow().Scan(&kind, &number))
		check(results.QueryRow().Scan(&city, &address))
		cities = append(cities, kind, number, city)
	}
	check(results.Close())
	return cities
}

// pipeline uses the driver's lowest layer: several syncs on their way at once, an error in one part.
func pipeline(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	pipe := connection.PgConn().StartPipeline(ctx)
	pipe.SendPrepare("by_id", "select kind from events where id = $1", nil)
	check(pipe.Sync())
	for each := range 10 {
		pipe.SendQueryPrepared("by_id", [][]byte{[]byte(fmt.Sprint(each + 1))}, nil, nil)
	}
	check(pipe.Sync())
	pipe.SendQueryParams("select 1", nil, nil, nil, nil)
	pipe.SendQueryParams("select 1 / $1::int", [][]byte{[]byte("0")}, nil, nil, nil)
	pipe.SendQueryParams("select 'never reached'", nil, nil, nil, nil)
	check(pipe.Sync())
	pipe.SendQueryParams("select 'after it'", nil, nil, nil, nil)
	check(pipe.Sync())
	told := []any{}
	for {
		results, err := pipe.GetResults()
		if err != nil {
			told = append(told, fieldsOf(err))
			continue
		}
		if results == nil {
			break
		}
		told = append(told, tellResults(results))
	}
	check(pipe.Close())
	return append(told, scalar(connection, "select 1"))
}

func tellResults(results any) any {
	switch known := results.(type) {
	case *pgconn.ResultReader:
		result := known.Read()
		if result.Err != nil {
			return fieldsOf(result.Err)
		}
		return []any{result.CommandTag.String(), fmt.Sprintf("%s", result.Rows)}
	case *pgconn.StatementDescription:
		return fmt.Sprintf("%v %v", known.ParamOIDs, len(known.Fields))
	default:
		return fmt.Sprintf("%T", results)
	}
}

func transactions(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	add := func(number int) error {
		_, err := connection.Exec(ctx, "insert into client_scratch (side, row_no) values ($1, $2)", where.name, number)
		return err
	}
	count := func() any {
		return scalar(connection, "select count(*) from client_scratch where side = $1 and row_no >= 1000", where.name)
	}
	told := map[string]any{}
	failed := errors.New("ours")
	if err := pgx.BeginFunc(ctx, connection, func(pgx.Tx) error { check(add(1000)); return failed }); err != failed {
		panic(err)
	}
	told["rolled back"] = count()
	check(pgx.BeginFunc(ctx, connection, func(outer pgx.Tx) error {
		check(add(1001))
		_ = pgx.BeginFunc(ctx, outer, func(pgx.Tx) error { check(add(1002)); return failed })
		check(pgx.BeginFunc(ctx, outer, func(pgx.Tx) error { return add(1003) }))
		inner := must(outer.Begin(ctx))
		told["failed inside"] = withoutSide(fieldsOf(add(1003)))
		check(inner.Rollback(ctx))
		return add(1004)
	}))
	told["savepoints"] = count()
	exec(connection, "begin")
	_, err := connection.Exec(ctx, "select missing_column from products")
	told["undefined"] = fieldsOf(err)["sqlstate"]
	_, err = connection.Exec(ctx, "select 1")
	told["aborted"] = fieldsOf(err)
	told["ended"] = exec(connection, "commit")
	serializable := must(connection.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly}))
	told["isolation"] = scalar(connection, "show transaction_isolation")
	told["read only"] = fieldsOf(add(1005))
	check(serializable.Rollback(ctx))
	return told
}

func copyOut(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	told := map[string]any{}
	for _, format := range []string{"text", "csv", "binary"} {
		var written bytes.Buffer
		tag := must(connection.PgConn().CopyTo(ctx, &written, fmt.Sprintf("copy (%s) to stdout (format %s)", statements.CopyOut, format)))
		told[format] = map[string]any{"tag": tag.String(), "bytes": written.Len(), "digest": digest(written.Bytes())}
	}
	return told
}

func copyIn(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	columns := []string{"side", "row_no", "label", "amount", "happened"}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	binary := must(connection.CopyFrom(ctx, pgx.Identifier{"client_loads"}, columns,
		pgx.CopyFromSlice(10_000, func(each int) ([]any, error) {
			return []any{where.name, each, fmt.Sprintf("label %d", each), float64(each) / 8, day}, nil
		})))
	var lines strings.Builder
	for each := range 10_000 {
		fmt.Fprintf(&lines, "%s\t%d\t\\N\t%v\t\\N\n", where.name, each+10_000, float64(each)/8)
	}
	low := connection.PgConn()
	text := must(low.CopyFrom(ctx, strings.NewReader(lines.String()), "copy client_loads from stdin"))
	_, bad := low.CopyFrom(ctx, strings.NewReader("side\tnot a number\tlabel\t1\t2024-01-01\n"), "copy client_loads from stdin")
	_, gaveUp := low.CopyFrom(ctx, &failingReader{}, "copy client_loads from stdin")
	return map[string]any{
		"binary": binary, "text": text.String(), "bad": fieldsOf(bad), "gave up": fmt.Sprint(gaveUp),
		"found": read(connection, "select count(*), sum(amount), count(label), count(happened) from client_loads where side = $1", where.name),
	}
}

// failingReader gives one line and then an error of our own, so that the driver ends the copy with CopyFail.
type failingReader struct{ read bool }

func (reader *failingReader) Read(into []byte) (int, error) {
	if reader.read {
		return 0, errors.New("our own reader failed")
	}
	reader.read = true
	return copy(into, "side\t1\tlabel\t1\t2024-01-01\n"), nil
}

var _ io.Reader = (*failingReader)(nil)

// withoutSide leaves out of a row's key which side it belongs to; that is our difference, not the node's.
func withoutSide(fields map[string]any) map[string]any {
	fields["detail"] = strings.NewReplacer("(node,", "(SIDE,", "(direct,", "(SIDE,").Replace(fields["detail"].(string))
	return fields
}

// held asks as an agent for what is dangerous, comes back until somebody has countersigned, and gets it once.
func held(where side) any {
	connection := connect(where)
	defer shut(connection)
	return []any{
		once(connection, "drop table client_doomed_pgx"),
		once(connection, "update client_counts set times = times + 1 where client = $1", "pgx"),
	}
}

func once(connection *pgx.Conn, statement string, values ...any) any {
	ctx, stop := within()
	defer stop()
	run := func() (pgconn.CommandTag, error) { return connection.Exec(ctx, statement, values...) }
	_, err := run()
	refused := fieldsOf(err)
	var detail map[string]any
	check(json.Unmarshal([]byte(refused["detail"].(string)), &detail))
	usable := scalar(connection, "select 1")
	granted := comeBack(run)
	_, again := run()
	return map[string]any{
		"refused": refused["sqlstate"], "detail": detail, "usable": usable, "granted": granted,
		"again": fieldsOf(again)["sqlstate"],
	}
}

func comeBack(run func() (pgconn.CommandTag, error)) string {
	deadline := time.Now().Add(30 * time.Second)
	for {
		tag, err := run()
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "ZA001" || time.Now().After(deadline) {
			check(err)
			return tag.String()
		}
		time.Sleep(100 * time.Millisecond)
	}
}
