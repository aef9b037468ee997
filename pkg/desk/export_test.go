package desk

// CountedPools is what Stock and others are made of, for tests that hold it against a
// plain reference.
var CountedPools = countedPools
