// The sum, the mean, the maximum or the minimum of each row or column of a matrix, in OpenCL C
// 1.2. Before it the program has the function VALUES(i, full), which returns the vector that
// begins at element i of n, with anything for the elements from n on; full says that there are
// none. PARAMETERS are the arguments of the kernel that it needs; r0 is the result.
//
// The order of additions is that of package linear: element i of a sequence is in the chunk
// i / 4096, and there in the lane i % 64. The kernel makes one element of each chunk. ITEMS
// work-items share the lanes of a chunk; they are a power of two that divides a work-group, which
// has GROUP work-items at most. The lanes are halved first within a work-item, then among them.
//
// Maxima and minima are those of integers, which have the order of the floats: then NaN is the
// greatest, or the least, and all orders of comparisons give the same.

#define LANES 64
#define CHUNK 4096

#if defined(MAXIMUM) || defined(MINIMUM)
#ifdef MAXIMUM
#define FOLD(a, b) max(a, b)
#define START ((int)0x80000000)
#define NOT_A_NUMBER 0x7fffffff
#else
#define FOLD(a, b) min(a, b)
#define START 0x7fffffff
#define NOT_A_NUMBER ((int)0x80000000)
#endif
#define FOLDED int
#define FOLDEDS INTS
static inline INTS folded(const FLOATS v)
{
    const INTS bits = AS_INTS(v);
    return select(bits ^ ((bits >> 31) & 0x7fffffff), (INTS)(NOT_A_NUMBER), (bits & 0x7fffffff) > 0x7f800000);
}
static inline FLOATS result(const INTS v) { return AS_FLOATS(v ^ ((v >> 31) & 0x7fffffff)); }
#else
#define FOLD(a, b) ((a) + (b))
#ifdef GUARDED // hidden from compilers that take 0 + v for v
#define START as_float(zero)
#else
#define START 0.0f
#endif
#define FOLDED float
#define FOLDEDS FLOATS
static inline FLOATS folded(const FLOATS v) { return v; }
static inline FLOATS result(const FLOATS v) { return v; }
#endif

#ifdef MEAN
#define RESULT(v) divide(result(v), (FLOATS)(count))
#else
#define RESULT(v) result(v)
#endif

#if WIDTH == 2
#define NUMBERS (int2)(0, 1)
#elif WIDTH == 4
#define NUMBERS (int4)(0, 1, 2, 3)
#elif WIDTH == 8
#define NUMBERS (int8)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define NUMBERS (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif

#ifndef COLUMNS

