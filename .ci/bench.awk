# Makes a table of what `go test -bench -benchmem` prints.
/^pkg: / { package = $2; sub(/^rensa\//, "", package) }
/^Benchmark/ {
  name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
  delete unit
  for (i = 3; i < NF; i += 2) unit[$(i + 1)] = $i
  if (!header++) printf "%-22s %-44s %14s %14s %10s %14s %12s\n", "package", "benchmark", "ns/op", "rows/s", "MB/s", "B/op", "allocs/op"
  printf "%-22s %-44s %14s %14s %10s %14s %12s\n", package, name, unit["ns/op"], unit["rows/s"], unit["MB/s"], unit["B/op"], unit["allocs/op"]
  next
}
/^(---|FAIL|panic)/ { print; failed = failed || /^(--- FAIL|FAIL|panic)/ }
END { exit failed }
