// What all elementwise kernels share, in OpenCL C 1.2. It stands before them in one
// program.
//
// Each work-item does VECTORS vectors of WIDTH neighbouring elements, which the
// build defines. The k-th vectors of a work-group are neighbours, so that a group
// reads and writes memory in one run; an item reads all of its elements before it
// writes, so that its reads overlap. An item whose last vector reaches beyond n does
// what it has within n one by one: none reads or writes outside of n elements. The
// pointers of kernels carry no restrict: a result may go over an operand.
//
// A mask has bit i%8 of byte i/8 for element i. The build defines MASK_WIDTH, 8 or 16,
// and MASK_VECTORS for the kernels that have one, so that no two items share a byte.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FLOATS JOIN(float, WIDTH)
#define LOAD(from) JOIN(vload, WIDTH)(0, from)
#define STORE(v, to) JOIN(vstore, WIDTH)(v, 0, to)
#define EACH_VECTOR for (uint k = 0; k < VECTORS; k++)

// first returns the index of the first element of this item's k-th vector, where an
// item has so many vectors of so many elements.
static ulong first(const uint k, const uint vectors, const uint width)
{
    return (((ulong)get_group_id(0) * vectors + k) * get_local_size(0) + get_local_id(0)) * width;
}

// begin is first for the kernels without a mask.
static ulong begin(const uint k) { return first(k, VECTORS, WIDTH); }

// end returns the index behind the last element of it.
static ulong end(const uint k, const ulong n) { return min(begin(k) + WIDTH, n); }

// whole tells whether all of this item's vectors are within n.
static bool whole(const ulong n) { return begin(VECTORS - 1) + WIDTH <= n; }

#define MASK_FLOATS JOIN(float, MASK_WIDTH)
#define MASK_INTS JOIN(int, MASK_WIDTH)
#define MASK_LOAD(from) JOIN(vload, MASK_WIDTH)(0, from)
#define MASK_STORE(v, to) JOIN(vstore, MASK_WIDTH)(v, 0, to)
#define EACH_MASK_VECTOR for (uint k = 0; k < MASK_VECTORS; k++)

// The same for the kernels with a mask.
static ulong mask_begin(const uint k) { return first(k, MASK_VECTORS, MASK_WIDTH); }
static ulong mask_end(const uint k, const ulong n) { return min(mask_begin(k) + MASK_WIDTH, n); }
static bool mask_whole(const ulong n) { return mask_begin(MASK_VECTORS - 1) + MASK_WIDTH <= n; }

// In a byte of a mask, the bits of its elements.
#define BITS_OF_BYTE (int8)(1, 2, 4, 8, 16, 32, 64, 128)

// pack returns the byte whose bits are set where a comparison gave -1.
static uchar pack(const int8 holds)
{
    const int8 bits = holds & BITS_OF_BYTE;
    const int4 four = bits.lo | bits.hi;
    const int2 two = four.lo | four.hi;
    return (uchar)(two.lo | two.hi);
}

// unpack returns -1 where a bit of the byte is set and else 0.
static int8 unpack(const uchar byte) { return ((int8)(byte) & BITS_OF_BYTE) != 0; }

// mask_store writes the bits of the vector that begins at element i to the mask m, and
// mask_load returns them as -1 and 0.
#if MASK_WIDTH == 16
static void mask_store(const int16 holds, const ulong i, global uchar *m)
{
    vstore2((uchar2)(pack(holds.lo), pack(holds.hi)), 0, m + i / 8);
}
static int16 mask_load(const ulong i, global const uchar *m)
{
    const uchar2 bytes = vload2(0, m + i / 8);
    return (int16)(unpack(bytes.lo), unpack(bytes.hi));
}
#else
static void mask_store(const int8 holds, const ulong i, global uchar *m) { m[i / 8] = pack(holds); }
static int8 mask_load(const ulong i, global const uchar *m) { return unpack(m[i / 8]); }
#endif

// copy is the limit that the others are measured by.
kernel void copy(global float *dst, global const float *src, const ulong n)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(src + begin(k));
        EACH_VECTOR STORE(v[k], dst + begin(k));
        return;
    }
    EACH_VECTOR
        for (ulong i = begin(k); i < end(k, n); i++)
            dst[i] = src[i];
}
