// An OpenCL layer that makes every device answer queries as another one would. The
// loader puts it between itself and the driver when OPENCL_LAYERS names it.
// COMPUTE_DEVICE_ANSWERS lists what differs, such as
//
//	type=gpu,unified=0,cache=1048576,group=64,alloc=134217728,fp64=0,denorm=0,name=Voodoo
//
//	type     cpu, gpu or accelerator
//	unified  0 or 1: CL_DEVICE_HOST_UNIFIED_MEMORY
//	memory   bytes of memory
//	cache    bytes of cache; 0: there is none
//	group    most work-items in a work-group
//	kernel   most work-items in a work-group of any kernel that is built
//	alloc    most bytes in a buffer
//	fp64     0: no double precision
//	denorm   0: no subnormal numbers
//	divide   0: no division and square root that are rounded to nearest
//	params   most bytes of arguments of a kernel
//	name, vendor  without a comma
//
// What is not listed is answered by the driver. Limits are kept: a launch or a buffer
// beyond them fails as it would on the other device.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_layer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CL_DEVICE_DOUBLE_FP_CONFIG // of OpenCL 1.2, which has it as an extension
#define CL_DEVICE_DOUBLE_FP_CONFIG 0x1032
#endif

static struct _cl_icd_dispatch layer, target;

// answer copies what COMPUTE_DEVICE_ANSWERS has for key into text, and reports
// whether it has anything.
static int answer(const char *key, char text[256])
{
	const char *list = getenv("COMPUTE_DEVICE_ANSWERS");
	size_t length = strlen(key);
	while (list && *list) {
		size_t item = strcspn(list, ",");
		if (item > length && strncmp(list, key, length) == 0 && list[length] == '=') {
			snprintf(text, 256, "%.*s", (int)(item - length - 1), list + length + 1);
			return 1;
		}
		list += item + (list[item] == ',');
	}
	return 0;
}

// number is answer for a number.
static int number(const char *key, cl_ulong *n)
{
	char text[256];
	if (!answer(key, text))
		return 0;
	*n = strtoull(text, NULL, 10);
	return 1;
}

// zero reports whether the answer for key is 0.
static int zero(const char *key)
{
	cl_ulong n;
	return number(key, &n) && n == 0;
}

// type reports whether there is an answer for the type of the device.
static int type(cl_ulong *bits)
{
	char text[256];
	if (!answer("type", text))
		return 0;
	*bits = strcmp(text, "gpu") == 0 ? CL_DEVICE_TYPE_GPU :
		strcmp(text, "accelerator") == 0 ? CL_DEVICE_TYPE_ACCELERATOR : CL_DEVICE_TYPE_CPU;
	return 1;
}

// give answers a query by length bytes.
static cl_int give(const void *bytes, size_t length, size_t size, void *value, size_t *needs)
{
	if (value && size < length)
		return CL_INVALID_VALUE;
	if (value)
		memcpy(value, bytes, length);
	if (needs)
		*needs = length;
	return CL_SUCCESS;
}

// without removes a word from a list of words.
static void without(char *words, const char *word)
{
	size_t length = strlen(word);
	for (char *at = words; (at = strstr(at, word));) {
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			memmove(at, at + length, strlen(at + length) + 1);
		else
			at += length;
	}
}

static cl_int extensions(cl_device_id device, size_t size, void *value, size_t *needs)
{
	size_t length;
	cl_int err = target.clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, 0, NULL, &length);
	if (err != CL_SUCCESS)
		return err;
	char words[length + 1];
	err = target.clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, length, words, NULL);
	if (err != CL_SUCCESS)
		return err;
	words[length] = 0;
	without(words, "cl_khr_fp64");
	return give(words, strlen(words) + 1, size, value, needs);
}

