//go:build opencl && cgo && !darwin

// The OpenCL entry points that this program calls, as functions of its own that forward
// to the OpenCL loader, which the first call finds. They satisfy every reference of the
// binding, so the linker, told --as-needed, drops libOpenCL: the program starts where
// there is none. They are hidden, since the loader and the drivers export the same names
// and must not be given these.
#define _GNU_SOURCE // for RTLD_DEFAULT
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#endif

#pragma GCC visibility push(hidden)
#include "loader.h"
#include "parameters.h"

// The functions by what they return: a code, or an object or a pointer, with the code
// through the last parameter. After the name stand the types of the parameters.
#define FUNCTIONS(CODE, OBJECT) \
	CODE(3, clGetPlatformIDs, cl_uint, cl_platform_id *, cl_uint *) \
	CODE(5, clGetPlatformInfo, cl_platform_id, cl_platform_info, size_t, void *, size_t *) \
	CODE(5, clGetDeviceIDs, cl_platform_id, cl_device_type, cl_uint, cl_device_id *, cl_uint *) \
	CODE(5, clGetDeviceInfo, cl_device_id, cl_device_info, size_t, void *, size_t *) \
	OBJECT(cl_context, 6, clCreateContext, const cl_context_properties *, cl_uint, const cl_device_id *, context_notify, void *, cl_int *) \
	CODE(1, clReleaseContext, cl_context) \
	OBJECT(cl_command_queue, 4, clCreateCommandQueue, cl_context, cl_device_id, cl_command_queue_properties, cl_int *) \
	CODE(1, clReleaseCommandQueue, cl_command_queue) \
	CODE(1, clFlush, cl_command_queue) \
	CODE(1, clFinish, cl_command_queue) \
	OBJECT(cl_mem, 5, clCreateBuffer, cl_context, cl_mem_flags, size_t, void *, cl_int *) \
	OBJECT(cl_mem, 6, clCreateImage, cl_context, cl_mem_flags, const cl_image_format *, const cl_image_desc *, void *, cl_int *) \
	CODE(6, clGetSupportedImageFormats, cl_context, cl_mem_flags, cl_mem_object_type, cl_uint, cl_image_format *, cl_uint *) \
	CODE(1, clReleaseMemObject, cl_mem) \
	OBJECT(cl_program, 5, clCreateProgramWithSource, cl_context, cl_uint, const char **, const size_t *, cl_int *) \
	CODE(6, clBuildProgram, cl_program, cl_uint, const cl_device_id *, const char *, program_notify, void *) \
	CODE(6, clGetProgramBuildInfo, cl_program, cl_device_id, cl_program_build_info, size_t, void *, size_t *) \
	CODE(1, clReleaseProgram, cl_program) \
	OBJECT(cl_kernel, 3, clCreateKernel, cl_program, const char *, cl_int *) \
	CODE(4, clSetKernelArg, cl_kernel, cl_uint, size_t, const void *) \
	CODE(5, clGetKernelInfo, cl_kernel, cl_kernel_info, size_t, void *, size_t *) \
	CODE(6, clGetKernelArgInfo, cl_kernel, cl_uint, cl_kernel_arg_info, size_t, void *, size_t *) \
	CODE(6, clGetKernelWorkGroupInfo, cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void *, size_t *) \
	CODE(1, clReleaseKernel, cl_kernel) \
	OBJECT(cl_event, 2, clCreateUserEvent, cl_context, cl_int *) \
	CODE(2, clSetUserEventStatus, cl_event, cl_int) \
	CODE(2, clWaitForEvents, cl_uint, const cl_event *) \
	CODE(5, clGetEventInfo, cl_event, cl_event_info, size_t, void *, size_t *) \
	CODE(5, clGetEventProfilingInfo, cl_event, cl_profiling_info, size_t, void *, size_t *) \
	CODE(1, clReleaseEvent, cl_event) \
	CODE(9, clEnqueueNDRangeKernel, cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint, const cl_event *, cl_event *) \
	CODE(5, clEnqueueTask, cl_command_queue, cl_kernel, cl_uint, const cl_event *, cl_event *) \
	CODE(9, clEnqueueReadBuffer, cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *) \
	CODE(9, clEnqueueWriteBuffer, cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, const cl_event *, cl_event *) \
	CODE(9, clEnqueueCopyBuffer, cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *) \
	CODE(9, clEnqueueFillBuffer, cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *) \
	CODE(11, clEnqueueReadImage, cl_command_queue, cl_mem, cl_bool, const size_t *, const size_t *, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *) \
	CODE(11, clEnqueueWriteImage, cl_command_queue, cl_mem, cl_bool, const size_t *, const size_t *, size_t, size_t, const void *, cl_uint, const cl_event *, cl_event *) \
	OBJECT(void *, 10, clEnqueueMapBuffer, cl_command_queue, cl_mem, cl_bool, cl_map_flags, size_t, size_t, cl_uint, const cl_event *, cl_event *, cl_int *) \
	OBJECT(void *, 12, clEnqueueMapImage, cl_command_queue, cl_mem, cl_bool, cl_map_flags, const size_t *, const size_t *, size_t *, size_t *, cl_uint, const cl_event *, cl_event *, cl_int *) \
	CODE(6, clEnqueueUnmapMemObject, cl_command_queue, cl_mem, void *, cl_uint, const cl_event *, cl_event *) \
	CODE(4, clEnqueueMarkerWithWaitList, cl_command_queue, cl_uint, const cl_event *, cl_event *) \
	CODE(4, clEnqueueBarrierWithWaitList, cl_command_queue, cl_uint, const cl_event *, cl_event *)

