// The bodies of functions on devices without double: its operations in integers, and what
// computes a program of them. Operands and results are bits, of double as ulong and of float as
// uint. All operations round to nearest even, with subnormal numbers, infinities and NaN, as
// those of IEEE 754 do; but those of float may take subnormal numbers for zeros.
#ifndef DOUBLE

#define SIGN64 0x8000000000000000ul
#define INF64 0x7ff0000000000000ul
#define ONE64 0x3ff0000000000000ul
#define NAN64 0x7ff8000000000000ul
#define INF32 0x7f800000u
#define NAN32 0x7fc00000u

// exponent64 and significand64 return e and m of a finite number that is not 0, without its
// sign: it is m * 2^(e-1086), with m of 1<<63 or more. Subnormal numbers have exponents below 1.
static int exponent64(const ulong a) { return a >> 52 ? (int)(a >> 52) : 12 - (int)clz(a); }
static ulong significand64(const ulong a) { return a >> 52 ? a << 11 | SIGN64 : a << clz(a); }

// rounded returns the bits of a number without its sign, which has the exponent e, as above but
// in the format of the result, and the significand m, of 1<<63 or more. drop is how many of
// its bits the format does not have. Bit 0 of m may stand for any lower ones. The result is
// above the bits of infinity if the number is far too large.
static ulong rounded(const int e, ulong m, const int drop)
{
    const int small = clamp(1 - e, 0, 63);
    if (small > 0) m = m >> small | (m << (64 - small) != 0);
    const ulong up = ((ulong)1 << (drop - 1)) - 1 + (m >> drop & 1);
    return ((ulong)(max(e, 1) - 1) << (63 - drop)) + (m >> drop) + (((m & (((ulong)1 << drop) - 1)) + up) >> drop);
}
static ulong rounded64(const int e, const ulong m) { return min(rounded(e, m, 11), INF64); }

// fma64 returns x*y + z.
static __attribute__((noinline)) ulong fma64(const ulong x, const ulong y, const ulong z)
{
    const ulong a = x & ~SIGN64, b = y & ~SIGN64, c = z & ~SIGN64;
    ulong sign = (x ^ y) & SIGN64, other_sign = z & SIGN64;
    if (max(max(a, b), c) >= INF64) {
        if (max(max(a, b), c) > INF64) return NAN64;
        if (max(a, b) < INF64) return z;
        return a == 0 || b == 0 || (c == INF64 && sign != other_sign) ? NAN64 : sign | INF64;
    }
    if (a == 0 || b == 0) return c == 0 ? sign & other_sign : z;

    // The product is the number high:low of 128 bits, with bit 127 set, and the exponent e, as
    // if it were high alone.
    const ulong m = significand64(a), n = significand64(b);
    ulong high = mul_hi(m, n), low = m * n;
    int e = exponent64(a) + exponent64(b) - 1022;
    if (!(high >> 63)) {
        high = high << 1 | low >> 63;
        low <<= 1;
        e--;
    }
    if (c == 0) return sign | rounded64(e, high | (low != 0));

    // From here on the highest bit is 126, so that the sum fits. The number of less magnitude is
    // other_high:other_low.
    low = high << 63 | low >> 1;
    high >>= 1;
    ulong other_high = significand64(c) >> 1, other_low = 0;
    int other_e = exponent64(c);
    if (other_e > e || (other_e == e && other_high > high)) {
        const ulong h = high, l = low, s = sign;
        const int f = e;
        high = other_high, low = other_low, sign = other_sign, e = other_e;
        other_high = h, other_low = l, other_sign = s, other_e = f;
    }

    // It is shifted to the exponent of the larger one. Bit 0 stands for those that are lost,
    // which are none unless the result has its highest bit at 125 or above. Of low it then only
    // counts whether it is 0.
    int shift = min(e - other_e, 127);
    if (shift > 63) {
        other_low = other_high;
        other_high = 0;
        shift -= 64;
    }
    if (shift > 0) {
        other_low = other_high << (64 - shift) | other_low >> shift | (other_low << (64 - shift) != 0);
        other_high >>= shift;
    }
    if (sign == other_sign) {
        low += other_low;
        high += other_high + (low < other_low);
    } else {
        high -= other_high + (low < other_low);
        low -= other_low;
    }
    if ((high | low) == 0) return 0;
    e++;
    if (high == 0) {
        high = low;
        low = 0;
        e -= 64;
    }
    const int left = clz(high);
    if (left > 0) {
        high = high << left | low >> (64 - left);
        low <<= left;
    }
    return sign | rounded64(e - left, high | (low != 0));
}

// div64 returns x / y.
static __attribute__((noinline)) ulong div64(const ulong x, const ulong y)
{
    const ulong a = x & ~SIGN64, b = y & ~SIGN64, sign = (x ^ y) & SIGN64;
    if (max(a, b) > INF64 || (a == b && (a == 0 || a == INF64))) return NAN64;
    if (a == INF64 || b == 0) return sign | INF64;
    if (a == 0 || b == INF64) return sign;

    // quotient gets a bit of the quotient at a time; rest is below divisor, of 53 bits.
    const ulong divisor = significand64(b) >> 11;
    ulong rest = significand64(a) >> 11, quotient = 0;
    int e = exponent64(a) - exponent64(b) + 1023;
    if (rest < divisor) {
        rest <<= 1;
        e--;
    }
    for (int i = 0; i < 55; i++) { // the last bit is below half of one that stays
        const ulong enough = rest >= divisor;
        quotient = quotient << 1 | enough;
        rest = (rest - (enough ? divisor : 0)) << 1;
    }
    return sign | rounded64(e, quotient << 9 | (rest != 0));
}

