// CLBlast as a peer of BenchmarkMatMul. The argument is the name of the device. A request is a line
// of m, k, n, whether a and b are transposed (0 or 1), and a number of calls; the answer is the
// time of one call in ns, or why there is none.
#define CL_TARGET_OPENCL_VERSION 120
#define _POSIX_C_SOURCE 199309L
#include <CL/cl.h>
#include <clblast_c.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int check(const char *call, int code)
{
    if (code == 0) return 1;
    printf("failed %s: %d\n", call, code);
    return 0;
}

static cl_device_id find(const char *name)
{
    cl_platform_id platforms[16];
    cl_device_id devices[16];
    cl_uint count = 0, found;
    if (clGetPlatformIDs(16, platforms, &count)) return NULL;
    for (cl_uint p = 0; p < count && p < 16; p++) {
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, devices, &found)) continue;
        for (cl_uint d = 0; d < found && d < 16; d++) {
            char s[1024] = "";
            clGetDeviceInfo(devices[d], CL_DEVICE_NAME, sizeof s - 1, s, NULL);
            if (strcmp(s, name) == 0) return devices[d];
        }
    }
    return NULL;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

// matrix returns a buffer of n ones.
static cl_mem matrix(cl_context context, cl_command_queue queue, size_t n)
{
    const float one = 1;
    int code;
    cl_mem m = clCreateBuffer(context, CL_MEM_READ_WRITE, 4 * n, NULL, &code);
    if (code || clEnqueueFillBuffer(queue, m, &one, sizeof one, 0, 4 * n, 0, NULL, NULL)) return NULL;
    return m;
}

int main(int argc, char **argv)
{
    int code;
    cl_device_id device = argc == 2 ? find(argv[1]) : NULL;
    if (!check("no such device", device == NULL)) return 1;
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    if (!check("clCreateContext", code)) return 1;
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
    if (!check("clCreateCommandQueue", code)) return 1;

    size_t m, k, n, last[3] = {0, 0, 0};
    int ta, tb, calls;
    cl_mem a = NULL, b = NULL, c = NULL;
    while (scanf("%zu %zu %zu %d %d %d", &m, &k, &n, &ta, &tb, &calls) == 6) {
        if (m != last[0] || k != last[1] || n != last[2]) {
            if (a) clReleaseMemObject(a), clReleaseMemObject(b), clReleaseMemObject(c);
            a = matrix(context, queue, m * k), b = matrix(context, queue, k * n), c = matrix(context, queue, m * n);
            if (!check("clCreateBuffer", a == NULL || b == NULL || c == NULL)) return 1;
            last[0] = m, last[1] = k, last[2] = n;
        }
        double start = 0;
        for (int i = -1; i < calls; i++) { // the first compiles
            if (i == 0) start = seconds();
            code = CLBlastSgemm(CLBlastLayoutRowMajor, ta ? CLBlastTransposeYes : CLBlastTransposeNo, tb ? CLBlastTransposeYes : CLBlastTransposeNo,
                                m, n, k, 1, a, 0, ta ? m : k, b, 0, tb ? k : n, 0, c, 0, n, &queue, NULL);
            if (!check("CLBlastSgemm", code) || !check("clFinish", clFinish(queue))) return 1;
        }
        printf("%.17g\n", 1e9 * (seconds() - start) / calls);
        fflush(stdout);
    }
    return 0;
}
