// What all elementwise kernels share, in OpenCL C 1.2. It stands before them in one
// program.
//
// Each work-item does VECTORS vectors of WIDTH neighbouring elements, which the
// build defines. The k-th vectors of a work-group are neighbours, so that a group
// reads and writes memory in one run; an item reads all of its elements before it
// writes, so that its reads overlap. An item whose last vector reaches beyond n does
// what it has within n one by one: none reads or writes outside of n elements. The
// pointers of kernels carry no restrict: a result may go over an operand.

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FLOATS JOIN(float, WIDTH)
#define LOAD(from) JOIN(vload, WIDTH)(0, from)
#define STORE(v, to) JOIN(vstore, WIDTH)(v, 0, to)
#define EACH_VECTOR for (uint k = 0; k < VECTORS; k++)

// begin returns the index of the first element of this item's k-th vector.
static ulong begin(const uint k)
{
    return (((ulong)get_group_id(0) * VECTORS + k) * get_local_size(0) + get_local_id(0)) * WIDTH;
}

// end returns the index behind the last element of it.
static ulong end(const uint k, const ulong n) { return min(begin(k) + WIDTH, n); }

// whole tells whether all of this item's vectors are within n.
static bool whole(const ulong n) { return begin(VECTORS - 1) + WIDTH <= n; }

// copy is the limit that the others are measured by.
kernel void copy(global float *dst, global const float *src, const ulong n)
{
    if (whole(n)) {
        FLOATS v[VECTORS];
        EACH_VECTOR v[k] = LOAD(src + begin(k));
        EACH_VECTOR STORE(v[k], dst + begin(k));
        return;
    }
    EACH_VECTOR
        for (ulong i = begin(k); i < end(k, n); i++)
            dst[i] = src[i];
}
