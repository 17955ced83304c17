// What all elementwise kernels share, in OpenCL C 1.2. It precedes them in one program.
//
// Each work-item computes VECTORS vectors of WIDTH neighbouring elements, which the build
// defines. The k-th vectors of a work-group are neighbours, so that the group accesses
// contiguous memory. A work-item reads all of its elements before it writes, so that its
// reads overlap. If its last vector ends after n, it computes its elements below n one by
// one: no work-item accesses anything outside of n elements. The pointers have no restrict,
// since a result may replace an operand.
//
// The type of indices is INDEX, ulong or uint: many GPUs need several instructions for one
// operation on 64 bits. With ALIGNED every buffer is aligned to a vector, and vectors are
// accessed through pointers; vload and vstore only assume the alignment of an element.
//
// The bit of element i in a mask is bit i%8 of byte i/8. For kernels with a mask the build
// defines MASK_WIDTH, 8 or 16, and MASK_VECTORS, so that no two work-items share a byte.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FLOATS JOIN(float, WIDTH)
#ifdef ALIGNED
#define LOAD_(width, from) (*(global const JOIN(float, width) *)(from))
#define STORE_(width, v, to) (*(global JOIN(float, width) *)(to) = (v))
#else
#define LOAD_(width, from) JOIN(vload, width)(0, from)
#define STORE_(width, v, to) JOIN(vstore, width)(v, 0, to)
#endif
#define LOAD(from) LOAD_(WIDTH, from)
#define STORE(v, to) STORE_(WIDTH, v, to)
#define EACH_VECTOR for (uint k = 0; k < VECTORS; k++)

// first returns the index of the first element of this item's k-th vector, where an
// item computes that many vectors, of width elements each.
static INDEX first(const uint k, const uint vectors, const uint width)
{
    return (((INDEX)get_group_id(0) * vectors + k) * (INDEX)get_local_size(0) + (INDEX)get_local_id(0)) * width;
}

// begin is like first, for kernels without a mask.
static INDEX begin(const uint k) { return first(k, VECTORS, WIDTH); }

// end returns the index after the last element of that vector.
static INDEX end(const uint k, const INDEX n) { return min(begin(k) + WIDTH, n); }

// whole reports whether all of this item's vectors are within n.
static bool whole(const INDEX n) { return begin(VECTORS - 1) + WIDTH <= n; }

#define MASK_FLOATS JOIN(float, MASK_WIDTH)
#define MASK_INTS JOIN(int, MASK_WIDTH)
#define MASK_LOAD(from) LOAD_(MASK_WIDTH, from)
#define MASK_STORE(v, to) STORE_(MASK_WIDTH, v, to)
#define EACH_MASK_VECTOR for (uint k = 0; k < MASK_VECTORS; k++)

// The same for kernels with a mask.
static INDEX mask_begin(const uint k) { return first(k, MASK_VECTORS, MASK_WIDTH); }
static INDEX mask_end(const uint k, const INDEX n) { return min(mask_begin(k) + MASK_WIDTH, n); }
static bool mask_whole(const INDEX n) { return mask_begin(MASK_VECTORS - 1) + MASK_WIDTH <= n; }

// The bits of the elements in a byte of a mask.
#define BITS_OF_BYTE (int8)(1, 2, 4, 8, 16, 32, 64, 128)

// pack returns the byte whose bits are set where holds is -1.
static uchar pack(const int8 holds)
{
    const int8 bits = holds & BITS_OF_BYTE;
    const int4 four = bits.lo | bits.hi;
    const int2 two = four.lo | four.hi;
    return (uchar)(two.lo | two.hi);
}

// unpack returns -1 where a bit of the byte is set, and otherwise 0.
static int8 unpack(const uchar byte) { return ((int8)(byte) & BITS_OF_BYTE) != 0; }

// mask_store writes the bits of the vector that begins at element i to the mask m, and
// mask_load returns them as -1 and 0.
#if MASK_WIDTH == 16
static void mask_store(const int16 holds, const INDEX i, global uchar *m)
{
    vstore2((uchar2)(pack(holds.lo), pack(holds.hi)), 0, m + i / 8);
}
static int16 mask_load(const INDEX i, global const uchar *m)
{
    const uchar2 bytes = vload2(0, m + i / 8);
    return (int16)(unpack(bytes.lo), unpack(bytes.hi));
}
#else
static void mask_store(const int8 holds, const INDEX i, global uchar *m) { m[i / 8] = pack(holds); }
static int8 mask_load(const INDEX i, global const uchar *m) { return unpack(m[i / 8]); }
#endif

// copy is the limit to which the other kernels are compared.
kernel void copy(global float *dst, global const float *src, const INDEX n)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(src + begin(k));
        EACH_VECTOR STORE(v[k], dst + begin(k));
        return;
    }
    EACH_VECTOR
        for (INDEX i = begin(k); i < end(k, n); i++)
            dst[i] = src[i];
}
