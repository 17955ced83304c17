// The product of matrices for CPUs, which have vectors and caches. It follows elementwise.cl and
// arithmetic.cl, and BLOCK, ROWS, COLUMN_VECTORS, STEP, STRIP and TALL, which a program defines
// before. All work-groups have one item.
//
// a and b are packed into panels first: a panel of a has ROWS rows, and one of b has
// COLUMNS columns, and both have the elements that are used together next to each other. An
// item multiplies two panels, with its part of c in registers. Panels are padded with zeros,
// which get into no element of c. How a and b are stored matters to the packing alone.
//
// The order is that of package linear: a chain of fused operations over BLOCK elements, which is
// then added to c.

#define COLUMNS (COLUMN_VECTORS * WIDTH)
#define EACH(i, n) _Pragma("unroll") for (uint i = 0; i < (n); i++)

// product sets c, of m rows and n columns from element from on, with stride elements from a row
// to the next, to the product of the panels of a and b, of k, or adds that to it.
kernel void product(global float *c, const INDEX from, const INDEX stride, global const float *a, global const float *b,
                    const uint m, const uint k, const uint n, const uint accumulate)
{
    const uint panels = (m + ROWS - 1) / ROWS;
    const uint row = (uint)get_group_id(0) % panels * ROWS, column = (uint)get_group_id(0) / panels * COLUMNS;
    const uint rows = min(m - row, (uint)ROWS), columns = min(n - column, (uint)COLUMNS);
    a += (INDEX)row * k;
    b += (INDEX)column * k;
    c += from + row * stride + column;
    bool add = accumulate;
    for (uint block = 0; block < k; block += BLOCK) {
        FLOATS s[ROWS][COLUMN_VECTORS];
        EACH(i, ROWS) EACH(j, COLUMN_VECTORS) s[i][j] = 0.0f;
        const uint end = min(k - block, (uint)BLOCK);
        for (uint l = 0; l < end; l++) {
            FLOATS w[COLUMN_VECTORS];
            EACH(j, COLUMN_VECTORS) w[j] = ANY_LOAD(b + j * WIDTH);
            EACH(i, ROWS) {
                const FLOATS v = a[i];
                EACH(j, COLUMN_VECTORS) s[i][j] = fused(v, w[j], s[i][j]);
            }
            a += ROWS;
            b += COLUMNS;
        }
        if (rows == ROWS && columns == COLUMNS) {
            EACH(i, ROWS) EACH(j, COLUMN_VECTORS) {
                global float *to = c + i * stride + j * WIDTH;
                ANY_STORE(add ? ANY_LOAD(to) + s[i][j] : s[i][j], to);
            }
        } else {
            float v[ROWS][COLUMNS];
            EACH(i, ROWS) EACH(j, COLUMN_VECTORS) ANY_STORE(s[i][j], v[i] + j * WIDTH);
            for (uint i = 0; i < rows; i++)
                for (uint j = 0; j < columns; j++) {
                    global float *to = c + i * stride + j;
                    *to = add ? *to + v[i][j] : v[i][j];
                }
        }
        add = true;
    }
}

// An item of the kernels that pack does STEP elements of a panel of size rows, or columns.
// n is the number of those, and k that of elements in each.

// pack_rows packs a matrix of k rows and n columns.
static inline void pack_rows(global float *to, global const float *from, const INDEX stride, const uint k, const uint n, const uint size)
{
    const uint steps = (k + STEP - 1) / STEP;
    const uint panel = (uint)get_group_id(0) / steps * size, step = (uint)get_group_id(0) % steps * STEP;
    const uint width = min(n - panel, size), end = min(k - step, (uint)STEP);
    to += (INDEX)panel * k + step * size;
    from += step * stride + panel;
    for (uint l = 0; l < end; l++) {
        if (width == size)
            for (uint i = 0; i < size; i++) to[i] = from[i];
        else
            for (uint i = 0; i < size; i++) to[i] = i < width ? from[i] : 0.0f;
        to += size;
        from += stride;
    }
}

