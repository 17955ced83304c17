// Functions of one float32, correctly rounded with MPFR: the float32 nearest to the real
// value, to nearest even. Link with -lmpfr -lgmp -lm; compile with -ffp-contract=off.
//
// A function is computed in double first, with a bound of its absolute error that is far
// above the error of any libm. MPFR decides where the bound leaves more than one float32, and
// so at every input whose value is within GOLDEN_NEAR of a midpoint of two float32, relative
// to the value: where terms cancel, within GOLDEN_NEAR/16 of their sizes.
#ifndef GOLDEN_REFERENCE_H
#define GOLDEN_REFERENCE_H

#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>

#define GOLDEN_NEAR 0x1p-44

enum golden_function {
	golden_exp, golden_expm1, golden_log, golden_log1p, golden_tanh, golden_sigmoid, golden_logSigmoid, golden_erf,
	golden_softplus, golden_silu, golden_gelu, golden_geluTanh, golden_mish, golden_softsign, golden_log1pPrime,
	golden_tanhPrime, golden_sigmoidPrime, golden_erfPrime, golden_siluPrime, golden_geluPrime, golden_geluTanhPrime,
	golden_mishPrime, golden_softsignPrime, golden_functions
};

static const char *const golden_names[golden_functions] = {
	"exp", "expm1", "log", "log1p", "tanh", "sigmoid", "logSigmoid", "erf", "softplus", "silu", "gelu", "geluTanh",
	"mish", "softsign", "log1pPrime", "tanhPrime", "sigmoidPrime", "erfPrime", "siluPrime", "geluPrime",
	"geluTanhPrime", "mishPrime", "softsignPrime",
};

// golden_limit sets *y and returns 1 where the result needs no arithmetic: at NaN and
// infinities, outside of the domain, at zeros whose sign matters, and so far out that the
// result is the limit, which is then no closer than 2^-27 to a midpoint, relatively.
static inline int golden_limit(int fn, float x, float *y) {
#define GOLDEN_IF(condition, result) if (condition) return *y = (result), 1
	GOLDEN_IF(isnan(x), NAN);
	switch (fn) {
	case golden_exp:
		GOLDEN_IF(x > 90, INFINITY);
		GOLDEN_IF(x < -105, 0); // e^-105 < 2^-150, half of the smallest float32
		return 0;
	case golden_expm1:
		GOLDEN_IF(x == 0, x);
		GOLDEN_IF(x > 90, INFINITY);
		GOLDEN_IF(x < -25, -1);
		return 0;
	case golden_log:
		GOLDEN_IF(x == 0, -INFINITY);
		GOLDEN_IF(x < 0, NAN);
		GOLDEN_IF(x == 1, 0);
		GOLDEN_IF(isinf(x), x);
		return 0;
	case golden_log1p:
		GOLDEN_IF(x == 0, x);
		GOLDEN_IF(x == -1, -INFINITY);
		GOLDEN_IF(x < -1, NAN);
		GOLDEN_IF(isinf(x), x);
		return 0;
	case golden_tanh:
		GOLDEN_IF(x == 0, x);
		GOLDEN_IF(fabsf(x) > 10, copysignf(1, x));
		return 0;
	case golden_sigmoid:
		GOLDEN_IF(x > 20, 1);
		GOLDEN_IF(x < -105, 0);
		return 0;
	case golden_softplus:
		GOLDEN_IF(x > 30, x);
		GOLDEN_IF(x < -105, 0);
		return 0;
	case golden_erf:
		GOLDEN_IF(x == 0, x);
		GOLDEN_IF(fabsf(x) > 4.5f, copysignf(1, x));
		return 0;
	case golden_silu:
	case golden_mish:
		GOLDEN_IF(x == 0 || x > 30, x);
		GOLDEN_IF(x < -112, -0.0f);
		return 0;
	case golden_gelu:
	case golden_geluTanh:
		GOLDEN_IF(x == 0 || x > 9, x);
		GOLDEN_IF(x < -14.8f, -0.0f);
		return 0;
	case golden_softsign:
		GOLDEN_IF(x == 0, x);
		GOLDEN_IF(isinf(x), copysignf(1, x));
		return 0;
	case golden_log1pPrime:
		GOLDEN_IF(x == -1, INFINITY);
		GOLDEN_IF(isinf(x), copysignf(0, x));
		return 0;
	case golden_tanhPrime:
		GOLDEN_IF(fabsf(x) > 54, 0);
		return 0;
	case golden_sigmoidPrime:
		GOLDEN_IF(fabsf(x) > 106, 0);
		return 0;
	case golden_erfPrime:
		GOLDEN_IF(fabsf(x) > 10.5f, 0);
		return 0;
	case golden_siluPrime:
	case golden_mishPrime:
		GOLDEN_IF(x > 35, 1);
		GOLDEN_IF(x < -112, -0.0f);
		return 0;
	case golden_geluPrime:
	case golden_geluTanhPrime:
		GOLDEN_IF(x > 9, 1);
		GOLDEN_IF(x < -14.8f, -0.0f);
		return 0;
	case golden_softsignPrime:
		GOLDEN_IF(isinf(x), 0);
		return 0;
	}
	return 0;
#undef GOLDEN_IF
}

