package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// A side is where a section runs: the database itself, or the node as one of its principals. The name is written into
// rows, so that both can write to the same tables.
type side struct{ name, dsn string }

var (
	direct        = side{"direct", os.Getenv("CLIENT_DIRECT")}
	node          = side{"node", os.Getenv("CLIENT_NODE")}
	clearText     = side{"clear", os.Getenv("CLIENT_CLEAR")}
	service       = side{"node", os.Getenv("CLIENT_SERVICE")}
	agent         = side{"agent", os.Getenv("CLIENT_AGENT")}
	wrongToken    = side{"wrong token", os.Getenv("CLIENT_WRONG_TOKEN")}
	wrongDatabase = side{"wrong database", os.Getenv("CLIENT_WRONG_DATABASE")}
)

// What every client runs, from statements.json.
var statements = readStatements()

type sharedStatements struct {
	Masked   map[string]string `json:"masked"`
	Types    string            `json:"types"`
	Large    string            `json:"large"`
	Portions string            `json:"portions"`
	CopyOut  string            `json:"copyOut"`
	Endless  string            `json:"endless"`
	Notices  []string          `json:"notices"`
	Raised   string            `json:"raised"`
	Errors   map[string]string `json:"errors"`
}

func readStatements() (read sharedStatements) {
	text := must(os.ReadFile(os.Getenv("CLIENT_STATEMENTS")))
	check(json.Unmarshal(text, &read))
	return read
}

type section struct {
	name string
	run  func(side) any
}

func runAll(sections []section, where side) map[string]any {
	outcomes := map[string]any{}
	for _, each := range sections {
		fmt.Fprintln(os.Stderr, each.name, where.name) // Where it is, should it hang.
		outcomes[each.name] = runOne(each, where)
	}
	return outcomes
}

// A section that panics is reported as failed, so that the others are still seen.
func runOne(each section, where side) (outcome map[string]any) {
	defer func() {
		if failure := recover(); failure != nil {
			outcome = map[string]any{"failed": fmt.Sprintf("%v\n%s", failure, debug.Stack())}
		}
	}()
	return map[string]any{"saw": each.run(where)}
}

func merge(all, more map[string]any) map[string]any {
	maps.Copy(all, more)
	return all
}

// must is for what has to succeed: the section fails if it does not.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

const lengthToldMax = 2000

// tell gives a value with the type that the driver gave it.
func tell(value any) any {
	kind := fmt.Sprintf("%T", value)
	switch known := value.(type) {
	case nil:
		return nil
	case map[string]any:
		parts := map[string]any{}
		for key, part := range known {
			parts[key] = tell(part)
		}
		return []any{kind, parts}
	case []any:
		return []any{kind, tellAll(known)}
	case []byte:
		return []any{kind, short(hex.EncodeToString(known))}
	case time.Time:
		return []any{kind, known.UTC().Format(time.RFC3339Nano)}
	case pgtype.Numeric:
		return []any{kind, string(must(known.MarshalJSON()))}
	default:
		return []any{kind, short(fmt.Sprintf("%v", known))}
	}
}

func tellAll(values []any) []any {
	told := []any{}
	for _, each := range values {
		told = append(told, tell(each))
	}
	return told
}

func short(text string) string {
	if len(text) <= lengthToldMax {
		return text
	}
	return fmt.Sprintf("%d bytes, %s", len(text), digest([]byte(text)))
}

func digest(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return hex.EncodeToString(sum[:])
}
