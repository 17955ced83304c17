// LeakyReLU in OpenCL C 1.2. For every element of x, with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// It is always a comparison that selects: a maximum is wrong for s > 1, a product
// with 0 or 1 for infinities. elementwise.cl explains the rest.

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
