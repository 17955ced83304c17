package form

// A Peaker is a backend that can measure the limit of its products: what it computes where
// memory is no limit.
type Peaker interface {
	// Peak computes fused multiply-adds on all of the device for some time, and returns the
	// number of operations, two for each.
	Peak() (flop float64, err error)
}

// A Profiler is a backend whose device may have a clock of its own.
type Profiler interface {
	// Profile calls work, which runs forms on buffers, and returns how long each kernel
	// took that the device ran meanwhile, in ns by the clock of the device. It returns
	// nothing if the device does not report times. Nothing else may use the backend.
	Profile(work func() error) (ns []float64, err error)
}