typedef void(CL_CALLBACK *context_notify)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *program_notify)(cl_program, void *);

// What find found; NULL is what the loader lacks, or there is no loader.
#define CODE(count, name, ...) cl_int(CL_API_CALL *name) P##count(__VA_ARGS__);
#define OBJECT(type, count, name, ...) type(CL_API_CALL *name) P##count(__VA_ARGS__);
static struct {
	FUNCTIONS(CODE, OBJECT)
} loaded;
#undef CODE
#undef OBJECT

// Why there is no loader, or "".
static char reason[512];

#ifdef _WIN32
#define FIND(library, name) (void *)GetProcAddress(library, name)
#else
#define FIND(library, name) dlsym(library, name)
#endif

// find finds the loader and its functions.
static void find(void)
{
#ifdef _WIN32
	HMODULE library = LoadLibraryExA("OpenCL.dll", NULL, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
	if (!library) {
		snprintf(reason, sizeof reason, "OpenCL.dll: error %lu of Windows", GetLastError());
		return;
	}
#else
	// An implementation may be in the process already, by LD_PRELOAD, as oclgrind is.
	void *library = RTLD_DEFAULT;
	if (!FIND(library, "clGetPlatformIDs")) {
		library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
		if (!library)
			snprintf(reason, sizeof reason, "%s", dlerror());
		if (!library)
			library = dlopen("libOpenCL.so", RTLD_NOW | RTLD_LOCAL);
		if (!library)
			return;
	}
#endif
	reason[0] = '\0';
#define CODE(count, name, ...) *(void **)&loaded.name = FIND(library, #name);
#define OBJECT(type, count, name, ...) *(void **)&loaded.name = FIND(library, #name);
	FUNCTIONS(CODE, OBJECT)
#undef CODE
#undef OBJECT
	if (!loaded.clGetPlatformIDs)
		snprintf(reason, sizeof reason, "it has no function clGetPlatformIDs");
}

// load calls find, once in a process.
#ifdef _WIN32
static BOOL CALLBACK find_once(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
	(void)once, (void)parameter, (void)context;
	find();
	return TRUE;
}
static void load(void)
{
	static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
	InitOnceExecuteOnce(&once, find_once, NULL, NULL);
}
#else
static void load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find);
}
#endif

// compute_load_opencl finds the loader, and returns NULL, or why there is none.
const char *compute_load_opencl(void)
{
	load();
	return reason[0] ? reason : NULL;
}

// Without a loader there is no platform, which is what it answers without a driver. Other
// code of the program may call these functions too, before this package does.
#define MISSING -1001 // CL_PLATFORM_NOT_FOUND_KHR

#define CODE(count, name, ...) \
	CL_API_ENTRY cl_int CL_API_CALL name P##count(__VA_ARGS__) \
	{ \
		load(); \
		return loaded.name ? loaded.name A##count : MISSING; \
	}
#define OBJECT(type, count, name, ...) \
	CL_API_ENTRY type CL_API_CALL name P##count(__VA_ARGS__) \
	{ \
		load(); \
		if (loaded.name) \
			return loaded.name A##count; \
		if (last) \
			*last = MISSING; \
		return NULL; \
	}
FUNCTIONS(CODE, OBJECT)
#undef CODE
#undef OBJECT
