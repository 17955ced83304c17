// Vectors of double, for the bodies of functions on devices that have the type: DOUBLE is
// defined. It follows arithmetic.cl.
#ifdef DOUBLE

#define DOUBLES JOIN(double, WIDTH)
#define ULONGS JOIN(ulong, WIDTH)
#define AS_DOUBLES JOIN(as_, DOUBLES)
#define AS_ULONGS JOIN(as_, ULONGS)
#define TO_LONGS JOIN(convert_long, WIDTH)
#define TO_ULONGS JOIN(convert_ulong, WIDTH)

#ifndef FLUSHES

#define to_doubles(x) TO_DOUBLES(x)
#define to_floats(x) TO_FLOATS(x)

#else

// The device may take subnormal floats for zeros, but no subnormal doubles. Their bits count
// multiples of 2^-149.
static inline DOUBLES to_doubles(const FLOATS x)
{
    const UINTS a = AS_UINTS(x) & 0x7fffffffu;
    const DOUBLES small = TO_DOUBLES(a) * 0x1p-149;
    const DOUBLES with_sign = AS_DOUBLES(AS_ULONGS(small) | (TO_ULONGS(AS_UINTS(x) & 0x80000000u) << 32));
    return select(TO_DOUBLES(x), with_sign, TO_LONGS(a < 0x800000u));
}

// The sum rounds to a multiple of 2^-149, and has the quotient in its lowest bits.
static inline FLOATS to_floats(const DOUBLES x)
{
    const ULONGS a = AS_ULONGS(x) & 0x7ffffffffffffffful;
    const UINTS small = TO_UINTS(AS_ULONGS(AS_DOUBLES(a) + 0x1p-97) & 0xfffffful);
    const UINTS with_sign = small | (TO_UINTS(AS_ULONGS(x) >> 32) & 0x80000000u);
    return select(TO_FLOATS(x), AS_FLOATS(with_sign), TO_INTS(AS_DOUBLES(a) < 0x1p-126));
}

#endif
#endif