// golden_double returns the value in double, and sets *size to |y|, or to the sum of the sizes
// of terms that may cancel, and *loss to what the rounded argument of an exponential and the
// number of operations multiply the error by: it is below 2^-45 of *size * *loss.
static inline double golden_double(int fn, double x, double *size, double *loss) {
	const double root2 = 0x1.6a09e667f3bcdp+0, rootPi = 0x1.c5bf891b4ef6bp+0;
	double y = 0, a, b, e, n, v, slope;
	*size = 0, *loss = 1;
	switch (fn) {
	case golden_exp: y = exp(x); break;
	case golden_expm1: y = expm1(x); break;
	case golden_log: y = log(x); break;
	case golden_log1p: y = log1p(x); break;
	case golden_tanh: e = expm1(2 * x), y = e / (e + 2); break;
	case golden_sigmoid: y = 1 / (1 + exp(-x)); break;
	case golden_softplus: y = log1p(exp(x)); break;
	case golden_erf: y = erf(x); break;
	case golden_silu: y = x / (1 + exp(-x)); break;
	case golden_gelu: y = 0.5 * x * erfc(-x / root2), *loss = 16; break;
	case golden_geluTanh:
		v = 2 * root2 / rootPi * (x + 0.044715 * x * x * x);
		y = x / (1 + exp(-v)), *loss = 32;
		break;
	case golden_mish: e = exp(x), n = e * (e + 2), y = x * (n / (n + 2)); break;
	case golden_softsign: y = x / (1 + fabs(x)); break;
	case golden_log1pPrime: y = 1 / (1 + x); break;
	case golden_tanhPrime: e = exp(-2 * fabs(x)), y = 4 * e / ((1 + e) * (1 + e)); break;
	case golden_sigmoidPrime: e = exp(-fabs(x)), y = e / ((1 + e) * (1 + e)); break;
	case golden_erfPrime: y = 2 / rootPi * exp(-x * x); break; // x*x is exact
	case golden_siluPrime:
		e = exp(-x), a = 1 / (1 + e), b = x * e * a * a;
		y = a + b, *size = fabs(a) + fabs(b), *loss = 2;
		break;
	case golden_geluPrime:
		a = 0.5 * erfc(-x / root2), b = x * (exp(-x * x / 2) / (root2 * rootPi));
		y = a + b, *size = fabs(a) + fabs(b), *loss = 16;
		break;
	case golden_geluTanhPrime:
		v = 2 * root2 / rootPi * (x + 0.044715 * x * x * x);
		slope = 2 * root2 / rootPi * (1 + 3 * 0.044715 * x * x);
		e = exp(-v), a = 1 / (1 + e), b = x * slope * e * a * a;
		y = a + b, *size = fabs(a) + fabs(b), *loss = 32;
		break;
	case golden_mishPrime:
		e = exp(x), n = e * (e + 2), a = n / (n + 2), b = 4 * x * e * (e + 1) / ((n + 2) * (n + 2));
		y = a + b, *size = fabs(a) + fabs(b), *loss = 2;
		break;
	case golden_softsignPrime: a = 1 + fabs(x), y = 1 / (a * a); break;
	}
	if (*size == 0) *size = fabs(y);
	return y;
}

