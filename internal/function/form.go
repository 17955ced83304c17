package function

// A Form is one way to compute a function. All forms have the parameters of the function as
// their last arguments. Package form has their names and operands.
type Form int

// The forms of a function.
const (
	Forward           Form = iota // y from x
	Derivative                    // d from x
	Backward                      // dx from dy and x
	ForwardDerivative             // y and d from x
	ForwardMask                   // y and m from x: see expr.Program.Saved
	BackwardMask                  // dx from dy and m
	Count                  = iota

	// Copy is the program that returns its argument. It has no function.
	Copy Form = Count
)