// Rows of length elements. units are the chunks of all rows, and chunks those of a row. Lane
// (k * ITEMS + item) * WIDTH + j is lane j of vector k of a work-item, so that work-items beside
// each other read what is beside each other.
kernel void reduce(PARAMETERS, const INDEX length, const INDEX chunks, const INDEX units, const uint aligned,
                   const float count)
{
    const uint item = get_local_id(0) % ITEMS;
    const INDEX unit = (INDEX)get_group_id(0) * (get_local_size(0) / ITEMS) + get_local_id(0) / ITEMS;
    FOLDEDS s[VECTORS];
    EACH_VECTOR s[k] = (FOLDEDS)(START);
    if (unit < units) {
        const INDEX row = unit / chunks * length, begin = row + unit % chunks * CHUNK;
        const INDEX end = min(begin + CHUNK, row + length);
        INDEX i = begin + item * WIDTH;
        if (end - begin == CHUNK) {
            for (; i < end; i += LANES)
                EACH_VECTOR s[k] = FOLD(s[k], folded(VALUES(i + k * (ITEMS * WIDTH), true)));
        } else {
            for (; i < end; i += LANES) {
                EACH_VECTOR {
                    const INDEX at = i + k * (ITEMS * WIDTH);
                    if (at < end) {
                        FOLDEDS v = folded(VALUES(at, at + WIDTH <= n));
                        if (at + WIDTH > end) // a lane of a sum is not -0, so that it stays
                            v = select((FOLDEDS)(START), v, NUMBERS < (INTS)((int)(end - at)));
                        s[k] = FOLD(s[k], v);
                    }
                }
            }
        }
    }
    for (uint part = VECTORS / 2; part > 0; part /= 2)
        for (uint k = 0; k < part; k++) s[k] = FOLD(s[k], s[k + part]);
#if ITEMS > 1
    local FOLDEDS shared[GROUP];
    for (uint part = ITEMS / 2; part > 0; part /= 2) {
        shared[get_local_id(0)] = s[0];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < part) s[0] = FOLD(s[0], shared[get_local_id(0) + part]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#endif
    if (item == 0 && unit < units) {
        FOLDED lanes[WIDTH];
        ANY_STORE(s[0], lanes);
        for (uint part = WIDTH / 2; part > 0; part /= 2)
            for (uint j = 0; j < part; j++) lanes[j] = FOLD(lanes[j], lanes[j + part]);
        r0[r0_first + unit] = RESULT((FOLDEDS)(lanes[0])).s0;
    }
}

#else

// Columns of length elements each. A unit is a chunk of VECTORS vectors of columns beside each
// other, and of these blocks there are so many in a row. Work-items beside each other have blocks
// beside each other. A work-item has the lanes t * ITEMS + item.
#define TURNS (LANES / ITEMS)
#if ITEMS > 1
// GPUs have an array in registers only if all indices are constants.
#define FOLD_INTO(t, k, v) \
    do { \
        const FOLDEDS w = v; \
        _Pragma("unroll") for (uint u = 0; u < TURNS; u++) \
            if (u == t) s[u][k] = FOLD(s[u][k], w); \
    } while (0)
#else
#define FOLD_INTO(t, k, v) s[t][k] = FOLD(s[t][k], v)
#endif
kernel void reduce(PARAMETERS, const INDEX columns, const INDEX length, const INDEX blocks, const INDEX units,
                   const uint aligned, const float count)
{
    const uint beside = get_local_size(0) / ITEMS, item = get_local_id(0) / beside;
    const INDEX unit = (INDEX)get_group_id(0) * beside + get_local_id(0) % beside;
    const INDEX chunk = unit / blocks, column = unit % blocks * (WIDTH * VECTORS);
    FOLDEDS s[TURNS][VECTORS];
    for (uint t = 0; t < TURNS; t++)
        EACH_VECTOR s[t][k] = (FOLDEDS)(START);
    if (unit < units) {
        const INDEX begin = chunk * CHUNK, end = min(begin + CHUNK, length);
        const bool whole = column + WIDTH * VECTORS <= columns;
        for (INDEX row = begin + item; row < end;) {
            for (uint t = 0; t < TURNS && row < end; t++, row += ITEMS) {
                const INDEX i = row * columns + column;
                if (whole) {
                    EACH_VECTOR FOLD_INTO(t, k, folded(VALUES(i + k * WIDTH, true)));
                } else {
                    EACH_VECTOR
                    {
                        if (column + k * WIDTH < columns)
                            FOLD_INTO(t, k, folded(VALUES(i + k * WIDTH, i + (k + 1) * WIDTH <= n)));
                    }
                }
            }
        }
    }
    for (uint part = TURNS / 2; part > 0; part /= 2) {
        for (uint t = 0; t < part; t++)
            EACH_VECTOR s[t][k] = FOLD(s[t][k], s[t + part][k]);
    }
#if ITEMS > 1
    local FOLDEDS shared[GROUP];
    for (uint part = ITEMS / 2; part > 0; part /= 2) {
        shared[get_local_id(0)] = s[0][0]; // VECTORS is 1
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < part) s[0][0] = FOLD(s[0][0], shared[get_local_id(0) + part * beside]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#endif
    if (item == 0 && unit < units)
        EACH_VECTOR store_some(RESULT(s[0][k]), r0 + r0_first + chunk * columns, column + k * WIDTH, columns);
}

#endif
