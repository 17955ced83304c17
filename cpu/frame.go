package cpu

import (
	"sync"
	"sync/atomic"
)

// A frame is what one goroutine computes with. It is on the heap, since kernels are called
// through variables.
type frame struct {
	args   args
	tiles  *tiles  // nil until it runs a plan
	panels *panels // nil until it computes a product

	folding *folding // nil until it reduces
}

// begin prepares f for parts of j.
func (f *frame) begin(j *job) {
	if j.call != nil {
		if f.tiles == nil {
			f.tiles = &tiles{}
		}
		f.tiles.begin(&f.args, j.call)
	}
}

// end forgets the operands of j.
func (f *frame) end(j *job) {
	if j.call != nil {
		f.tiles.end(j.call)
	}
	f.args.forget()
	if f.folding != nil {
		f.folding.forget()
	}
}

// reducing returns what f reduces with.
func (f *frame) reducing() *folding {
	if f.folding == nil {
		f.folding = &folding{}
	}
	return f.folding
}

// frames are those of callers that compute no plan now.
type frames struct {
	last atomic.Pointer[frame] // of them, or nil: most calls come one after the other
	mu   sync.Mutex            // guards what follows
	more []*frame
}

// take returns a frame with tiles.
func (fs *frames) take() *frame {
	if f := fs.last.Swap(nil); f != nil {
		return f
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if n := len(fs.more); n > 0 {
		f := fs.more[n-1]
		fs.more = fs.more[:n-1]
		return f
	}
	return &frame{tiles: &tiles{}}
}

// put takes a frame that is not used any more.
func (fs *frames) put(f *frame) {
	if fs.last.CompareAndSwap(nil, f) {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.more = append(fs.more, f)
}

// empty forgets the frames.
func (fs *frames) empty() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.last.Store(nil)
	fs.more = nil
}