// pack_columns packs a matrix of n rows and k columns, by transposing squares of it.
static inline void pack_columns(global float *to, global const float *from, const INDEX stride, const uint k, const uint n, const uint size)
{
    const uint steps = (k + STEP - 1) / STEP;
    const uint panel = (uint)get_group_id(0) / steps * size, step = (uint)get_group_id(0) % steps * STEP;
    const uint width = min(n - panel, size), end = min(k - step, (uint)STEP);
    to += (INDEX)panel * k + step * size;
    from += panel * stride + step;
    uint i = 0;
    for (; i + 4 <= width; i += 4) {
        global const float *row = from + i * stride;
        uint l = 0;
        for (; l + 4 <= end; l += 4) {
            const float4 a = vload4(0, row + l), b = vload4(0, row + stride + l);
            const float4 c = vload4(0, row + 2 * stride + l), d = vload4(0, row + 3 * stride + l);
            global float *square = to + l * size + i;
            vstore4((float4)(a.s0, b.s0, c.s0, d.s0), 0, square);
            vstore4((float4)(a.s1, b.s1, c.s1, d.s1), 0, square + size);
            vstore4((float4)(a.s2, b.s2, c.s2, d.s2), 0, square + 2 * size);
            vstore4((float4)(a.s3, b.s3, c.s3, d.s3), 0, square + 3 * size);
        }
        for (; l < end; l++)
            vstore4((float4)(row[l], row[stride + l], row[2 * stride + l], row[3 * stride + l]), 0, to + l * size + i);
    }
    for (; i < size; i++)
        for (uint l = 0; l < end; l++) to[l * size + i] = i < width ? from[i * stride + l] : 0.0f;
}

#define PACK(name, pack, size) \
    kernel void name(global float *to, global const float *from, const INDEX offset, const INDEX stride, const uint k, const uint n) \
    { \
        pack(to, from + offset, stride, k, n, size); \
    }

PACK(pack_a, pack_columns, ROWS)
PACK(pack_a_transposed, pack_rows, ROWS)
PACK(pack_b, pack_rows, COLUMNS)
PACK(pack_b_transposed, pack_columns, COLUMNS)

// Products with a vector do without panels, since they use an element of the matrix once. Item
// strip of vector i computes the elements of one result. x is the matrix, and vector i of v and of
// c begins at i times v_next and c_next from v_from and c_from. c has n elements with c_stride
// from one to the next, and v has k with v_stride.
#define VECTOR_ARGUMENTS \
    global float *c, const INDEX c_from, const INDEX c_stride, const INDEX c_next, global const float *x, const INDEX x_from, \
    global const float *v, const INDEX v_from, const INDEX v_stride, const INDEX v_next, const INDEX k, const INDEX n, const uint accumulate

// fused_any is fused for a float or a float4.
#ifdef FUSED
#define fused_any(x, y, z) fma(x, y, z)
#else
#define fused_any(x, y, z) select(fma(x, y, z), (x) * (y) + (z), ((x) == 0.0f) | ((y) == 0.0f))
#endif

#define EACH_BLOCK(begin, end) for (INDEX begin = 0, end = min(k, (INDEX)BLOCK); begin < k; begin = end, end = min(k, end + BLOCK))

static inline void put(global float *to, const float s, const bool add) { *to = add ? *to + s : s; }