// golden_sigmoid_of sets y to 1/(1+e^-x). y and x may be the same.
static void golden_sigmoid_of(mpfr_t y, const mpfr_t x) {
	mpfr_neg(y, x, MPFR_RNDN);
	mpfr_exp(y, y, MPFR_RNDN);
	mpfr_add_ui(y, y, 1, MPFR_RNDN);
	mpfr_ui_div(y, 1, y, MPFR_RNDN);
}

// golden_sigmoidPrime_of sets y to (sech(x/2)/2)^2. y and x may be the same.
static void golden_sigmoidPrime_of(mpfr_t y, const mpfr_t x) {
	mpfr_div_2ui(y, x, 1, MPFR_RNDN);
	mpfr_sech(y, y, MPFR_RNDN);
	mpfr_div_2ui(y, y, 1, MPFR_RNDN);
	mpfr_sqr(y, y, MPFR_RNDN);
}

// golden_bigPhi_of sets y to erfc(-x/sqrt(2))/2. y and x differ.
static void golden_bigPhi_of(mpfr_t y, const mpfr_t x) {
	mpfr_sqrt_ui(y, 2, MPFR_RNDN);
	mpfr_div(y, x, y, MPFR_RNDN);
	mpfr_neg(y, y, MPFR_RNDN);
	mpfr_erfc(y, y, MPFR_RNDN);
	mpfr_div_2ui(y, y, 1, MPFR_RNDN);
}

// golden_cubic_of sets y to 2*sqrt(2/pi)*(x + c*x^3), and slope to its derivative, with the
// c of geluTanh, 0.044715.
static void golden_cubic_of(mpfr_t y, mpfr_t slope, const mpfr_t x) {
	mpfr_t scale;
	mpfr_init2(scale, mpfr_get_prec(y));
	mpfr_const_pi(scale, MPFR_RNDN);
	mpfr_ui_div(scale, 8, scale, MPFR_RNDN);
	mpfr_sqrt(scale, scale, MPFR_RNDN);
	mpfr_sqr(y, x, MPFR_RNDN);
	mpfr_mul_ui(y, y, 44715, MPFR_RNDN);
	mpfr_div_ui(y, y, 1000000, MPFR_RNDN);
	mpfr_mul_ui(slope, y, 3, MPFR_RNDN);
	mpfr_add_ui(slope, slope, 1, MPFR_RNDN);
	mpfr_mul(slope, slope, scale, MPFR_RNDN);
	mpfr_add_ui(y, y, 1, MPFR_RNDN);
	mpfr_mul(y, y, x, MPFR_RNDN);
	mpfr_mul(y, y, scale, MPFR_RNDN);
	mpfr_clear(scale);
}

