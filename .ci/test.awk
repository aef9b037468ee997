# Reads what `go test -v ./...` writes and shows of it: one line a package, all of
# a package that fails, and every test that was skipped, with its reason. A skip
# is a failure where ci is "true": there, nothing may be missing.
/^=== (RUN|NAME|CONT|PAUSE) / { current = $3; next }
/^ *--- PASS: / { passed++; next }
/^ *--- SKIP: / { skipped++; skips = skips "  " $3 ": " reason[$3] "\n"; next }
/^ *--- FAIL: / { failed++ }
/^ +[^ ]+_test\.go:[0-9]+: / { line = $0; sub(/^ +/, "", line); reason[current] = line }
/^(ok  |\?   )/ { print; output = ""; next }
/no test files/ { print; output = ""; next }
/^FAIL\t/ { printf "%s%s\n", output, $0; output = ""; next }
{ output = output $0 "\n" }
END {
	if (output != "" && output != "FAIL\n") printf "%s", output
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	if (skipped) {
		printf "SKIPPED:\n%s", skips
		if (ci == "true") { print "in CI every test must run: a skip is a failure"; exit 1 }
	}
}
