package main

import "math/big"

// logTail is q of log(1+f) = f - z*(f - s*q(s)) with z = f/(2+f) and s = z*z, for m = 1+f
// from sqrt(1/2) to sqrt(2).
var logTail = polynomial{
	name: "logTail", doc: "2*(atanh(z)/z - 1)/s of s = z*z", low: 0, high: 0.02945, degree: 6, relative: true,
	f: atanhTail,
}

// softplusTail is the same for m from 1 to 2.
var softplusTail = polynomial{
	name: "softplusTail", doc: "2*(atanh(z)/z - 1)/s of s = z*z", low: 0, high: 0.11112, degree: 8, relative: true,
	f: atanhTail,
}

// atanhTail returns 2/3 + 2s/5 + 2s*s/7 + ...
func atanhTail(s *big.Float) *big.Float {
	sum, power := p.Integer(0), p.Integer(2)
	for n := int64(3); p.Counts(power, sum); n += 2 {
		sum = p.Add(sum, p.Div(power, p.Integer(n)))
		power = p.Mul(power, s)
	}
	return sum
}
