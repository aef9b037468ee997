// Command duckdb runs an SQL script in DuckDB, in memory, on two threads and
// prints the rows of its last statement. There is no shell of DuckDB in every
// package registry; its engine comes as a Go module.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	if len(args) != 1 {
		return errors.New("usage: duckdb SCRIPT.sql, or duckdb version")
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	script := "SELECT version()"
	if args[0] != "version" {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		script = string(text)
	}
	statements := strings.Split(strings.TrimRight(script, "; \n"), ";\n")
	for _, s := range statements[:len(statements)-1] {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	return show(db, statements[len(statements)-1])
}

func show(db *sql.DB, statement string) (err error) {
	rows, err := db.Query(statement)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		fmt.Println(values...)
	}
	return rows.Err()
}