static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value, size_t *needs)
{
	char text[256];
	cl_ulong n;
	switch (what) {
	case CL_DEVICE_TYPE:
		if (type(&n))
			return give(&n, sizeof n, size, value, needs);
		break;
	case CL_DEVICE_NAME:
		if (answer("name", text))
			return give(text, strlen(text) + 1, size, value, needs);
		break;
	case CL_DEVICE_VENDOR:
		if (answer("vendor", text))
			return give(text, strlen(text) + 1, size, value, needs);
		break;
	case CL_DEVICE_HOST_UNIFIED_MEMORY:
		if (number("unified", &n)) {
			cl_bool unified = n != 0;
			return give(&unified, sizeof unified, size, value, needs);
		}
		break;
	case CL_DEVICE_GLOBAL_MEM_SIZE:
		if (number("memory", &n))
			return give(&n, sizeof n, size, value, needs);
		break;
	case CL_DEVICE_GLOBAL_MEM_CACHE_SIZE:
		if (number("cache", &n))
			return give(&n, sizeof n, size, value, needs);
		break;
	case CL_DEVICE_GLOBAL_MEM_CACHE_TYPE:
		if (number("cache", &n)) {
			cl_device_mem_cache_type cache = n == 0 ? CL_NONE : CL_READ_WRITE_CACHE;
			return give(&cache, sizeof cache, size, value, needs);
		}
		break;
	case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
		if (number("alloc", &n))
			return give(&n, sizeof n, size, value, needs);
		break;
	case CL_DEVICE_MAX_WORK_GROUP_SIZE:
		if (number("group", &n)) {
			size_t group = n;
			return give(&group, sizeof group, size, value, needs);
		}
		break;
	case CL_DEVICE_MAX_WORK_ITEM_SIZES:
		if (number("group", &n)) {
			size_t sizes[3] = {n, n, n}; // of the 3 dimensions that OpenCL demands
			return give(sizes, sizeof sizes, size, value, needs);
		}
		break;
	case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
		if (number("group", &n)) {
			cl_uint dimensions = 3;
			return give(&dimensions, sizeof dimensions, size, value, needs);
		}
		break;
	case CL_DEVICE_MAX_PARAMETER_SIZE:
		if (number("params", &n)) {
			size_t params = n;
			return give(&params, sizeof params, size, value, needs);
		}
		break;
	case CL_DEVICE_EXTENSIONS:
		if (zero("fp64"))
			return extensions(device, size, value, needs);
		break;
	case CL_DEVICE_DOUBLE_FP_CONFIG:
		if (zero("fp64")) {
			cl_device_fp_config none = 0;
			return give(&none, sizeof none, size, value, needs);
		}
		break;
	case CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE:
	case CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE:
		if (zero("fp64")) {
			cl_uint none = 0;
			return give(&none, sizeof none, size, value, needs);
		}
		break;
	case CL_DEVICE_SINGLE_FP_CONFIG:
		if (zero("denorm") || zero("divide")) {
			cl_device_fp_config config;
			cl_int err = target.clGetDeviceInfo(device, what, sizeof config, &config, NULL);
			if (err != CL_SUCCESS)
				return err;
			if (zero("denorm"))
				config &= ~(cl_device_fp_config)CL_FP_DENORM;
			if (zero("divide"))
				config &= ~(cl_device_fp_config)CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
			return give(&config, sizeof config, size, value, needs);
		}
		break;
	}
	return target.clGetDeviceInfo(device, what, size, value, needs);
}

// my_clGetDeviceIDs lists all devices of a platform where the type asked for is the
// one that they answer.
static cl_int CL_API_CALL my_clGetDeviceIDs(cl_platform_id platform, cl_device_type asked, cl_uint size, cl_device_id *devices, cl_uint *count)
{
	cl_ulong bits;
	if (!type(&bits) || asked == CL_DEVICE_TYPE_ALL)
		return target.clGetDeviceIDs(platform, asked, size, devices, count);
	if (!(asked & (bits | CL_DEVICE_TYPE_DEFAULT)))
		return CL_DEVICE_NOT_FOUND;
	return target.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, size, devices, count);
}

// groupLimit returns the most work-items in a work-group of a kernel, at most real.
static size_t groupLimit(size_t real)
{
	cl_ulong n;
	if (number("group", &n) && n < real)
		real = n;
	if (number("kernel", &n) && n < real)
		real = n;
	return real;
}

static cl_int CL_API_CALL my_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *value, size_t *needs)
{
	if (what != CL_KERNEL_WORK_GROUP_SIZE)
		return target.clGetKernelWorkGroupInfo(kernel, device, what, size, value, needs);
	size_t group;
	cl_int err = target.clGetKernelWorkGroupInfo(kernel, device, what, sizeof group, &group, NULL);
	if (err != CL_SUCCESS)
		return err;
	group = groupLimit(group);
	return give(&group, sizeof group, size, value, needs);
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global, const size_t *local, cl_uint count, const cl_event *waits, cl_event *event)
{
	size_t group = 1;
	for (cl_uint i = 0; local && i < dimensions; i++)
		group *= local[i];
	if (group > groupLimit(group))
		return CL_INVALID_WORK_GROUP_SIZE;
	return target.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, waits, event);
}

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *err)
{
	cl_ulong most;
	if (number("alloc", &most) && size > most) {
		if (err)
			*err = CL_INVALID_BUFFER_SIZE;
		return NULL;
	}
	return target.clCreateBuffer(context, flags, size, host, err);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *needs)
{
	cl_layer_api_version version = CL_LAYER_API_VERSION_100;
	if (what != CL_LAYER_API_VERSION)
		return CL_INVALID_VALUE;
	return give(&version, sizeof version, size, value, needs);
}

// clInitLayer passes on what the layer has no function for.
CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *below, cl_uint *filled, const cl_icd_dispatch **functions)
{
	if (count > sizeof layer / sizeof(void *))
		count = sizeof layer / sizeof(void *);
	memcpy(&target, below, count * sizeof(void *));
	memcpy(&layer, below, count * sizeof(void *));
	layer.clGetDeviceInfo = my_clGetDeviceInfo;
	layer.clGetDeviceIDs = my_clGetDeviceIDs;
	layer.clGetKernelWorkGroupInfo = my_clGetKernelWorkGroupInfo;
	layer.clEnqueueNDRangeKernel = my_clEnqueueNDRangeKernel;
	layer.clCreateBuffer = my_clCreateBuffer;
	*filled = count;
	*functions = &layer;
	return CL_SUCCESS;
}
