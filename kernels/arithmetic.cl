// Operations of programs that are no single operation of OpenCL C 1.2, or not on every device,
// on vectors of WIDTH. It follows elementwise.cl.

#ifdef DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define TO_DOUBLES JOIN(convert_double, WIDTH)
#endif

#define TO_FLOATS JOIN(JOIN(convert_, FLOATS), _rte)
#define TO_INTS JOIN(JOIN(convert_, INTS), _rtz)
#define TO_UINTS JOIN(JOIN(convert_, UINTS), _sat_rtz)

// float_bits returns the bits of x, with one pattern for all NaNs.
static inline UINTS float_bits(const FLOATS x) { return select(AS_UINTS(x), (UINTS)0x7fc00000u, x != x); }

// to_uint rounds x toward zero and saturates. It returns 0 for NaN.
static inline UINTS to_uint(const FLOATS x) { return select(TO_UINTS(x), (UINTS)0u, x != x); }

// with_sign returns x with the sign of y, where a NaN counts as positive.
static inline FLOATS with_sign(const FLOATS x, const FLOATS y)
{
    return AS_FLOATS((AS_UINTS(x) & 0x7fffffffu) | (float_bits(y) & 0x80000000u));
}

constant uint lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

#define ROUND(distance) a += b; b = rotate(b, (UINTS)(distance)) ^ a;
#define INJECT(x, y) a += x; b += y;

// random_bits returns words of threefry2x32 with 20 rounds for the key (u, v). The counters are
// the index and those after it.
static inline UINTS random_bits(const UINTS u, const UINTS v, const ulong index)
{
    const UINTS w = u ^ v ^ 0x1bd11bdau;
    const UINTS from = (UINTS)(uint)index;
    const UINTS lane = ANY_LOAD(lane_numbers);
    const UINTS low = from + lane;
    const UINTS carry = ((from & lane) | ((from | lane) & ~low)) >> 31;
    const UINTS high = (UINTS)(uint)(index >> 32) + carry;
    UINTS a = low + u, b = high + v;
    ROUND(13) ROUND(15) ROUND(26) ROUND(6) INJECT(v, w + 1u)
    ROUND(17) ROUND(29) ROUND(16) ROUND(24) INJECT(w, u + 2u)
    ROUND(13) ROUND(15) ROUND(26) ROUND(6) INJECT(u, v + 3u)
    ROUND(17) ROUND(29) ROUND(16) ROUND(24) INJECT(v, w + 4u)
    ROUND(13) ROUND(15) ROUND(26) ROUND(6) INJECT(w, u + 5u)
    return a;
}

// fused returns x*y + z, rounded once. Without FUSED the device has no such operation; the
// function of OpenCL C may then be wrong about the signs of zeros.
#ifdef FUSED
#define fused(x, y, z) fma(x, y, z)
#else
static inline FLOATS fused(const FLOATS x, const FLOATS y, const FLOATS z)
{
    const FLOATS product = x * y;
    const FLOATS sum = product + z; // which is exact if the product is 0
    return select(fma(x, y, z), sum, (x == 0.0f) | (y == 0.0f));
}
#endif

// Division and the square root, rounded to nearest even. EXACT_DIVISION says that those of
// OpenCL C are. Those of double are on every device that has the type, and rounding once more
// changes nothing: double has more than twice the precision. Otherwise the operations of float
// give a first guess, and integers all bits.
#if defined(EXACT_DIVISION)

#define divide(x, y) ((x) / (y))
#define square_root(x) sqrt(x)

#elif defined(DOUBLE)

static inline FLOATS divide(const FLOATS x, const FLOATS y) { return TO_FLOATS(TO_DOUBLES(x) / TO_DOUBLES(y)); }
static inline FLOATS square_root(const FLOATS x) { return TO_FLOATS(sqrt(TO_DOUBLES(x))); }

#else

#define INF 0x7f800000u

// exponent returns the exponent of a float without its sign, given as its bits, and significand
// its bits of 1<<23 to (1<<24)-1, so that it is significand * 2^(exponent-150). Subnormal
// numbers have exponents below 1; zero has none.
static inline INTS exponent(const UINTS a)
{
    const INTS e = AS_INTS(a >> 23);
    return select(e, 9 - AS_INTS(clz(a)), e == 0);
}
static inline UINTS significand(const UINTS a)
{
    return select((a & 0x7fffffu) | 0x800000u, a << (clz(a) - 8u), a < 0x800000u);
}

