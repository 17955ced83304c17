package cpu

// Memory for buffers comes from two places. Small ones are slices of Go's heap.
// Large ones, from mapSize bytes on, are mapped from the system where that can
// be done: a request that the system refuses is then an error, where Go's heap
// would end the process.
const mapSize = 64 << 10

// allocate returns n zeroed elements. They are to be given to free.
func allocate(n int) ([]float32, error) {
	if 4*n < mapSize {
		return make([]float32, n), nil
	}
	return mapMemory(n)
}

// free takes back what allocate returned. Nothing may use it any more.
func free(data []float32) {
	if 4*len(data) >= mapSize {
		unmapMemory(data)
	}
}
