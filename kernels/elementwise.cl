// What all elementwise kernels share, in OpenCL C 1.2. It precedes them in one program.
//
// Each work-item computes VECTORS vectors of WIDTH neighbouring elements, which a program
// defines before. The k-th vectors of a work-group are neighbours, so that the group accesses
// contiguous memory. A work-item reads all of its elements before it writes, so that its
// reads overlap. If its last vector ends after n, it reads and writes its elements below n one
// by one: no work-item accesses anything outside of n elements. The pointers have no restrict,
// since a result may replace an operand.
//
// The type of indices is INDEX, ulong or uint: many GPUs need several instructions for one
// operation on 64 bits. With ALIGNED every buffer is aligned to a vector, and vectors are
// accessed through pointers; vload and vstore only assume the alignment of an element.
//
// The bit of element i in a mask is bit i%8 of byte i/8. A kernel with a mask needs a WIDTH of
// 8 or 16, so that no two work-items share a byte. In a vector, a bool is -1 or 0.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FLOATS JOIN(float, WIDTH)
#define INTS JOIN(int, WIDTH)
#define UINTS JOIN(uint, WIDTH)
#define AS_FLOATS JOIN(as_, FLOATS)
#define AS_INTS JOIN(as_, INTS)
#define AS_UINTS JOIN(as_, UINTS)
#define ANY_LOAD(from) JOIN(vload, WIDTH)(0, from)
#define ANY_STORE(v, to) JOIN(vstore, WIDTH)(v, 0, to)
#ifdef ALIGNED
#define LOAD(from) (*(global const FLOATS *)(from))
#define STORE(v, to) (*(global FLOATS *)(to) = (v))
#else
#define LOAD(from) ANY_LOAD(from)
#define STORE(v, to) ANY_STORE(v, to)
#endif
#if VECTORS <= 2 // GPUs have an array in registers only if all indices are constants
#define EACH_VECTOR _Pragma("unroll") for (uint k = 0; k < VECTORS; k++)
#else
#define EACH_VECTOR for (uint k = 0; k < VECTORS; k++)
#endif
#define EACH_LANE for (uint j = 0; j < WIDTH; j++)

// begin returns the index of the first element of this item's k-th vector.
static inline INDEX begin(const uint k)
{
    return (((INDEX)get_group_id(0) * VECTORS + k) * (INDEX)get_local_size(0) + (INDEX)get_local_id(0)) * WIDTH;
}

// whole reports whether all of this item's vectors are within n.
static inline bool whole(const INDEX n) { return begin(VECTORS - 1) + WIDTH <= n; }

// load_some returns the vector that begins at element i, with 0 for the elements from n on.
static inline FLOATS load_some(global const float *from, const INDEX i, const INDEX n)
{
    float v[WIDTH];
    EACH_LANE v[j] = i + j < n ? from[i + j] : 0.0f;
    return ANY_LOAD(v);
}

// load_anywhere returns the vector that begins at any element. It is no vload if LOAD is not:
// compilers make one of two loads in branches, and that is then not aligned.
static inline FLOATS load_anywhere(global const float *from)
{
#ifdef ALIGNED
    float v[WIDTH];
    EACH_LANE v[j] = from[j];
    return ANY_LOAD(v);
#else
    return ANY_LOAD(from);
#endif
}

// store_some writes the elements below n of the vector that begins at element i.
static inline void store_some(const FLOATS all, global float *to, const INDEX i, const INDEX n)
{
    float v[WIDTH];
    ANY_STORE(all, v);
    EACH_LANE if (i + j < n) to[i + j] = v[j];
}

// load_row returns the vector that begins at element i of a row of so many elements that
// repeats, where element 0 is that with the index start.
static inline FLOATS load_row(global const float *row, const INDEX i, const INDEX start, const INDEX length)
{
    INDEX at = (start + i) % length;
    if (at + WIDTH <= length)
        return ANY_LOAD(row + at);
    float v[WIDTH];
    EACH_LANE
    {
        v[j] = row[at];
        at = at + 1 < length ? at + 1 : 0;
    }
    return ANY_LOAD(v);
}