// times_rows multiplies vectors with a matrix of k rows and n columns. An item does STRIP columns,
// and reads rows in their order. What was added so far stays in the cache of the first level.
kernel void times_rows(VECTOR_ARGUMENTS)
{
    const INDEX strips = (n + STRIP - 1) / STRIP;
    const INDEX i = get_group_id(0) / strips, column = get_group_id(0) % strips * STRIP;
    const uint width = (uint)min(n - column, (INDEX)STRIP), whole = width / WIDTH * WIDTH;
    c += c_from + i * c_next + column * c_stride;
    v += v_from + i * v_next;
    x += x_from + column;
    EACH_BLOCK(begin, end) {
        float s[STRIP];
        for (uint j = 0; j < STRIP; j++) s[j] = 0.0f;
        INDEX l = begin;
        for (; l + 4 <= end; l += 4) {
            const float v0 = v[l * v_stride], v1 = v[(l + 1) * v_stride], v2 = v[(l + 2) * v_stride], v3 = v[(l + 3) * v_stride];
            global const float *row = x + l * n;
            for (uint j = 0; j < whole; j += WIDTH) {
                FLOATS t = ANY_LOAD(s + j);
                t = fused((FLOATS)v0, ANY_LOAD(row + j), t);
                t = fused((FLOATS)v1, ANY_LOAD(row + n + j), t);
                t = fused((FLOATS)v2, ANY_LOAD(row + 2 * n + j), t);
                t = fused((FLOATS)v3, ANY_LOAD(row + 3 * n + j), t);
                ANY_STORE(t, s + j);
            }
        }
        for (; l < end; l++)
            for (uint j = 0; j < whole; j += WIDTH)
                ANY_STORE(fused((FLOATS)v[l * v_stride], ANY_LOAD(x + l * n + j), ANY_LOAD(s + j)), s + j);
        if (whole < width)
            for (l = begin; l < end; l++)
                ANY_STORE(fused((FLOATS)v[l * v_stride], load_some(x + l * n, whole, width), ANY_LOAD(s + whole)), s + whole);
        for (uint j = 0; j < width; j++) put(c + j * c_stride, s[j], accumulate || begin > 0);
    }
}

// times_columns multiplies vectors with the transpose of a matrix of n rows and k columns. An
// item does TALL rows, as squares that it transposes.
kernel void times_columns(VECTOR_ARGUMENTS)
{
    const INDEX strips = (n + TALL - 1) / TALL;
    const INDEX i = get_group_id(0) / strips, row = get_group_id(0) % strips * TALL;
    const uint rows = (uint)min(n - row, (INDEX)TALL);
    c += c_from + i * c_next + row * c_stride;
    v += v_from + i * v_next;
    x += x_from + row * k;
    EACH_BLOCK(begin, end) {
        float s[TALL];
        INDEX l = begin;
        if (rows == TALL) {
            float4 t[TALL / 4];
            EACH(j, TALL / 4) t[j] = 0.0f;
            for (; l + 4 <= end; l += 4) {
                const float v0 = v[l * v_stride], v1 = v[(l + 1) * v_stride], v2 = v[(l + 2) * v_stride], v3 = v[(l + 3) * v_stride];
                EACH(j, TALL / 4) {
                    global const float *square = x + 4 * j * k + l;
                    const float4 a = vload4(0, square), b = vload4(0, square + k), d = vload4(0, square + 2 * k), e = vload4(0, square + 3 * k);
                    t[j] = fused_any((float4)v0, (float4)(a.s0, b.s0, d.s0, e.s0), t[j]);
                    t[j] = fused_any((float4)v1, (float4)(a.s1, b.s1, d.s1, e.s1), t[j]);
                    t[j] = fused_any((float4)v2, (float4)(a.s2, b.s2, d.s2, e.s2), t[j]);
                    t[j] = fused_any((float4)v3, (float4)(a.s3, b.s3, d.s3, e.s3), t[j]);
                }
            }
            EACH(j, TALL / 4) vstore4(t[j], j, s);
        } else {
            for (uint j = 0; j < TALL; j++) s[j] = 0.0f;
        }
        for (; l < end; l++)
            for (uint j = 0; j < rows; j++) s[j] = fused_any(v[l * v_stride], x[j * k + l], s[j]);
        for (uint j = 0; j < rows; j++) put(c + j * c_stride, s[j], accumulate || begin > 0);
    }
}