// golden_exact sets y to the value at x with the precision of y. The relative error is
// below 2^-(precision-64): all operations are correctly rounded, exponentials multiply the
// relative error of their argument by less than 2^9, and the sums of two terms cancel only
// at the root of a derivative, which no float32 approaches by more than 2^-40. A rational
// value that has so few bits is exact.
static void golden_exact(int fn, mpfr_t y, float at) {
	mpfr_t x, s, t;
	mpfr_inits2(mpfr_get_prec(y), x, s, t, (mpfr_ptr)0);
	mpfr_set_flt(x, at, MPFR_RNDN); // exact
	switch (fn) {
	case golden_exp: mpfr_exp(y, x, MPFR_RNDN); break;
	case golden_expm1: mpfr_expm1(y, x, MPFR_RNDN); break;
	case golden_log: mpfr_log(y, x, MPFR_RNDN); break;
	case golden_log1p: mpfr_log1p(y, x, MPFR_RNDN); break;
	case golden_tanh: mpfr_tanh(y, x, MPFR_RNDN); break;
	case golden_sigmoid: golden_sigmoid_of(y, x); break;
	case golden_softplus:
		mpfr_exp(s, x, MPFR_RNDN);
		mpfr_log1p(y, s, MPFR_RNDN);
		break;
	case golden_erf: mpfr_erf(y, x, MPFR_RNDN); break;
	case golden_silu:
		golden_sigmoid_of(s, x);
		mpfr_mul(y, x, s, MPFR_RNDN);
		break;
	case golden_gelu:
		golden_bigPhi_of(s, x);
		mpfr_mul(y, x, s, MPFR_RNDN);
		break;
	case golden_geluTanh:
		golden_cubic_of(s, t, x);
		golden_sigmoid_of(s, s);
		mpfr_mul(y, x, s, MPFR_RNDN);
		break;
	case golden_mish:
		mpfr_exp(s, x, MPFR_RNDN);
		mpfr_log1p(s, s, MPFR_RNDN);
		mpfr_tanh(s, s, MPFR_RNDN);
		mpfr_mul(y, x, s, MPFR_RNDN);
		break;
	case golden_tanhPrime:
		mpfr_sech(s, x, MPFR_RNDN);
		mpfr_sqr(y, s, MPFR_RNDN);
		break;
	case golden_sigmoidPrime: golden_sigmoidPrime_of(y, x); break;
	case golden_erfPrime:
		mpfr_sqr(s, x, MPFR_RNDN);
		mpfr_neg(s, s, MPFR_RNDN);
		mpfr_exp(s, s, MPFR_RNDN);
		mpfr_const_pi(t, MPFR_RNDN);
		mpfr_sqrt(t, t, MPFR_RNDN);
		mpfr_ui_div(t, 2, t, MPFR_RNDN);
		mpfr_mul(y, s, t, MPFR_RNDN);
		break;
	case golden_siluPrime:
		golden_sigmoid_of(s, x);
		golden_sigmoidPrime_of(t, x);
		mpfr_mul(t, t, x, MPFR_RNDN);
		mpfr_add(y, s, t, MPFR_RNDN);
		break;
	case golden_geluPrime: // Phi(x) + x*e^(-x*x/2)/sqrt(2*pi)
		mpfr_sqr(s, x, MPFR_RNDN);
		mpfr_div_2ui(s, s, 1, MPFR_RNDN);
		mpfr_neg(s, s, MPFR_RNDN);
		mpfr_exp(s, s, MPFR_RNDN);
		mpfr_mul(s, s, x, MPFR_RNDN);
		mpfr_const_pi(t, MPFR_RNDN);
		mpfr_mul_2ui(t, t, 1, MPFR_RNDN);
		mpfr_sqrt(t, t, MPFR_RNDN);
		mpfr_div(s, s, t, MPFR_RNDN);
		golden_bigPhi_of(t, x);
		mpfr_add(y, s, t, MPFR_RNDN);
		break;
	case golden_geluTanhPrime:
		golden_cubic_of(s, t, x);
		mpfr_mul(t, t, x, MPFR_RNDN);
		mpfr_set(y, s, MPFR_RNDN);
		golden_sigmoidPrime_of(y, y);
		mpfr_mul(t, t, y, MPFR_RNDN);
		golden_sigmoid_of(s, s);
		mpfr_add(y, s, t, MPFR_RNDN);
		break;
	case golden_mishPrime: // tanh(s) + x*sech(s)^2*sigmoid(x) with s = log(1+e^x)
		mpfr_exp(s, x, MPFR_RNDN);
		mpfr_log1p(s, s, MPFR_RNDN);
		mpfr_sech(t, s, MPFR_RNDN);
		mpfr_sqr(t, t, MPFR_RNDN);
		mpfr_mul(t, t, x, MPFR_RNDN);
		mpfr_tanh(s, s, MPFR_RNDN);
		golden_sigmoid_of(y, x);
		mpfr_mul(t, t, y, MPFR_RNDN);
		mpfr_add(y, s, t, MPFR_RNDN);
		break;
	case golden_softsign:
		mpfr_abs(s, x, MPFR_RNDN);
		mpfr_add_ui(s, s, 1, MPFR_RNDN);
		mpfr_div(y, x, s, MPFR_RNDN);
		break;
	case golden_log1pPrime:
		mpfr_add_ui(s, x, 1, MPFR_RNDN);
		mpfr_ui_div(y, 1, s, MPFR_RNDN);
		break;
	case golden_softsignPrime:
		mpfr_abs(s, x, MPFR_RNDN);
		mpfr_add_ui(s, s, 1, MPFR_RNDN);
		mpfr_sqr(s, s, MPFR_RNDN);
		mpfr_ui_div(y, 1, s, MPFR_RNDN);
		break;
	}
	mpfr_clears(x, s, t, (mpfr_ptr)0);
}

