package driver

import (
	"sync"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
)

// A compiled is a kernel and its code on the device.
type compiled struct {
	kernel *kernel.Kernel
	code   Code
}

// A programKey is a program with the addresses of its arguments, four bits each.
type programKey struct {
	p         *expr.Program
	addresses [2]uint64
}

// maxCached is the number of kernels that a cache keeps.
const maxCached = 256

// A cache keeps the code of programs. The zero cache is empty.
type cache struct {
	mu        sync.Mutex // guards what follows; held while nothing is compiled
	byProgram map[programKey]known
	byKey     map[string]*cached // equal programs share the code
	clock     uint64
}

// A known is the code of a program, and the entry that it came from.
type known struct {
	code  *compiled
	entry *cached
}

// cached is the code of a kernel. Its lock is held while the kernel is compiled, so that other
// calls wait for it.
type cached struct {
	mu   sync.Mutex
	code *compiled // nil before
	used uint64    // clock of the last lookup
}

// get returns the code of p for arguments at the addresses. compile makes it if it is not
// there; nothing is kept of an error.
func (c *cache) get(p *expr.Program, addresses []kernel.Address, compile func(*kernel.Kernel) (Code, error)) (*compiled, error) {
	key := programKey{p: p}
	for i, a := range addresses {
		key.addresses[i/16] |= uint64(a) << (i % 16 * 4)
	}
	c.mu.Lock()
	if k, ok := c.byProgram[key]; ok {
		c.use(k.entry)
		c.mu.Unlock()
		return k.code, nil
	}
	c.mu.Unlock()
	k := kernel.New(p.IR(), addresses)
	entry := c.entry(k.Key)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if entry.code == nil {
		code, err := compile(k)
		if err != nil {
			return nil, err
		}
		entry.code = &compiled{k, code}
	}
	// The kernel of p itself, since the other one has other scalars.
	own := &compiled{k, entry.code.code}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byProgram == nil || len(c.byProgram) >= maxCached {
		c.byProgram = map[programKey]known{} // what is used comes back without a compilation
	}
	c.byProgram[key] = known{own, entry}
	return own, nil
}

// entry returns that of a key, and forgets the one that was not used for the longest time if
// there are too many.
func (c *cache) entry(key string) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]*cached{}
	}
	entry := c.byKey[key]
	if entry == nil {
		if len(c.byKey) >= maxCached {
			oldest := ""
			for key, e := range c.byKey {
				if oldest == "" || e.used < c.byKey[oldest].used {
					oldest = key
				}
			}
			delete(c.byKey, oldest)
		}
		entry = &cached{}
		c.byKey[key] = entry
	}
	c.use(entry)
	return entry
}

// use marks the entry as the one that was used last. mu is held.
func (c *cache) use(entry *cached) {
	c.clock++
	entry.used = c.clock
}
