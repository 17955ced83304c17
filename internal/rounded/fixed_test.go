package rounded

import (
	"math"
	"math/big"
)

// fixedBits is the number of bits after the point of a fixed.
const fixedBits = 1000

// A fixed is a number in fixed point. Its functions are computed by other algorithms than
// those of the package.
type fixed struct{ *big.Int }

func fromFloat(x float64) fixed {
	z, _ := new(big.Float).SetMantExp(new(big.Float).SetFloat64(x), fixedBits).Int(nil)
	return fixed{z}
}

func whole(n int64) fixed { return fixed{new(big.Int).Lsh(big.NewInt(n), fixedBits)} }

func (x fixed) add(y fixed) fixed { return fixed{new(big.Int).Add(x.Int, y.Int)} }
func (x fixed) sub(y fixed) fixed { return fixed{new(big.Int).Sub(x.Int, y.Int)} }
func (x fixed) neg() fixed        { return fixed{new(big.Int).Neg(x.Int)} }
func (x fixed) mul(y fixed) fixed { return x.shift(y, 0) }

// shift returns x*y*2^n.
func (x fixed) shift(y fixed, n int) fixed {
	z := new(big.Int).Mul(x.Int, y.Int)
	return fixed{z.Rsh(z, uint(fixedBits-n))}
}

func (x fixed) div(y fixed) fixed {
	z := new(big.Int).Lsh(x.Int, fixedBits)
	return fixed{z.Quo(z, y.Int)}
}

func (x fixed) over(n int64) fixed { return fixed{new(big.Int).Quo(x.Int, big.NewInt(n))} }

func (x fixed) sqrt() fixed {
	z := new(big.Int).Lsh(x.Int, fixedBits)
	return fixed{z.Sqrt(z)}
}

func (x fixed) float64() float64 {
	y, _ := new(big.Float).SetMantExp(new(big.Float).SetInt(x.Int), -fixedBits).Float64()
	return y
}

func (x fixed) float32() float32 {
	y, _ := new(big.Float).SetMantExp(new(big.Float).SetInt(x.Int), -fixedBits).Float32()
	return y
}

// log2 is the sum of 1/(n*2^n).
var log2 = func() fixed {
	sum := whole(0)
	for n := int64(1); n <= fixedBits; n++ {
		sum.Add(sum.Int, new(big.Int).Quo(new(big.Int).Lsh(big.NewInt(1), uint(fixedBits-n)), big.NewInt(n)))
	}
	return sum
}()

// pi is 4*(atan(1/2)+atan(1/3)).
var pi = func() fixed {
	atan := func(q int64) fixed {
		sum, power := whole(0), whole(1).over(q)
		for n := int64(1); power.Sign() != 0; n += 2 {
			sum = sum.add(power.over(n))
			power = power.over(-q * q)
		}
		return sum
	}
	return whole(4).mul(atan(2).add(atan(3)))
}()

// exp is 2^k*e^r with r below log(2)/2.
func (x fixed) exp() fixed {
	k := int(math.RoundToEven(x.float64() / math.Ln2))
	r := x.sub(fixed{new(big.Int).Mul(log2.Int, big.NewInt(int64(k)))})
	sum, term := whole(1), whole(1)
	for n := int64(1); term.BitLen() > 1; n++ {
		term = term.mul(r).over(n)
		sum = sum.add(term)
	}
	return sum.shift(whole(1), k)
}

// log is Newton's iteration for e^y = x.
func (x fixed) log() fixed {
	y := fromFloat(math.Log(x.float64()))
	for range 6 {
		y = y.add(x.mul(y.neg().exp())).sub(whole(1))
	}
	return y
}

// erf is the series of alternating signs.
func (x fixed) erf() fixed {
	square, sum, power := x.mul(x).neg(), whole(0), x
	for n := int64(1); power.BitLen() > 1; n++ {
		sum = sum.add(power.over(2*n - 1))
		power = power.mul(square).over(n)
	}
	return whole(2).mul(sum).div(pi.sqrt())
}

func (x fixed) tanh() fixed {
	up, down := x.exp(), x.neg().exp()
	return up.sub(down).div(up.add(down))
}

func (x fixed) sigmoid() fixed  { return whole(1).div(whole(1).add(x.neg().exp())) }
func (x fixed) softplus() fixed { return whole(1).add(x.exp()).log() }

// slope returns the derivative of f at x, by a central difference.
func (x fixed) slope(f func(fixed) fixed) fixed {
	h := whole(1).shift(whole(1), -300)
	return f(x.add(h)).sub(f(x.sub(h))).shift(whole(1), 299)
}
