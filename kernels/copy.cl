// The copy to which the other kernels are compared, printed by go generate.

kernel void copy(global float *dst, global const float *src, const INDEX n)
{
    const bool full = whole(n);
    FLOATS src_[VECTORS];
    if (full) {
        EACH_VECTOR src_[k] = LOAD(src + begin(k));
    } else {
        EACH_VECTOR src_[k] = load_some(src, begin(k), n);
    }
    EACH_VECTOR {
        if (full) {
            STORE(src_[k], dst + begin(k));
        } else {
            store_some(src_[k], dst, begin(k), n);
        }
    }
}