// in_column returns the index in a column of element i, where the elements below until have
// the index base, and of those after them each period has the next.
static inline INDEX in_column(const INDEX i, const INDEX base, const INDEX until, const INDEX period)
{
    return i < until ? base : base + 1 + (i - until) / period;
}

// load_column returns the vector that begins at element i of n, of a column.
static inline FLOATS load_column(global const float *column, const INDEX i, const INDEX base, const INDEX until,
                                 const INDEX period, const INDEX n)
{
    const INDEX first = in_column(min(i, n - 1), base, until, period);
    if (first == in_column(min(i + (WIDTH - 1), n - 1), base, until, period))
        return (FLOATS)(column[first]);
    float v[WIDTH];
    EACH_LANE v[j] = column[in_column(min(i + j, n - 1), base, until, period)];
    return ANY_LOAD(v);
}

// mask_any returns the bits of the vector that begins at any element, with 0 for those of the
// elements from n on.
static inline INTS mask_any(global const uchar *m, const INDEX i, const INDEX n)
{
    int v[WIDTH];
    EACH_LANE v[j] = i + j < n ? -(m[(i + j) / 8] >> ((i + j) % 8) & 1) : 0;
    return ANY_LOAD(v);
}

#if WIDTH >= 8

// The bits of the elements in a byte of a mask.
#define BITS_OF_BYTE (int8)(1, 2, 4, 8, 16, 32, 64, 128)

// pack returns the byte whose bits are set where holds is -1.
static inline uchar pack(const int8 holds)
{
    const int8 bits = holds & BITS_OF_BYTE;
    const int4 four = bits.lo | bits.hi;
    const int2 two = four.lo | four.hi;
    return (uchar)(two.lo | two.hi);
}

// unpack returns -1 where a bit of the byte is set, and otherwise 0.
static inline int8 unpack(const uchar byte) { return ((int8)(byte) & BITS_OF_BYTE) != 0; }

// mask_load returns the bits of the vector that begins at element i, and mask_store writes
// them.
#if WIDTH == 16
static inline int16 mask_load(global const uchar *m, const INDEX i)
{
    const uchar2 bytes = vload2(0, m + i / 8);
    return (int16)(unpack(bytes.lo), unpack(bytes.hi));
}
static inline void mask_store(const int16 holds, global uchar *m, const INDEX i)
{
    vstore2((uchar2)(pack(holds.lo), pack(holds.hi)), 0, m + i / 8);
}
#else
static inline int8 mask_load(global const uchar *m, const INDEX i) { return unpack(m[i / 8]); }
static inline void mask_store(const int8 holds, global uchar *m, const INDEX i) { m[i / 8] = pack(holds); }
#endif

// byte_below returns byte, which is to hold the bits of the elements from i on, without those
// of the elements from n on.
static inline uchar byte_below(const uchar byte, const INDEX i, const INDEX n)
{
    return i + 8 <= n ? byte : byte & ((1 << (n - i)) - 1);
}

// mask_load_some and mask_store_some are the same for a vector that ends after n. The bits
// after the last are 0.
#if WIDTH == 16
static inline int16 mask_load_some(global const uchar *m, const INDEX i, const INDEX n)
{
    return (int16)(unpack(i < n ? m[i / 8] : 0), unpack(i + 8 < n ? m[i / 8 + 1] : 0));
}
static inline void mask_store_some(const int16 holds, global uchar *m, const INDEX i, const INDEX n)
{
    if (i < n) m[i / 8] = byte_below(pack(holds.lo), i, n);
    if (i + 8 < n) m[i / 8 + 1] = byte_below(pack(holds.hi), i + 8, n);
}
#else
static inline int8 mask_load_some(global const uchar *m, const INDEX i, const INDEX n)
{
    return unpack(i < n ? m[i / 8] : 0);
}
static inline void mask_store_some(const int8 holds, global uchar *m, const INDEX i, const INDEX n)
{
    if (i < n) m[i / 8] = byte_below(pack(holds), i, n);
}
#endif
#endif