// not_zero returns 1 or 0. The functions compute such values without comparisons: oclgrind 21.10
// converts those of vectors wrong.
static inline UINTS not_zero(const UINTS u) { return (u | (0u - u)) >> 31; }

static inline FLOATS divide(const FLOATS x, const FLOATS y)
{
    const UINTS a = AS_UINTS(x) & 0x7fffffffu;
    const UINTS b = AS_UINTS(y) & 0x7fffffffu;
    const UINTS over = significand(a);
    const UINTS under = significand(b);

    // q is (over << 25) / under, of 25 or 26 bits, and rest what is left. All is modulo 1<<32:
    // only rest has to fit. It does, as soon as the guess is right to 18 bits.
    UINTS q = TO_UINTS(TO_FLOATS(over) / TO_FLOATS(under) * 0x1p25f);
    INTS rest = AS_INTS((over << 25) - q * under);
    const INTS more = TO_INTS(TO_FLOATS(rest) / TO_FLOATS(under));
    q += AS_UINTS(more);
    rest -= more * AS_INTS(under);
    for (int times = 0; times < 2; times++) {
        const INTS less = rest >> 31;
        q += AS_UINTS(less);
        rest -= less * AS_INTS(under);
    }
    for (int times = 0; times < 2; times++) {
        const INTS enough = ~((rest - AS_INTS(under)) >> 31);
        q -= AS_UINTS(enough);
        rest += enough * AS_INTS(under);
    }

    // The result has 24 bits of q, or fewer if it is subnormal: an exponent below 1.
    const INTS large = -AS_INTS(q >> 25);
    const INTS e = exponent(a) - exponent(b) + 126 - large;
    const UINTS drop = AS_UINTS(min(1 - large + max(1 - e, (INTS)0), (INTS)27));
    const UINTS bits = q >> drop;
    const UINTS next = (q >> (drop - 1u)) & 1u;
    const UINTS below = (q & (((UINTS)1u << (drop - 1u)) - 1u)) | AS_UINTS(rest);
    const UINTS up = next & (not_zero(below) | bits);
    UINTS r = (AS_UINTS(max(e, (INTS)1) - 1) << 23) + bits + up;

    r = select(r, (UINTS)INF, (e >= 255) | (a == INF) | (b == 0u));
    r = select(r, (UINTS)0u, (a == 0u) | (b == INF));
    r = select(r, (UINTS)0x7fc00000u, (a > INF) | (b > INF) | ((a == INF) & (b == INF)) | ((a == 0u) & (b == 0u)));
    return AS_FLOATS(r | ((AS_UINTS(x) ^ AS_UINTS(y)) & 0x80000000u));
}

static inline FLOATS square_root(const FLOATS x)
{
    const UINTS a = AS_UINTS(x);
    const INTS e = exponent(a) - 127;
    const UINTS of = significand(a) << AS_UINTS(e & 1); // e is even then

    // root is that of of << 25, of 25 bits, and rest what is left, modulo 1<<32 as above.
    UINTS root = TO_UINTS(sqrt(TO_FLOATS(of) * 0x1p25f));
    INTS rest = AS_INTS((of << 25) - root * root);
    root += AS_UINTS(TO_INTS(TO_FLOATS(rest) / (2.0f * TO_FLOATS(root))));
    rest = AS_INTS((of << 25) - root * root);
    for (int times = 0; times < 2; times++) {
        const INTS less = rest >> 31;
        root += AS_UINTS(less);
        rest -= less * AS_INTS(2u * root + 1u);
    }
    for (int times = 0; times < 2; times++) {
        const INTS enough = (AS_INTS(2u * root) - rest) >> 31;
        rest += enough * AS_INTS(2u * root + 1u);
        root -= AS_UINTS(enough);
    }

    const UINTS bits = root >> 1;
    const UINTS up = root & (not_zero(AS_UINTS(rest)) | bits) & 1u;
    UINTS r = (AS_UINTS((e >> 1) + 126) << 23) + bits + up;

    r = select(r, a, (a == INF) | ((a & 0x7fffffffu) == 0u));
    r = select(r, (UINTS)0x7fc00000u, (a > INF) & (a != 0x80000000u));
    return AS_FLOATS(r);
}

#endif
