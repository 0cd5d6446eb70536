package replication

// A Master is what a server is to its replicas.
type Master struct{}
