// LeakyReLU in OpenCL C 1.2. For every element of x, with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// The bit of a mask is x >= 0. Every kernel compares and selects: a maximum is wrong for
// s > 1, a product with 0 or 1 for infinities. elementwise.cl explains the rest.

kernel void leaky_relu_forward(global float *y, global const float *x, const INDEX n, const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR STORE(select(s * v[k], v[k], v[k] >= 0.0f), y + begin(k));
        return;
    }
    EACH_VECTOR
        for (INDEX i = begin(k); i < end(k, n); i++)
            y[i] = x[i] >= 0.0f ? x[i] : s * x[i];
}

kernel void leaky_relu_derivative(global float *d, global const float *x, const INDEX n, const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] >= 0.0f), d + begin(k));
        return;
    }
    EACH_VECTOR
        for (INDEX i = begin(k); i < end(k, n); i++)
            d[i] = x[i] >= 0.0f ? 1.0f : s;
}

kernel void leaky_relu_backward(global float *dx, global const float *dy, global const float *x, const INDEX n,
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
        for (INDEX i = begin(k); i < end(k, n); i++)
            dx[i] = x[i] >= 0.0f ? dy[i] : s * dy[i];
}

kernel void leaky_relu_forward_derivative(global float *y, global float *d, global const float *x, const INDEX n,
                                          const float s)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(x + begin(k));
        EACH_VECTOR {
            STORE(select(s * v[k], v[k], v[k] >= 0.0f), y + begin(k));
            STORE(select((FLOATS)s, (FLOATS)1.0f, v[k] >= 0.0f), d + begin(k));
        }
        return;
    }
    EACH_VECTOR
        for (INDEX i = begin(k); i < end(k, n); i++) {
            const float v = x[i];
            y[i] = v >= 0.0f ? v : s * v;
            d[i] = v >= 0.0f ? 1.0f : s;
        }
}

kernel void leaky_relu_forward_mask(global float *y, global uchar *m, global const float *x, const INDEX n,
                                    const float s)
{
    if (mask_whole(n)) {
        MASK_FLOATS v[MASK_VECTORS];
        EACH_MASK_VECTOR v[k] = MASK_LOAD(x + mask_begin(k));
        EACH_MASK_VECTOR {
            MASK_STORE(select(s * v[k], v[k], v[k] >= 0.0f), y + mask_begin(k));
            mask_store(v[k] >= 0.0f, mask_begin(k), m);
        }
        return;
    }
    EACH_MASK_VECTOR
        for (INDEX i = mask_begin(k); i < mask_end(k, n); i += 8) {
            uchar byte = 0;
            for (INDEX j = i; j < min(i + 8, n); j++) {
                const float v = x[j];
                byte |= (v >= 0.0f) << (j - i);
                y[j] = v >= 0.0f ? v : s * v;
            }
            m[i / 8] = byte;
        }
}

kernel void leaky_relu_backward_mask(global float *dx, global const float *dy, global const uchar *m, const INDEX n,
                                     const float s)
{
    if (mask_whole(n)) {
        MASK_FLOATS g[MASK_VECTORS];
        MASK_INTS holds[MASK_VECTORS];
        EACH_MASK_VECTOR g[k] = MASK_LOAD(dy + mask_begin(k));
        EACH_MASK_VECTOR holds[k] = mask_load(mask_begin(k), m);
        EACH_MASK_VECTOR MASK_STORE(select(s * g[k], g[k], holds[k]), dx + mask_begin(k));
        return;
    }
    EACH_MASK_VECTOR
        for (INDEX i = mask_begin(k); i < mask_end(k, n); i++)
            dx[i] = m[i / 8] >> (i % 8) & 1 ? dy[i] : s * dy[i];
}
