// An OpenCL layer that makes calls fail, for TestFaults. The loader puts it
// between itself and the driver when OPENCL_LAYERS names it; the test steers it
// through a file, named by COMPUTE_FAULTS, that both map. It stands in the way of
// every call that the binding can make, counts them and the references to objects,
// and makes the call that the test chose fail in one of four ways:
//
//	FAIL       that call fails, and the driver never sees it
//	FAIL_FROM  so does every later one; what waits still waits before it fails
//	LATE       that kernel is launched, and fails then: only its event reports it
//	LATER      so it does, but not before some other call than for a launch and to start it
//
// What releases an object does so before it fails, and so does
// clSetUserEventStatus, as nobody could ever wait for what it holds up.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../internal/opencl/parameters.h"

enum mode { FAIL, FAIL_FROM, LATE, LATER };
enum kind { CONTEXT, QUEUE, PROGRAM, KERNEL, MEM, EVENT, KINDS };

// The file; the struct control in intercept_test.go is the same.
static struct control {
	// Set by the test.
	atomic_int armed, fail_at, code, mode;
	atomic_int max_alloc; // not 0: what devices say of their largest buffer, in bytes
	// Set here.
	atomic_int calls;   // made, in any mode
	atomic_int counted; // of them, those that the mode may make fail, while armed
	atomic_int failed;  // of those
	atomic_int created[KINDS], released[KINDS]; // references
	char name[64]; // of the call that was the fail_at-th
} *control;

static struct _cl_icd_dispatch layer, target;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of what follows
static cl_event gate; // not NULL: what a kernel waits for that is to fail

// end makes the kernel that waits for the gate fail. Nobody may begin to wait for it
// meanwhile: PoCL 3.1 uses an event after those who waited for it know of its end.
static void end(void)
{
	pthread_mutex_lock(&lock);
	if (gate) {
		target.clSetUserEventStatus(gate, control->code);
		target.clReleaseEvent(gate);
	}
	gate = NULL;
	pthread_mutex_unlock(&lock);
}

// fails counts a call and reports whether it is to fail.
static int fails(const char *name)
{
	int launch = strcmp(name, "clEnqueueNDRangeKernel") == 0;
	control->calls++;
	if (!launch && strcmp(name, "clSetKernelArg") != 0 && strcmp(name, "clFlush") != 0)
		end();
	if (!control->armed || (control->mode >= LATE && !launch))
		return 0;
	int n = ++control->counted;
	if (n < control->fail_at || (n > control->fail_at && control->mode != FAIL_FROM))
		return 0;
	if (n == control->fail_at)
		strncpy(control->name, name, sizeof control->name - 1);
	control->failed++;
	return 1;
}

// FUNCTION begins the stand-in of an OpenCL function and enters it into the layer,
// which is loaded before it is initialized.
#define FUNCTION(type, count, name, ...)							\
	static type CL_API_CALL my_##name P##count(__VA_ARGS__);				\
	__attribute__((constructor)) static void use_##name(void) { layer.name = my_##name; }	\
	static type CL_API_CALL my_##name P##count(__VA_ARGS__)

