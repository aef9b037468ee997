package process

// SortByPool lets a test see how takings are sorted.
var SortByPool = sortByPool