// from32 returns x, and to32 x rounded to float.
static ulong from32(const uint x)
{
    const uint a = x & 0x7fffffffu;
    const ulong sign = (ulong)(x & 0x80000000u) << 32;
    if (a > INF32) return NAN64;
    if (a == INF32) return sign | INF64;
    if (a >> 23) return sign | (((ulong)a << 29) + ((ulong)(1023 - 127) << 52));
    return a == 0 ? sign : sign | rounded64(1023 - 127 + 9 - (int)clz(a), (ulong)a << (32 + clz(a)));
}
static uint to32(const ulong x)
{
    const ulong a = x & ~SIGN64;
    const uint sign = (uint)(x >> 32) & 0x80000000u;
    if (a > INF64) return NAN32;
    if (a == INF64) return sign | INF32;
    return a == 0 ? sign : sign | (uint)min(rounded(exponent64(a) - 1023 + 127, significand64(a), 40), (ulong)INF32);
}

// bits32 returns x, with one pattern for all NaNs; less32 and equal32 report whether x < y and
// x == y.
static uint bits32(const uint x) { return (x & 0x7fffffffu) > INF32 ? NAN32 : x; }
static int order32(const uint x) { return x >> 31 ? -(int)(x & 0x7fffffffu) : (int)x; }
static bool ordered32(const uint x, const uint y) { return max(x & 0x7fffffffu, y & 0x7fffffffu) <= INF32; }
static bool less32(const uint x, const uint y) { return ordered32(x, y) && order32(x) < order32(y); }
static bool equal32(const uint x, const uint y) { return ordered32(x, y) && order32(x) == order32(y); }

// The operations, as package ir has them. A bool is 0 or 1.
enum {
    ADD64, SUB64, MUL64, FMA64, DIV64, NEG64, FROM32, TO32,
    ADD32, MUL32, FMA32, NEG32, ABS32, COPYSIGN32, MIN32, MAX32, EQUAL32, LESS32, AT_MOST32,
    ADD, SHL, SHR, AND, OR, WHERE, SAME
};

// apply returns the result of an operation.
static ulong apply(const uint operation, const ulong a, const ulong b, const ulong c)
{
    const uint x = (uint)a, y = (uint)b;
    const float f = as_float(x), g = as_float(y), h = as_float((uint)c);
    ulong factor = b, addend = c;
    switch (operation) {
    // A product with 1 is exact, and so is the sum with a zero of the sign of the product.
    case ADD64: factor = ONE64; addend = b; break;
    case SUB64: factor = ONE64; addend = b ^ SIGN64; break;
    case MUL64: addend = (a ^ b) & SIGN64; break;
    case FMA64: break;
    case DIV64: return div64(a, b);
    case NEG64: return a ^ SIGN64;
    case FROM32: return from32(x);
    case TO32: return to32(a);

    case ADD32: return as_uint(f + g);
    case MUL32: return as_uint(f * g);
    case FMA32: return as_uint(f == 0.0f || g == 0.0f ? f * g + h : fma(f, g, h)); // see fused
    case NEG32: return x ^ 0x80000000u;
    case ABS32: return x & 0x7fffffffu;
    case COPYSIGN32: return (x & 0x7fffffffu) | (bits32(y) & 0x80000000u);
    case MIN32: return less32(x, y) ? x : y;
    case MAX32: return less32(y, x) ? x : y;
    case EQUAL32: return equal32(x, y);
    case LESS32: return less32(x, y);
    case AT_MOST32: return less32(x, y) || equal32(x, y);

    case ADD: return a + b;
    case SHL: return a << b;
    case SHR: return a >> b;
    case AND: return a & b;
    case OR: return a | b;
    case WHERE: return a ? b : c;
    default: return a;
    }
    return fma64(a, factor, addend);
}

// A step of a program puts the result of an operation into a register. Operands from REGISTERS
// on are constants.
typedef struct {
    uchar operation, to, a, b, c;
} soft_step;
#define REGISTERS 32

static ulong operand(const uint i, const ulong *registers, constant const ulong *numbers)
{
    return i < REGISTERS ? registers[i] : numbers[i - REGISTERS];
}

// computed returns the result of the last step of a program of x, which is in register 0.
static __attribute__((noinline)) uint computed(constant const soft_step *steps, const uint count, constant const ulong *numbers, const uint x)
{
    ulong registers[REGISTERS];
    registers[0] = x;
    ulong result = 0;
    for (uint i = 0; i < count; i++) {
        const soft_step s = steps[i];
        result = apply(s.operation, operand(s.a, registers, numbers), operand(s.b, registers, numbers), operand(s.c, registers, numbers));
        registers[s.to] = result;
    }
    return (uint)result;
}

#endif
