package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

type table struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

func masked(where side) any {
	told := map[string]map[string]any{}
	for name := range statements.Masked {
		told[name] = map[string]any{}
	}
	for mode, saw := range inEveryMode(where, maskedOn) {
		for name, each := range saw.(map[string]table) {
			told[name][mode] = each
		}
	}
	return told
}

func maskedOn(connection *pgx.Conn) any {
	told := map[string]table{}
	for name, query := range statements.Masked {
		told[name] = read(connection, query)
	}
	return told
}

func types(where side) any {
	return inEveryMode(where, func(connection *pgx.Conn) any { return read(connection, statements.Types) })
}

// registeredTypes has pgx ask the catalogue what an enum and a composite look like, and decode them from then on.
func registeredTypes(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	names := []string{"client_mood", "_client_mood", "client_pair", "client_score"}
	connection.TypeMap().RegisterTypes(must(connection.LoadTypes(ctx, names)))
	return read(connection, "select c_mood, c_mood_list, c_pair, c_score from client_types order by row_no")
}

func parameters(where side) any {
	query := `select $1::int4, $2::int8, $3::numeric, $4::float8, $5::bool, $6::text, $7::bytea, $8::text, $9::date,
		$10::timestamptz, $11::interval, $12::uuid, $13::int4[], $14::text[], $15::jsonb, $16::int4range, $17::inet`
	values := []any{
		int32(7), int64(-1 << 40), pgtype.Numeric{Int: big.NewInt(12340), Exp: -3, Valid: true}, 0.1, true,
		`text with 'quotes' and \`, []byte{0, 255}, nil, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC), pgtype.Interval{Microseconds: 3e6, Days: 4, Months: 5, Valid: true},
		pgtype.UUID{Bytes: [16]byte{15: 7}, Valid: true}, []int32{1, 3},
		[]string{"a", `b,"c"`}, `{"a": [1, null]}`, "[1,5)",
		netip.MustParsePrefix("10.0.0.0/8"),
	}
	nothing := make([]any, len(values))
	return inEveryMode(where, func(connection *pgx.Conn) any {
		return []any{read(connection, query, values...), read(connection, query, nothing...)}
	})
}

func prepared(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	must(connection.Prepare(ctx, "counted", "select count(*), sum(duration_ms) from events where id between $1 and $2"))
	told := [][]any{}
	for each := range 100 {
		told = append(told, read(connection, "counted", each*10, each*10+9).Rows[0])
	}
	check(connection.Deallocate(ctx, "counted"))
	_, gone := connection.Exec(ctx, "counted")
	// More statements than the driver's cache holds, so that it closes some, and one whose plan is made anew.
	small := connect(where, func(config *pgx.ConnConfig) { config.StatementCacheCapacity = 4 })
	defer shut(small)
	cached := []any{}
	for each := range 20 {
		cached = append(cached, scalar(small, fmt.Sprintf("select kind, %d from events where id = $1", each%7), each+1))
	}
	check(connection.DeallocateAll(ctx))
	return map[string]any{
		"runs": len(told), "first": told[:3], "last": told[99], "gone": fieldsOf(gone), "cached": cached,
		"after": scalar(connection, "select kind from events where id = $1", 5),
	}
}

func large(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	rows := must(connection.Query(ctx, statements.Large))
	count, sum := 0, sha256.New()
	for rows.Next() {
		for _, value := range rows.RawValues() {
			sum.Write(value)
		}
		count++
	}
	check(rows.Err())
	return map[string]any{"rows": count, "digest": hex.EncodeToString(sum.Sum(nil))}
}

func portions(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	transaction := must(connection.Begin(ctx))
	defer func() { _ = transaction.Rollback(ctx) }()
	exec(connection, "declare parts scroll cursor for "+statements.Portions)
	sizes := []int{}
	for {
		size := len(read(connection, "fetch 100 from parts").Rows)
		if size == 0 {
			break
		}
		sizes = append(sizes, size)
	}
	return map[string]any{"sizes": sizes, "back": read(connection, "fetch absolute 1000 from parts")}
}

// manyResults reads all results of one simple query.
func manyResults(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	told := []any{}
	results := connection.PgConn().Exec(ctx, "select 1; select 2 where false; set client_min_messages to notice; select 3, 'drei'; ")
	for results.NextResult() {
		result := results.ResultReader().Read()
		rows := []any{}
		for _, row := range result.Rows {
			for _, value := range row {
				rows = append(rows, string(value))
			}
		}
		told = append(told, []any{result.CommandTag.String(), rows})
	}
	check(results.Close())
	return told
}

func errorsOfAllKinds(where side) any {
	told := map[string]map[string]any{"bad parameter": {}, "still there": {}}
	for name := range statements.Errors {
		told[name] = map[string]any{}
	}
	for mode, saw := range inEveryMode(where, errorsOn) {
		for name, each := range saw.(map[string]any) {
			told[name][mode] = each
		}
	}
	return told
}

func errorsOn(connection *pgx.Conn) any {
	ctx, stop := within()
	defer stop()
	told := map[string]any{}
	for name, query := range statements.Errors {
		// Exec would use the simple protocol for a text without parameters, whatever the mode.
		rows, err := connection.Query(ctx, query)
		if err == nil {
			rows.Close()
			err = rows.Err()
		}
		told[name] = fieldsOf(err)
	}
	_, err := connection.Exec(ctx, "select $1::text::int", "not a number")
	told["bad parameter"] = fieldsOf(err)
	told["still there"] = scalar(connection, "select 1")
	return told
}

func temporaryTables(where side) any {
	connection := connect(where)
	defer shut(connection)
	exec(connection, "create temporary table own (n int, label text)")
	exec(connection, "insert into own values ($1, $2), (2, 'two')", 1, "one")
	return map[string]any{
		"count": scalar(connection, "select count(*) from own"),
		"rows":  read(connection, "select * from own order by n"),
	}
}

func read(connection *pgx.Conn, query string, values ...any) table {
	ctx, stop := within()
	defer stop()
	rows := must(connection.Query(ctx, query, values...))
	defer rows.Close()
	told := table{Columns: []string{}, Rows: [][]any{}}
	for rows.Next() {
		told.Rows = append(told.Rows, tellAll(must(rows.Values())))
	}
	check(rows.Err())
	for _, column := range rows.FieldDescriptions() {
		told.Columns = append(told.Columns, column.Name)
	}
	return told
}

// scalar is the first column of the first row.
func scalar(connection *pgx.Conn, query string, values ...any) any {
	ctx, stop := within()
	defer stop()
	rows := must(connection.Query(ctx, query, values...))
	return must(pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (any, error) {
		all, err := row.Values()
		if err != nil {
			return nil, err
		}
		return all[0], nil
	}))
}

func exec(connection *pgx.Conn, query string, values ...any) string {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	return must(connection.Exec(ctx, query, values...)).String()
}
