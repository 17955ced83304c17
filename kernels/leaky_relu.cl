// LeakyReLU in OpenCL C 1.2. For every element of x, with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// Each work-item does four neighbouring elements; the one that holds the end of
// the buffers does its rest one by one, and any behind it nothing, so that no
// item reads or writes outside of n elements. The pointers carry no restrict:
// the result may go over an operand. It is always a comparison that selects:
// a maximum is wrong for s > 1 and a product with 0 or 1 for infinities.

#define WIDTH 4

kernel void leaky_relu_forward(global float *y, global const float *x, const ulong n, const float s)
{
    ulong i = (ulong)get_global_id(0) * WIDTH;
    if (i + WIDTH <= n) {
        const float4 v = vload4(0, x + i);
        vstore4(select(s * v, v, v >= 0.0f), 0, y + i);
        return;
    }
    for (; i < n; i++)
        y[i] = x[i] >= 0.0f ? x[i] : s * x[i];
}

kernel void leaky_relu_derivative(global float *d, global const float *x, const ulong n, const float s)
{
    ulong i = (ulong)get_global_id(0) * WIDTH;
    if (i + WIDTH <= n) {
        const float4 v = vload4(0, x + i);
        vstore4(select((float4)s, (float4)1.0f, v >= 0.0f), 0, d + i);
        return;
    }
    for (; i < n; i++)
        d[i] = x[i] >= 0.0f ? 1.0f : s;
}

kernel void leaky_relu_backward(global float *dx, global const float *dy, global const float *x, const ulong n,
                                const float s)
{
    ulong i = (ulong)get_global_id(0) * WIDTH;
    if (i + WIDTH <= n) {
        const float4 v = vload4(0, x + i), g = vload4(0, dy + i);
        vstore4(select(s * g, g, v >= 0.0f), 0, dx + i);
        return;
    }
    for (; i < n; i++)
        dx[i] = x[i] >= 0.0f ? dy[i] : s * dy[i];
}