// CALL is a function that only returns a code.
#define CALL(count, name, ...)							\
	FUNCTION(cl_int, count, name, __VA_ARGS__)				\
	{									\
		return fails(#name) ? control->code : target.name A##count;	\
	}

// WAIT is one that waits for the device.
#define WAIT(count, name, ...)				\
	FUNCTION(cl_int, count, name, __VA_ARGS__)	\
	{						\
		int fail = fails(#name);		\
		if (fail && control->mode == FAIL)	\
			return control->code;		\
		cl_int err = target.name A##count;	\
		return fail ? control->code : err;	\
	}

// ENQUEUE is one that returns an event through its last argument.
#define ENQUEUE(count, name, ...)			\
	FUNCTION(cl_int, count, name, __VA_ARGS__)	\
	{						\
		if (fails(#name))			\
			return control->code;		\
		cl_int err = target.name A##count;	\
		if (err == CL_SUCCESS && last)		\
			control->created[EVENT]++;	\
		return err;				\
	}

// CREATE is one that returns an object, and a code through its last argument.
#define CREATE(kind, type, count, name, ...)		\
	FUNCTION(type, count, name, __VA_ARGS__)	\
	{						\
		if (fails(#name)) {			\
			if (last)			\
				*last = control->code;	\
			return NULL;			\
		}					\
		type made = target.name A##count;	\
		if (made)				\
			control->created[kind]++;	\
		return made;				\
	}

// COUNTED are the functions that retain and release an object.
#define COUNTED(kind, type, retain, release)		\
	FUNCTION(cl_int, 1, retain, type)		\
	{						\
		if (fails(#retain))			\
			return control->code;		\
		cl_int err = target.retain(last);	\
		if (err == CL_SUCCESS)			\
			control->created[kind]++;	\
		return err;				\
	}						\
	FUNCTION(cl_int, 1, release, type)		\
	{						\
		int fail = fails(#release);		\
		cl_int err = target.release(last);	\
		if (err == CL_SUCCESS)			\
			control->released[kind]++;	\
		return fail ? control->code : err;	\
	}

// MAP is one that returns a pointer, an event and a code.
#define MAP(count, name, ...)				\
	FUNCTION(void *, count, name, __VA_ARGS__)	\
	{						\
		if (fails(#name)) {			\
			if (last)			\
				*last = control->code;	\
			return NULL;			\
		}					\
		void *mapped = target.name A##count;	\
		if (mapped && EVENT_OF_MAP##count)	\
			control->created[EVENT]++;	\
		return mapped;				\
	}
#define EVENT_OF_MAP10 i
#define EVENT_OF_MAP12 k

typedef void(CL_CALLBACK *context_notify)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *program_notify)(cl_program, void *);
typedef const cl_event *events;
typedef const size_t *sizes;

CALL(3, clGetPlatformIDs, cl_uint, cl_platform_id *, cl_uint *)
CALL(5, clGetPlatformInfo, cl_platform_id, cl_platform_info, size_t, void *, size_t *)
CALL(5, clGetDeviceIDs, cl_platform_id, cl_device_type, cl_uint, cl_device_id *, cl_uint *)
CALL(6, clGetSupportedImageFormats, cl_context, cl_mem_flags, cl_mem_object_type, cl_uint, cl_image_format *, cl_uint *)

CREATE(CONTEXT, cl_context, 6, clCreateContext, const cl_context_properties *, cl_uint, const cl_device_id *, context_notify, void *, cl_int *)
CREATE(QUEUE, cl_command_queue, 4, clCreateCommandQueue, cl_context, cl_device_id, cl_command_queue_properties, cl_int *)
CREATE(KERNEL, cl_kernel, 3, clCreateKernel, cl_program, const char *, cl_int *)
CREATE(MEM, cl_mem, 5, clCreateBuffer, cl_context, cl_mem_flags, size_t, void *, cl_int *)
CREATE(MEM, cl_mem, 6, clCreateImage, cl_context, cl_mem_flags, const cl_image_format *, const cl_image_desc *, void *, cl_int *)
CREATE(EVENT, cl_event, 2, clCreateUserEvent, cl_context, cl_int *)

COUNTED(CONTEXT, cl_context, clRetainContext, clReleaseContext)
COUNTED(QUEUE, cl_command_queue, clRetainCommandQueue, clReleaseCommandQueue)
COUNTED(PROGRAM, cl_program, clRetainProgram, clReleaseProgram)
COUNTED(KERNEL, cl_kernel, clRetainKernel, clReleaseKernel)
COUNTED(MEM, cl_mem, clRetainMemObject, clReleaseMemObject)
COUNTED(EVENT, cl_event, clRetainEvent, clReleaseEvent)

CALL(6, clGetProgramBuildInfo, cl_program, cl_device_id, cl_program_build_info, size_t, void *, size_t *)
CALL(5, clGetKernelInfo, cl_kernel, cl_kernel_info, size_t, void *, size_t *)
CALL(6, clGetKernelArgInfo, cl_kernel, cl_uint, cl_kernel_arg_info, size_t, void *, size_t *)
CALL(6, clGetKernelWorkGroupInfo, cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void *, size_t *)
CALL(4, clSetKernelArg, cl_kernel, cl_uint, size_t, const void *)
CALL(5, clGetEventInfo, cl_event, cl_event_info, size_t, void *, size_t *)
CALL(5, clGetEventProfilingInfo, cl_event, cl_profiling_info, size_t, void *, size_t *)

ENQUEUE(9, clEnqueueReadBuffer, cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, events, cl_event *)
ENQUEUE(9, clEnqueueWriteBuffer, cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, events, cl_event *)
ENQUEUE(9, clEnqueueCopyBuffer, cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, cl_uint, events, cl_event *)
ENQUEUE(9, clEnqueueFillBuffer, cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, events, cl_event *)
ENQUEUE(11, clEnqueueReadImage, cl_command_queue, cl_mem, cl_bool, sizes, sizes, size_t, size_t, void *, cl_uint, events, cl_event *)
ENQUEUE(11, clEnqueueWriteImage, cl_command_queue, cl_mem, cl_bool, sizes, sizes, size_t, size_t, const void *, cl_uint, events, cl_event *)
ENQUEUE(6, clEnqueueUnmapMemObject, cl_command_queue, cl_mem, void *, cl_uint, events, cl_event *)
ENQUEUE(4, clEnqueueMarkerWithWaitList, cl_command_queue, cl_uint, events, cl_event *)
ENQUEUE(4, clEnqueueBarrierWithWaitList, cl_command_queue, cl_uint, events, cl_event *)
ENQUEUE(5, clEnqueueTask, cl_command_queue, cl_kernel, cl_uint, events, cl_event *)
MAP(10, clEnqueueMapBuffer, cl_command_queue, cl_mem, cl_bool, cl_map_flags, size_t, size_t, cl_uint, events, cl_event *, cl_int *)
MAP(12, clEnqueueMapImage, cl_command_queue, cl_mem, cl_bool, cl_map_flags, sizes, sizes, size_t *, size_t *, cl_uint, events, cl_event *, cl_int *)

WAIT(2, clWaitForEvents, cl_uint, events)
WAIT(1, clFinish, cl_command_queue)
CALL(1, clFlush, cl_command_queue)

// To compile is what opening takes its time for, even with what PoCL keeps on disk.
// So the driver is given what it made of a source when that comes again.
static struct compiled {
	cl_program first; // of the source, to be built
	char *source;
	unsigned char *binary;
	size_t size;
} compiled[16]; // under the lock
static int known; // how many of them have a source

FUNCTION(cl_program, 5, clCreateProgramWithSource, cl_context, cl_uint, const char **, sizes, cl_int *)
{
	if (fails("clCreateProgramWithSource")) {
		if (last)
			*last = control->code;
		return NULL;
	}
	cl_program made = NULL;
	cl_device_id device;
	pthread_mutex_lock(&lock);
	int at = 0;
	while (at < known && strcmp(*c, compiled[at].source) != 0)
		at++;
	struct compiled *p = at < 16 && b == 1 && !d ? compiled + at : NULL;
	if (p && p->binary && target.clGetContextInfo(a, CL_CONTEXT_DEVICES, sizeof device, &device, NULL) == CL_SUCCESS)
		made = target.clCreateProgramWithBinary(a, 1, &device, &p->size, (const unsigned char **)&p->binary, NULL, last);
	if (!made)
		made = target.clCreateProgramWithSource(a, b, c, d, last);
	if (made && p && !p->binary) {
		if (at == known) {
			p->source = strdup(*c);
			known++;
		}
		p->first = made;
	}
	pthread_mutex_unlock(&lock);
	if (made)
		control->created[PROGRAM]++;
	return made;
}

FUNCTION(cl_int, 6, clBuildProgram, cl_program, cl_uint, const cl_device_id *, const char *, program_notify, void *)
{
	if (fails("clBuildProgram"))
		return control->code;
	cl_int err = target.clBuildProgram(a, b, c, d, e, last);
	pthread_mutex_lock(&lock);
	for (struct compiled *p = compiled; p < compiled + known; p++)
		if (err == CL_SUCCESS && b == 1 && a == p->first && !p->binary &&
		    target.clGetProgramInfo(a, CL_PROGRAM_BINARY_SIZES, sizeof p->size, &p->size, NULL) == CL_SUCCESS) {
			p->binary = malloc(p->size);
			target.clGetProgramInfo(a, CL_PROGRAM_BINARIES, sizeof p->binary, &p->binary, NULL);
		}
	pthread_mutex_unlock(&lock);
	return err;
}

FUNCTION(cl_int, 2, clSetUserEventStatus, cl_event, cl_int)
{
	int fail = fails("clSetUserEventStatus");
	cl_int err = target.clSetUserEventStatus(a, last);
	return fail ? control->code : err;
}

FUNCTION(cl_int, 5, clGetDeviceInfo, cl_device_id, cl_device_info, size_t, void *, size_t *)
{
	if (fails("clGetDeviceInfo"))
		return control->code;
	cl_int err = target.clGetDeviceInfo(a, b, c, d, last);
	if (err == CL_SUCCESS && d && b == CL_DEVICE_MAX_MEM_ALLOC_SIZE && control->max_alloc)
		*(cl_ulong *)d = control->max_alloc;
	return err;
}

FUNCTION(cl_int, 9, clEnqueueNDRangeKernel, cl_command_queue, cl_kernel, cl_uint, sizes, sizes, sizes, cl_uint, events, cl_event *)
{
	int fail = fails("clEnqueueNDRangeKernel");
	if (fail && control->mode < LATE)
		return control->code;
	cl_event waits[g + 1];
	if (g > 0)
		memcpy(waits, h, g * sizeof *h);
	if (fail) {
		// PoCL 3.1 forgets that an event which failed may yet be waiting for others.
		target.clFinish(a);
		if (g > 0)
			target.clWaitForEvents(g, h);
		cl_context context;
		cl_int err = target.clGetCommandQueueInfo(a, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
		if (err == CL_SUCCESS)
			waits[g++] = target.clCreateUserEvent(context, &err);
		if (err != CL_SUCCESS)
			abort();
	}
	cl_int err = target.clEnqueueNDRangeKernel(a, b, c, d, e, f, g, g > 0 ? waits : NULL, last);
	if (err == CL_SUCCESS && last)
		control->created[EVENT]++;
	if (fail) {
		pthread_mutex_lock(&lock);
		gate = waits[g - 1];
		pthread_mutex_unlock(&lock);
	}
	if (fail && control->mode == LATE)
		end();
	return err;
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

// clInitLayer maps the file, and passes on what the layer has no function for.
CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *below, cl_uint *filled, const cl_icd_dispatch **functions)
{
	const char *path = getenv("COMPUTE_FAULTS");
	int file = path ? open(path, O_RDWR) : -1;
	if (file < 0)
		return CL_INVALID_VALUE;
	control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (control == MAP_FAILED)
		return CL_OUT_OF_HOST_MEMORY;
	if (count > sizeof layer / sizeof(void *))
		count = sizeof layer / sizeof(void *);
	memcpy(&target, below, count * sizeof(void *));
	for (cl_uint i = 0; i < count; i++)
		if (!((void **)&layer)[i])
			((void **)&layer)[i] = ((void **)&target)[i];
	*filled = count;
	*functions = &layer;
	return CL_SUCCESS;
}
