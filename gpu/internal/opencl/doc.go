// Package opencl is the only place that uses the OpenCL binding
// github.com/jgillich/go-opencl/cl. It keeps the binding's traps from the rest
// of the module:
//
//   - Every object that the binding creates has a finalizer, which may release
//     it while a call that uses it is under way, since the binding keeps nothing
//     alive. Here each finalizer is removed as soon as the object exists; objects
//     are released by name, once.
//   - A released object is nil to OpenCL, and a nil buffer is a legal kernel
//     argument. Here a released Mem is refused.
//   - Many getters panic, and an empty slice panics everywhere. Here every call
//     is recovered into an error, and empty slices do not reach the binding.
//   - Go's check of pointers passed to C refuses a slice that lies in an object
//     with pointers of its own. Here such a transfer goes through a copy.
//   - OpenCL must not keep a pointer to Go memory. Here transfers of it block, and
//     a slice that the device works in is pinned until then, or for ever if the
//     device cannot be waited for.
//   - Each enqueued command makes an event. Here those of calls that block are
//     released at once, and others by the next call that waits, or some commands
//     later: OpenCL reports a command that failed by its event alone.
//   - Its CommandQueue.Flush calls clFinish, which waits. Queue.Flush is clFlush, by a
//     call of this package; see raw.go.
//   - It is linked to the OpenCL loader. Here the program brings functions of the same
//     names, which forward to a loader that is found at run time; see loader.c.
//   - Error codes lose their names, and -1001 has none. Here an Error names the
//     call and the code, and errors.Is finds the error of package compute.
//
// The package is empty unless built
// with the tag opencl and cgo.
package opencl
