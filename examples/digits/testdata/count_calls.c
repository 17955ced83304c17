// An OpenCL layer that counts what moves data between the host and the device, and what runs
// there. The loader puts it between itself and the driver when OPENCL_LAYERS names it. The
// counts are in the file that COMPUTE_COUNTS names.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The type counts of transfers_test.go is the same.
static struct {
	atomic_int transfers, kernels;
} *counts;

static struct _cl_icd_dispatch layer, target;

static CL_API_ENTRY cl_int CL_API_CALL write_buffer(cl_command_queue q, cl_mem m, cl_bool blocking, size_t offset, size_t size,
	const void *from, cl_uint n, const cl_event *list, cl_event *event)
{
	counts->transfers++;
	return target.clEnqueueWriteBuffer(q, m, blocking, offset, size, from, n, list, event);
}

static CL_API_ENTRY cl_int CL_API_CALL read_buffer(cl_command_queue q, cl_mem m, cl_bool blocking, size_t offset, size_t size,
	void *to, cl_uint n, const cl_event *list, cl_event *event)
{
	counts->transfers++;
	return target.clEnqueueReadBuffer(q, m, blocking, offset, size, to, n, list, event);
}

static CL_API_ENTRY void *CL_API_CALL map_buffer(cl_command_queue q, cl_mem m, cl_bool blocking, cl_map_flags flags, size_t offset,
	size_t size, cl_uint n, const cl_event *list, cl_event *event, cl_int *error)
{
	counts->transfers++;
	return target.clEnqueueMapBuffer(q, m, blocking, flags, offset, size, n, list, event, error);
}

static CL_API_ENTRY cl_int CL_API_CALL launch(cl_command_queue q, cl_kernel k, cl_uint dimensions, const size_t *offset,
	const size_t *global, const size_t *local, cl_uint n, const cl_event *list, cl_event *event)
{
	counts->kernels++;
	return target.clEnqueueNDRangeKernel(q, k, dimensions, offset, global, local, n, list, event);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *needs)
{
	cl_layer_api_version version = CL_LAYER_API_VERSION_100;
	if (what != CL_LAYER_API_VERSION || (value && size < sizeof version))
		return CL_INVALID_VALUE;
	if (value)
		memcpy(value, &version, sizeof version);
	if (needs)
		*needs = sizeof version;
	return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *below, cl_uint *filled, const cl_icd_dispatch **functions)
{
	const char *path = getenv("COMPUTE_COUNTS");
	int file = path ? open(path, O_RDWR) : -1;
	if (file < 0)
		return CL_INVALID_VALUE;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (counts == MAP_FAILED)
		return CL_OUT_OF_HOST_MEMORY;
	if (count > sizeof layer / sizeof(void *))
		count = sizeof layer / sizeof(void *);
	memcpy(&target, below, count * sizeof(void *));
	layer = target;
	layer.clEnqueueWriteBuffer = write_buffer;
	layer.clEnqueueReadBuffer = read_buffer;
	layer.clEnqueueMapBuffer = map_buffer;
	layer.clEnqueueNDRangeKernel = launch;
	*filled = count;
	*functions = &layer;
	return CL_SUCCESS;
}
