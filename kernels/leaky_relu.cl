// LeakyReLU in OpenCL C 1.2. For every element of x, with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// Each work-item does VECTORS vectors of WIDTH neighbouring elements, which the
// build defines. The k-th vectors of a work-group are neighbours, so that a group
// reads and writes memory in one run; an item has read all of its elements before
// it writes, so that its reads overlap. An item whose last vector reaches beyond n
// does what it has within n one by one: none reads or writes outside of n
// elements. The pointers carry no restrict: the result may go over an operand. It
// is always a comparison that selects: a maximum is wrong for s > 1 and a product
// with 0 or 1 for infinities.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FLOATS JOIN(float, WIDTH)
#define LOAD(from) JOIN(vload, WIDTH)(0, from)
#define STORE(v, to) JOIN(vstore, WIDTH)(v, 0, to)
#define EACH_VECTOR for (uint k = 0; k < VECTORS; k++)

// begin returns the index of the first element of this item's k-th vector.
inline ulong begin(const uint k)
{
    return (((ulong)get_group_id(0) * VECTORS + k) * get_local_size(0) + get_local_id(0)) * WIDTH;
}

// end returns the index behind the last element of it.
inline ulong end(const uint k, const ulong n) { return min(begin(k) + WIDTH, n); }

// whole tells whether all of this item's vectors are within n.
inline bool whole(const ulong n) { return begin(VECTORS - 1) + WIDTH <= n; }

kernel void leaky_relu_forward(global float *y, global const float *x, const ulong n, const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR STORE(select(s * v[k], v[k], v[k] >= 0.0f), y + begin(k));
        return;
    }
    EACH_VECTOR
        for (ulong i = begin(k); i < end(k, n); i++)
            y[i] = x[i] >= 0.0f ? x[i] : s * x[i];
}

kernel void leaky_relu_derivative(global float *d, global const float *x, const ulong n, const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] >= 0.0f), d + begin(k));
        return;
    }
    EACH_VECTOR
        for (ulong i = begin(k); i < end(k, n); i++)
            d[i] = x[i] >= 0.0f ? 1.0f : s;
}

kernel void leaky_relu_backward(global float *dx, global const float *dy, global const float *x, const ulong n,
                                const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS], g[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR g[k] = LOAD(dy + begin(k));
        EACH_VECTOR STORE(select(s * g[k], g[k], v[k] >= 0.0f), dx + begin(k));
        return;
    }
    EACH_VECTOR
        for (ulong i = begin(k); i < end(k, n); i++)
            dx[i] = x[i] >= 0.0f ? dy[i] : s * dy[i];
}
