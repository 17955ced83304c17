// The product of matrices for devices with local memory of their own, such as GPUs. It follows
// elementwise.cl and arithmetic.cl.
//
// A work-group computes a tile of c. It copies a part of a and of b, DEPTH deep, to local memory,
// and each of its ROW_ITEMS * COLUMN_ITEMS work-items multiplies ROW_VECTORS vectors of a column
// of a with COLUMN_VECTORS vectors of a row of b, so that an element which is read once is used
// WIDTH times a number of vectors. The next part is on its way to registers meanwhile. The vectors
// of neighbouring items are neighbours, so that they are in different banks. TRANSPOSE_A and
// TRANSPOSE_B say how a and b are stored.
//
// The order is that of package linear: a chain of fused operations over BLOCK elements, which is
// then added to c. Behind the end of k, a is +0 and b is -0: to add their product, -0, changes
// nothing, not even the sign of zero. What is behind the end of m or n gets into no element of c.

#define ROWS (ROW_VECTORS * WIDTH)
#define COLUMNS (COLUMN_VECTORS * WIDTH)
#define ITEMS (ROW_ITEMS * COLUMN_ITEMS)
#define TILE_ROWS (ROW_ITEMS * ROWS)
#define TILE_COLUMNS (COLUMN_ITEMS * COLUMNS)
#define A_ITEM (TILE_ROWS * DEPTH / ITEMS)    // elements of a that an item copies each time
#define B_ITEM (TILE_COLUMNS * DEPTH / ITEMS) // likewise

// One more vector in a row spreads a column over the banks.
#define A_STRIDE (TILE_ROWS / WIDTH + 1)
#define B_STRIDE (TILE_COLUMNS / WIDTH + 1)

#define EACH(i, n) _Pragma("unroll") for (uint i = 0; i < (n); i++)

// Where element e of a part is: neighbouring items read neighbouring elements.
#ifdef TRANSPOSE_A
#define A_ROW(e) ((e) % TILE_ROWS)
#define A_DEEP(e) ((e) / TILE_ROWS)
#define A_AT(i, l) ((l) * m + (i))
#else
#define A_ROW(e) ((e) / DEPTH)
#define A_DEEP(e) ((e) % DEPTH)
#define A_AT(i, l) ((i) * k + (l))
#endif
#ifdef TRANSPOSE_B
#define B_COLUMN(e) ((e) / DEPTH)
#define B_DEEP(e) ((e) % DEPTH)
#define B_AT(l, j) ((j) * k + (l))
#else
#define B_COLUMN(e) ((e) % TILE_COLUMNS)
#define B_DEEP(e) ((e) / TILE_COLUMNS)
#define B_AT(l, j) ((l) * n + (j))
#endif

// product sets c, of m rows and n columns from element c_from on, to a*b, or adds that to it: the
// tiles from first on, one for each group.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void product(global float *c, const INDEX c_from, global const float *a, const INDEX a_from,
             global const float *b, const INDEX b_from, const INDEX m, const INDEX k, const INDEX n, const INDEX first, const uint accumulate)
{
    local FLOATS a_part[DEPTH * A_STRIDE], b_part[DEPTH * B_STRIDE];
    local float *a_floats = (local float *)a_part, *b_floats = (local float *)b_part;

    const INDEX down = (m + TILE_ROWS - 1) / TILE_ROWS;
    const INDEX tile = first + get_group_id(0);
    const INDEX row = tile % down * TILE_ROWS, column = tile / down * TILE_COLUMNS;
    const uint item = (uint)get_local_id(0), y = item / COLUMN_ITEMS, x = item % COLUMN_ITEMS;
    c += c_from;
    a += a_from;
    b += b_from;

    float a_next[A_ITEM], b_next[B_ITEM];
    FLOATS s[ROWS][COLUMN_VECTORS];
    EACH(i, ROWS) EACH(j, COLUMN_VECTORS) s[i][j] = 0.0f;
    bool add = accumulate;
    for (INDEX from = 0; ; from += DEPTH) {
        if (from < k) {
            EACH(q, A_ITEM) {
                const uint e = q * ITEMS + item;
                const INDEX i = row + A_ROW(e), l = from + A_DEEP(e);
                a_next[q] = i < m && l < k ? a[A_AT(i, l)] : 0.0f;
            }
            EACH(q, B_ITEM) {
                const uint e = q * ITEMS + item;
                const INDEX l = from + B_DEEP(e), j = column + B_COLUMN(e);
                b_next[q] = j < n && l < k ? b[B_AT(l, j)] : -0.0f;
            }
        }
        if (from > 0) {
            for (uint l = 0; l < DEPTH; l++) {
                FLOATS w[COLUMN_VECTORS];
                EACH(j, COLUMN_VECTORS) w[j] = b_part[l * B_STRIDE + j * COLUMN_ITEMS + x];
                EACH(i, ROW_VECTORS) {
                    float v[WIDTH];
                    ANY_STORE(a_part[l * A_STRIDE + i * ROW_ITEMS + y], v);
                    EACH(h, WIDTH) EACH(j, COLUMN_VECTORS) s[i * WIDTH + h][j] = fused((FLOATS)v[h], w[j], s[i * WIDTH + h][j]);
                }
            }
        }
        if (from >= k || (from > 0 && from % BLOCK == 0)) {
            EACH(i, ROWS) {
                const INDEX at_row = row + (i / WIDTH * ROW_ITEMS + y) * WIDTH + i % WIDTH;
                EACH(j, COLUMN_VECTORS) {
                    const INDEX at = column + (j * COLUMN_ITEMS + x) * WIDTH;
                    global float *to = c + at_row * n + at;
                    if (at_row < m && at + WIDTH <= n) {
                        ANY_STORE(add ? ANY_LOAD(to) + s[i][j] : s[i][j], to);
                    } else if (at_row < m) {
                        float v[WIDTH];
                        ANY_STORE(s[i][j], v);
                        EACH(h, WIDTH) if (at + h < n) to[h] = add ? to[h] + v[h] : v[h];
                    }
                    s[i][j] = 0.0f;
                }
            }
            add = true;
        }
        if (from >= k) break;
        barrier(CLK_LOCAL_MEM_FENCE);
        EACH(q, A_ITEM) a_floats[A_DEEP(q * ITEMS + item) * A_STRIDE * WIDTH + A_ROW(q * ITEMS + item)] = a_next[q];
        EACH(q, B_ITEM) b_floats[B_DEEP(q * ITEMS + item) * B_STRIDE * WIDTH + B_COLUMN(q * ITEMS + item)] = b_next[q];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
