package function

import "strings"

// Formulas returns f(x) and f'(x) as expressions, with the parameters in lower camel case. The
// derivative is "" if it needs several statements.
func (f *Function) Formulas() (value, derivative string) {
	_, value, _ = strings.Cut(f.Text, " = ")
	return f.GoNames(value), f.GoNames(f.slope())
}

// slope returns the derivative of f as an expression, or "" if it needs several statements.
func (f *Function) slope() string {
	if f.Slope != "" {
		return f.Slope
	}
	lines := strings.Split(f.Program(Derivative).String(), "\n")
	if len(lines) != 4 { // of a function with one statement
		return ""
	}
	_, slope, _ := strings.Cut(lines[1], " = ")
	return slope
}

// GoNames returns text with the parameters of f in lower camel case.
func (f *Function) GoNames(text string) string {
	for _, name := range f.Params() {
		words := strings.Split(name, "_")
		for i, w := range words[1:] {
			words[1+i] = strings.ToUpper(w[:1]) + w[1:]
		}
		text = strings.ReplaceAll(text, name, strings.Join(words, ""))
	}
	return text
}
