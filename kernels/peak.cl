// What a device computes where memory is no limit: chains of fused multiply-adds that do not depend
// on each other. It follows elementwise.cl. Each item does CHAINS of links vectors, and writes their
// sum, so that no compiler leaves them out; nor does it make one of several, since all have other
// values. These stay finite, since x is below 1.

#define CHAINS 8
#define EACH_CHAIN _Pragma("unroll") for (uint i = 0; i < CHAINS; i++)

kernel void peak(global float *y, const uint links)
{
    float v[WIDTH], sum = 0.0f;
    EACH_LANE v[j] = (float)((get_local_id(0) + j) % 64u) / 64.0f;
    const FLOATS x = ANY_LOAD(v);
    FLOATS c[CHAINS];
    EACH_CHAIN c[i] = x * (float)i;
    for (uint l = 0; l < links; l++)
        EACH_CHAIN c[i] = fma(c[i], x, x);
    for (uint i = 1; i < CHAINS; i++) c[0] += c[i];
    ANY_STORE(c[0], v);
    EACH_LANE sum += v[j];
    y[get_global_id(0)] = sum;
}
