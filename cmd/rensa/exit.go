package main

// The exit codes. Scripts rely on them; they stand in the help and the README.
const (
	exitOK          = 0   // everything accepted, or seen
	exitInternal    = 1   // internal failure, nothing committed
	exitUsage       = 2   // usage or configuration
	exitRejected    = 3   // done, some or all rows rejected
	exitRefused     = 4   // file refused, nothing committed
	exitTemporary   = 5   // temporary failure, try again
	exitSeen        = 6   // file seen before, nothing done
	exitInterrupted = 130 // interrupted by the user
)

// gravity orders the codes from the gravest to the lightest. Of several files'
// codes the gravest is the command's.
var gravity = [...]int{
	exitInterrupted, exitInternal, exitUsage, exitTemporary, exitRefused, exitRejected, exitSeen, exitOK,
}

// graver returns the graver of two exit codes. A code that is not in the list
// counts as an internal failure.
func graver(a, b int) int {
	for _, code := range gravity {
		if a == code || b == code {
			return code
		}
	}
	return exitInternal
}
