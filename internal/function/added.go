package function

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
)

// MaxAdded is the number of functions that Add makes at most. They are kept for the life of the
// process, so that equal programs have one kind.
const MaxAdded = 4096

// firstAdded is the kind of the first function that Add makes, above those of All.
const firstAdded = 256

// added has the functions that Add made, in the order of their kinds.
var added struct {
	list [MaxAdded]atomic.Pointer[Function]

	mu    sync.Mutex // guards what follows
	kinds map[string]int
}

// Added reports whether the kind is that of a function that Add made.
func Added(kind int) bool { return kind >= firstAdded }

// Add returns the kind of p, as a function of its first argument with the others as parameters.
// Programs have one kind if they are equal and their derivatives are. Errors say why p is no
// function of a Backend, and the remedy.
func Add(p *expr.Program) (kind int, err error) {
	if err := p.Err(); err != nil {
		return 0, err
	}
	if err := suits(p); err != nil {
		return 0, fmt.Errorf("%s %w", p.Name(), err)
	}
	slope := p.Partial(p.Args()[0].Name)
	key := p.String() + "\n" + slope.String()
	added.mu.Lock()
	defer added.mu.Unlock()
	if kind, ok := added.kinds[key]; ok {
		return kind, nil
	}
	if len(added.kinds) == MaxAdded {
		return 0, fmt.Errorf("%s is one more than the %d programs that can be activations of a process; make what differs between them a parameter", p.Name(), MaxAdded)
	}
	f := &Function{Name: p.Name(), Text: p.String()}
	var failed error
	f.once.Do(func() { failed = f.build(p) })
	if failed != nil {
		return 0, failed
	}
	if added.kinds == nil {
		added.kinds = map[string]int{}
	}
	i := len(added.kinds)
	added.list[i].Store(f)
	added.kinds[key] = firstAdded + i
	return firstAdded + i, nil
}

// suits returns what the types of p, or its operations, lack for a function of x and parameters.
func suits(p *expr.Program) error {
	args, results := p.Args(), p.Results()
	params := len(args) - 1
	switch {
	case params < 0:
		return fmt.Errorf("has no argument; give it one, x")
	case params > MaxParams:
		return fmt.Errorf("has %d parameters after %s, and an activation has %d at most; use Backend.Run", params, args[0].Name, MaxParams)
	case len(results) != 1 || results[0].Type != expr.Float32:
		return fmt.Errorf("has the results %v; an activation has one, of type float32", results)
	}
	for _, a := range args {
		if a.Type != expr.Float32 {
			return fmt.Errorf("has the argument %s of type %v; those of an activation are float32", a.Name, a.Type)
		}
	}
	if slices.ContainsFunc(p.IR().Nodes, func(n ir.Node) bool { return n.Op.Info().Indexed }) {
		return fmt.Errorf("depends on the index of the element; an activation depends on %s and its parameters alone; use Backend.Run", args[0].Name)
	}
	return nil
}