// golden_rational tells whether the value may lie exactly at a midpoint: it is a quotient,
// whose divisor has at most 2*(128+149) bits.
static int golden_rational(int fn) {
	return fn == golden_softsign || fn == golden_log1pPrime || fn == golden_softsignPrime;
}

// golden_distance_of returns the distance of y from the nearest midpoint of two float32,
// relative to y. That of the largest float32 and 2^128 is one, and 2^-150 of the smallest
// and 0. The bits of y allow it to be computed: a midpoint has 25.
static double golden_distance_of(const mpfr_t y) {
	mpfr_t units, fraction;
	mpfr_exp_t e = mpfr_get_exp(y); // 2^(e-1) <= |y| < 2^e
	if (e > 128) return 1;
	mpfr_inits2(mpfr_get_prec(y), units, fraction, (mpfr_ptr)0);
	mpfr_abs(units, y, MPFR_RNDN);
	mpfr_mul_2si(units, units, e - 24 > -149 ? 24 - e : 149, MPFR_RNDN); // of the last place
	mpfr_frac(fraction, units, MPFR_RNDN);
	mpfr_sub_d(fraction, fraction, 0.5, MPFR_RNDN);
	mpfr_div(fraction, fraction, units, MPFR_RNDN);
	double distance = fabs(mpfr_get_d(fraction, MPFR_RNDN));
	mpfr_clears(units, fraction, (mpfr_ptr)0);
	return distance;
}

// golden_by_mpfr returns the result at x by MPFR alone, and sets *distance if it is not NULL.
// It repeats with more bits until one float32 is possible. That happens because the value is
// transcendental where golden_limit has no result, and so no midpoint; and a rational one
// is nearer to a midpoint than 2^-600 only if it is one, and then it is exact.
static float golden_by_mpfr(int fn, float x, double *distance) {
	for (mpfr_prec_t precision = golden_rational(fn) ? 1024 : 192;; precision = precision < 512 ? 512 : 2 * precision) {
		mpfr_t y, error, other;
		float low, high;
		mpfr_inits2(precision, y, error, other, (mpfr_ptr)0);
		golden_exact(fn, y, x);
		if (golden_rational(fn)) {
			low = high = mpfr_get_flt(y, MPFR_RNDN);
		} else {
			mpfr_div_2ui(error, y, precision - 64, MPFR_RNDN);
			mpfr_sub(other, y, error, MPFR_RNDN);
			low = mpfr_get_flt(other, MPFR_RNDN);
			mpfr_add(other, y, error, MPFR_RNDN);
			high = mpfr_get_flt(other, MPFR_RNDN);
		}
		if (distance) *distance = golden_distance_of(y);
		mpfr_clears(y, error, other, (mpfr_ptr)0);
		if (low == high) return low;
		if (precision > 4096) {
			fprintf(stderr, "%s(%a) cannot be rounded\n", golden_names[fn], x);
			abort();
		}
	}
}

// golden_value returns the result at x. It sets *distance to the distance of the value from
// the nearest midpoint of two float32, relative to the value or, where terms cancel to less
// than a 16th, to a 16th of their sizes; or to 1 if that is not below GOLDEN_NEAR.
static inline float golden_value(int fn, float x, double *distance) {
	float limit;
	*distance = 1;
	if (fn == golden_logSigmoid) return -golden_value(golden_softplus, -x, distance);
	if (golden_limit(fn, x, &limit)) return limit;
	double size, loss, y = golden_double(fn, x, &size, &loss);
	double bound = size * loss * 0x1p-43;
	float result = (float)(y - bound);
	if (result == (float)(y + bound)) return result;
	result = golden_by_mpfr(fn, x, distance);
	if (size > 16 * fabs(y)) *distance *= 16 * fabs(y) / size;
	if (*distance >= GOLDEN_NEAR) *distance = 1;
	return result;
}

// golden_reference returns the result of the function at x. A result of 0 has the sign of
// the real value, or of the limit.
static inline float golden_reference(int fn, float x) {
	double distance;
	return golden_value(fn, x, &distance);
}

#endif
