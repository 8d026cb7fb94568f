// Command pgx runs what a Go program does with a database, on the database itself and through the node, and prints
// what it saw as one JSON document. Its spec compares.
package main

import (
	"encoding/json"
	"log"
	"os"
	"runtime/debug"
)

func main() {
	compared := []section{
		{"login", login}, {"masked", masked}, {"types", types}, {"registered_types", registeredTypes},
		{"parameters", parameters}, {"prepared", prepared}, {"temporary_tables", temporaryTables}, {"large", large},
		{"portions", portions}, {"many_results", manyResults}, {"errors", errorsOfAllKinds}, {"notices", notices},
		{"batch", batch}, {"pipeline", pipeline}, {"transactions", transactions}, {"copy_out", copyOut},
		{"notifications", notifications}, {"cancel", cancel}, {"timeout", timeout}, {"connections", connections},
	}
	loads := []section{{"copy_in", copyIn}}
	document := map[string]any{
		"about":  "pgx " + pgxVersion(),
		"direct": merge(runAll(compared, direct), runAll(loads, direct)),
		"node":   merge(runAll(compared, node), runAll(loads, service)),
		"clear":  runAll([]section{{"login", login}, {"masked", masked}}, clearText),
		"only": runAll([]section{
			{"wrong_token", func(side) any { return refusedLogin(wrongToken) }},
			{"wrong_database", func(side) any { return refusedLogin(wrongDatabase) }},
			{"held", held},
		}, agent),
	}
	if err := json.NewEncoder(os.Stdout).Encode(document); err != nil {
		log.Fatal(err)
	}
}

func pgxVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/jackc/pgx/v5" {
			return module.Version
		}
	}
	return "of unknown version"
}
