// Rows of a matrix, in OpenCL C 1.2: row i of the n of dst is the row of src, which has rows of
// them, with the index index[i], or NaN if that is none. A row has width elements, in pieces of
// PIECE, and so many work-items copy one: a power of two that divides a work-group.

#define PIECE 4096

kernel void gather(global float *dst, global const float *src, global const float *index, const INDEX dst_first,
                   const INDEX src_first, const INDEX index_first, const INDEX n, const INDEX width,
                   const INDEX rows, const INDEX pieces, const uint items)
{
    const INDEX piece = (INDEX)get_group_id(0) * (get_local_size(0) / items) + get_local_id(0) / items;
    const INDEX i = piece / pieces;
    if (i >= n) return;
    const INDEX begin = piece % pieces * PIECE, end = min(begin + PIECE, width);
    dst += dst_first + i * width;
    const float at = index[index_first + i];
    const INDEX row = at >= 0.0f && at <= (float)rows ? (INDEX)at : rows;
    if (row < rows && (float)row == at) {
        src += src_first + row * width;
        for (INDEX j = begin + get_local_id(0) % items; j < end; j += items) dst[j] = src[j];
    } else {
        for (INDEX j = begin + get_local_id(0) % items; j < end; j += items) dst[j] = as_float(0x7fc00000u);
    }
}
