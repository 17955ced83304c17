// LeakyReLU in OpenCL C 1.2, printed by go generate from its program. For every element of x,
// with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// The bit of a mask is x >= 0. Every kernel compares and selects: a maximum is wrong for
// s > 1, a product with 0 or 1 for infinities. elementwise.cl explains the rest.

kernel void leaky_relu_forward(global float *y, global const float *x, const INDEX n, const float negative_slope)
{
    const bool full = whole(n);
    FLOATS x_[VECTORS];
    if (full) {
        EACH_VECTOR x_[k] = LOAD(x + begin(k));
    } else {
        EACH_VECTOR x_[k] = load_some(x, begin(k), n);
    }
    EACH_VECTOR {
        const INTS v0 = 0.0f <= x_[k];
        const FLOATS v1 = negative_slope * x_[k];
        const FLOATS v2 = select(v1, x_[k], v0);
        if (full) {
            STORE(v2, y + begin(k));
        } else {
            store_some(v2, y, begin(k), n);
        }
    }
}

kernel void leaky_relu_derivative(global float *dydx, global const float *x, const INDEX n, const float negative_slope)
{
    const bool full = whole(n);
    FLOATS x_[VECTORS];
    if (full) {
        EACH_VECTOR x_[k] = LOAD(x + begin(k));
    } else {
        EACH_VECTOR x_[k] = load_some(x, begin(k), n);
    }
    EACH_VECTOR {
        const INTS v0 = 0.0f <= x_[k];
        const FLOATS v1 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), v0);
        if (full) {
            STORE(v1, dydx + begin(k));
        } else {
            store_some(v1, dydx, begin(k), n);
        }
    }
}

kernel void leaky_relu_backward(global float *dx, global const float *dy, global const float *x, const INDEX n,
                                const float negative_slope)
{
    const bool full = whole(n);
    FLOATS dy_[VECTORS];
    FLOATS x_[VECTORS];
    if (full) {
        EACH_VECTOR dy_[k] = LOAD(dy + begin(k));
        EACH_VECTOR x_[k] = LOAD(x + begin(k));
    } else {
        EACH_VECTOR dy_[k] = load_some(dy, begin(k), n);
        EACH_VECTOR x_[k] = load_some(x, begin(k), n);
    }
    EACH_VECTOR {
        const INTS v0 = 0.0f <= x_[k];
        const FLOATS v1 = dy_[k] * negative_slope;
        const FLOATS v2 = select(v1, dy_[k], v0);
        if (full) {
            STORE(v2, dx + begin(k));
        } else {
            store_some(v2, dx, begin(k), n);
        }
    }
}

kernel void leaky_relu_forward_derivative(global float *y, global float *d, global const float *x, const INDEX n,
                                          const float negative_slope)
{
    const bool full = whole(n);
    FLOATS x_[VECTORS];
    if (full) {
        EACH_VECTOR x_[k] = LOAD(x + begin(k));
    } else {
        EACH_VECTOR x_[k] = load_some(x, begin(k), n);
    }
    EACH_VECTOR {
        const INTS v0 = 0.0f <= x_[k];
        const FLOATS v1 = negative_slope * x_[k];
        const FLOATS v2 = select(v1, x_[k], v0);
        const FLOATS v3 = select((FLOATS)(negative_slope), (FLOATS)(1.0f), v0);
        if (full) {
            STORE(v2, y + begin(k));
            STORE(v3, d + begin(k));
        } else {
            store_some(v2, y, begin(k), n);
            store_some(v3, d, begin(k), n);
        }
    }
}

#if WIDTH >= 8
kernel void leaky_relu_forward_mask(global float *y, global uchar *bit, global const float *x, const INDEX n,
                                    const float negative_slope)
{
    const bool full = whole(n);
    FLOATS x_[VECTORS];
    if (full) {
        EACH_VECTOR x_[k] = LOAD(x + begin(k));
    } else {
        EACH_VECTOR x_[k] = load_some(x, begin(k), n);
    }
    EACH_VECTOR {
        const INTS v0 = 0.0f <= x_[k];
        const FLOATS v1 = negative_slope * x_[k];
        const FLOATS v2 = select(v1, x_[k], v0);
        if (full) {
            STORE(v2, y + begin(k));
            mask_store(v0, bit, begin(k));
        } else {
            store_some(v2, y, begin(k), n);
            mask_store_some(v0, bit, begin(k), n);
        }
    }
}

kernel void leaky_relu_backward_mask(global float *dx, global const float *dy, global const uchar *bit, const INDEX n,
                                     const float negative_slope)
{
    const bool full = whole(n);
    FLOATS dy_[VECTORS];
    INTS bit_[VECTORS];
    if (full) {
        EACH_VECTOR dy_[k] = LOAD(dy + begin(k));
        EACH_VECTOR bit_[k] = mask_load(bit, begin(k));
    } else {
        EACH_VECTOR dy_[k] = load_some(dy, begin(k), n);
        EACH_VECTOR bit_[k] = mask_load_some(bit, begin(k), n);
    }
    EACH_VECTOR {
        const FLOATS v0 = dy_[k] * negative_slope;
        const FLOATS v1 = select(v0, dy_[k], bit_[k]);
        if (full) {
            STORE(v1, dx + begin(k));
        } else {
            store_some(v1, dx, begin(k), n);
        }
    }
}
#endif
