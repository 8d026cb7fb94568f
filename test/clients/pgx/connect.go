package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Every way that pgx has of running a query.
var modes = map[string]pgx.QueryExecMode{
	"cache statement": pgx.QueryExecModeCacheStatement,
	"cache describe":  pgx.QueryExecModeCacheDescribe,
	"describe exec":   pgx.QueryExecModeDescribeExec,
	"exec":            pgx.QueryExecModeExec,
	"simple protocol": pgx.QueryExecModeSimpleProtocol,
}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}

func connect(where side, changes ...func(*pgx.ConnConfig)) *pgx.Conn {
	config := must(pgx.ParseConfig(where.dsn))
	for _, change := range changes {
		change(config)
	}
	ctx, stop := within()
	defer stop()
	return must(pgx.ConnectConfig(ctx, config))
}

func inMode(mode pgx.QueryExecMode) func(*pgx.ConnConfig) {
	return func(config *pgx.ConnConfig) { config.DefaultQueryExecMode = mode }
}

// inEveryMode tells what `see` sees on a connection of each mode.
func inEveryMode(where side, see func(*pgx.Conn) any) map[string]any {
	told := map[string]any{}
	for name, mode := range modes {
		connection := connect(where, inMode(mode))
		told[name] = see(connection)
		shut(connection)
	}
	return told
}

func shut(connection *pgx.Conn) {
	ctx, stop := within()
	defer stop()
	_ = connection.Close(ctx)
}

// fieldsOf tells what the server said when it refused; that it did not refuse is a failure.
func fieldsOf(err error) map[string]any {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		panic(fmt.Sprintf("it was not refused by the server: %v", err))
	}
	return tellError(refused)
}

func tellError(refused *pgconn.PgError) map[string]any {
	told := map[string]any{
		"severity": refused.Severity, "sqlstate": refused.Code, "message": refused.Message, "detail": refused.Detail,
		"hint": refused.Hint, "position": refused.Position, "internal position": refused.InternalPosition,
		"internal query": refused.InternalQuery, "where": refused.Where, "schema": refused.SchemaName,
		"table": refused.TableName, "column": refused.ColumnName, "data type": refused.DataTypeName,
		"constraint": refused.ConstraintName,
	}
	return told
}

func login(where side) any {
	connection := connect(where)
	defer shut(connection)
	_, encrypted := connection.PgConn().Conn().(*tls.Conn)
	return map[string]any{"one": scalar(connection, "select 1"), "tls": encrypted}
}

func refusedLogin(where side) any {
	ctx, stop := within()
	defer stop()
	_, err := pgx.Connect(ctx, where.dsn)
	return fieldsOf(err)
}

func connections(where side) any {
	for range 50 {
		connection := connect(where)
		scalar(connection, "select 1")
		shut(connection)
	}
	one, other := connect(where), connect(where)
	defer shut(one)
	defer shut(other)
	exec(one, "set timezone = 'Asia/Tokyo'")
	both := []any{scalar(one, "show timezone"), scalar(other, "show timezone")}
	return map[string]any{"both": both, "pool": askPool(where)}
}

func askPool(where side) []int32 {
	ctx, stop := within()
	defer stop()
	config := must(pgxpool.ParseConfig(where.dsn))
	config.MinConns, config.MaxConns = 20, 20
	pool := must(pgxpool.NewWithConfig(ctx, config))
	defer pool.Close()
	answers := make([]int32, 60)
	failures := make([]error, 60)
	var all sync.WaitGroup
	for number := range answers {
		all.Go(func() {
			failures[number] = pool.QueryRow(ctx, "select $1::int * 2", number).Scan(&answers[number])
		})
	}
	all.Wait()
	check(errors.Join(failures...))
	return answers
}

func notifications(where side) any {
	listener, speaker := connect(where), connect(where)
	defer shut(listener)
	defer shut(speaker)
	exec(listener, "listen client_news")
	exec(speaker, "notify client_news, 'by itself'")
	exec(speaker, "select pg_notify($1, $2)", "client_news", "with a parameter")
	ctx, stop := within()
	defer stop()
	heard := [][]string{}
	for range 2 {
		each := must(listener.WaitForNotification(ctx))
		heard = append(heard, []string{each.Channel, each.Payload})
	}
	return map[string]any{"heard": heard}
}

func notices(where side) any {
	told := []any{}
	connection := connect(where, func(config *pgx.ConnConfig) {
		config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
			told = append(told, tellError((*pgconn.PgError)(notice)))
		}
	})
	defer shut(connection)
	for _, query := range append(statements.Notices, statements.Raised) {
		exec(connection, query)
	}
	return told
}

// cancel asks for an end in both of pgx's ways: with the cancellation request of the protocol, and by a context, after
// which the connection is closed.
func cancel(where side) any {
	connection := connect(where)
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	asked := make(chan error)
	go func() {
		time.Sleep(500 * time.Millisecond)
		asked <- connection.PgConn().CancelRequest(ctx)
	}()
	_, err := connection.Exec(ctx, statements.Endless)
	check(<-asked)
	byRequest := []any{fieldsOf(err), scalar(connection, "select 1")}

	brief, stopBrief := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer stopBrief()
	_, err = connection.Exec(brief, statements.Endless)
	return map[string]any{
		"by request": byRequest,
		"by context": []any{errors.Is(err, context.DeadlineExceeded), connection.IsClosed()},
	}
}

func timeout(where side) any {
	connection := connect(where, func(config *pgx.ConnConfig) { config.RuntimeParams["statement_timeout"] = "200" })
	defer shut(connection)
	ctx, stop := within()
	defer stop()
	_, err := connection.Exec(ctx, statements.Endless)
	return []any{fieldsOf(err), scalar(connection, "select 1")}
}
