// The line below keeps this file out of the Go build; see peer.go for the protocol.
//go:build ignore

// ONNX Runtime, by models of one node. The package of npm has the library and no header, so
// the part of the C API that is used is declared here.

#include <dlfcn.h>

#include <cstdint>
#include <map>
#include <vector>

#include "peer.hpp"

// The C API is a table of functions, which only grows at its end. These are the indices of
// those used, in the documented order of OrtApi.
enum {
	GetErrorMessage = 2,
	CreateEnv = 3,
	CreateSessionFromArray = 8,
	Run = 9,
	CreateSessionOptions = 10,
	SetIntraOpNumThreads = 24,
	CreateTensorWithDataAsOrtValue = 49,
	CreateCpuMemoryInfo = 69,
	ReleaseStatus = 93,
	ReleaseSession = 95,
	ReleaseValue = 96,
};

typedef void *const api; // an OrtApi is an array of functions

struct api_base {
	api *(*get)(uint32_t version);
	const char *(*version)();
};

// A function of the API returns null, or a status with the reason why it failed. All its
// parameters are given the types that the API has.
template <class... T> static void call(api *ort, int function, T... args) {
	void *status = ((void *(*)(T...))ort[function])(args...);
	if (!status) return;
	std::string reason = ((const char *(*)(void *))ort[GetErrorMessage])(status);
	((void (*)(void *))ort[ReleaseStatus])(status);
	throw std::runtime_error(reason);
}

// A model is a message of Protocol Buffers, made of fields: a number with the type, and an
// integer, or a length and as many bytes.
static std::string integer(size_t n) {
	std::string s;
	for (; n >= 128; n >>= 7) s += (char)(n | 128);
	return s + (char)n;
}

static std::string field(int number, int value) { return integer(number << 3) + integer(value); }

static std::string field(int number, const std::string &content) {
	return integer(number << 3 | 2) + integer(content.size()) + content;
}

// The functions of this library that ONNX has, with the node. Swish is SiLU; its parameter and
// that of Gelu are the default ones.
struct node {
	std::string op, attribute; // the attribute as it is in the file, or ""
};

static const std::map<std::string, node> functions = {
	{"exp", {"Exp", ""}},
	{"log", {"Log", ""}},
	{"tanh", {"Tanh", ""}},
	{"sigmoid", {"Sigmoid", ""}},
	{"erf", {"Erf", ""}},
	{"softplus", {"Softplus", ""}},
	{"softsign", {"Softsign", ""}},
	{"silu", {"Swish", ""}},
	{"gelu", {"Gelu", ""}},
	{"geluTanh", {"Gelu", field(1, "approximate") + field(4, "tanh") + field(20, 3)}}, // a string
	{"mish", {"Mish", ""}},
};

// model returns the model y = op(x) for one-dimensional float32 x.
static std::string model(const node &f) {
	const int ir = 10, opset = 24; // the first with Swish
	std::string dimension = field(1, field(2, "n")), type = field(2, field(1, field(1, 1) + field(2, dimension)));
	std::string n = field(1, "x") + field(2, "y") + field(4, f.op) + (f.attribute.empty() ? "" : field(5, f.attribute));
	std::string graph = field(1, n) + field(2, "f") + field(11, field(1, "x") + type) + field(12, field(1, "y") + type);
	return field(1, ir) + field(7, graph) + field(8, field(1, "") + field(2, opset));
}

// model returns the model of a product of matrices.
static std::string model(const product &p) {
	auto matrix = [](const char *name, int rows, int columns) {
		std::string shape = field(1, field(1, rows)) + field(1, field(1, columns));
		return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)));
	};
	auto transposed = [](const char *name, bool is) { return field(5, field(1, name) + field(3, is) + field(20, 2)); }; // an integer
	std::string n = field(1, "a") + field(1, "b") + field(2, "c") + field(4, "Gemm") + transposed("transA", p.transposeA) + transposed("transB", p.transposeB);
	std::string a = p.transposeA ? matrix("a", p.k, p.m) : matrix("a", p.m, p.k), b = p.transposeB ? matrix("b", p.n, p.k) : matrix("b", p.k, p.n);
	std::string graph = field(1, n) + field(2, "f") + field(11, a) + field(11, b) + field(12, matrix("c", p.m, p.n));
	return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13));
}

struct onnxruntime : peer {
	api *ort;
	void *env = nullptr, *options = nullptr, *cpu = nullptr, *in = nullptr, *out = nullptr;
	std::string last; // the product of the session
	void *session = nullptr, *matrices[3] = {};
	std::map<std::string, void *> sessions;

	onnxruntime(api *ort) : ort(ort) {
		const int error = 3, arena = 1, standard = 0; // of the enumerations of the API
		call(ort, CreateEnv, error, "peer", &env);
		call(ort, CreateSessionOptions, &options);
		call(ort, SetIntraOpNumThreads, options, std::atoi(std::getenv("OMP_NUM_THREADS")));
		call(ort, CreateCpuMemoryInfo, arena, standard, &cpu);
		for (auto &f : functions) {
			std::string m = model(f.second);
			try {
				call(ort, CreateSessionFromArray, env, (const void *)m.data(), m.size(), options, &sessions[f.first]);
			} catch (const std::exception &e) {
				std::fprintf(stderr, "ONNX Runtime has no %s: %s\n", f.second.op.c_str(), e.what());
				sessions.erase(f.first);
			}
		}
	}

	std::string operations() override {
		std::string list;
		for (auto &s : sessions) list += s.first + " ";
		return list;
	}

	// tensor makes v the values of a matrix.
	void tensor(void **v, float *values, int64_t rows, int64_t columns) {
		const int float32 = 1;
		int64_t shape[] = {rows, columns};
		if (*v) ((void (*)(void *))ort[ReleaseValue])(*v);
		call(ort, CreateTensorWithDataAsOrtValue, cpu, (void *)values, (size_t)(4 * rows * columns), (const int64_t *)shape, (size_t)2, float32, v);
	}

	void multiply(const product &p, const std::string &operation, long calls) {
		if (last != operation) {
			if (session) ((void (*)(void *))ort[ReleaseSession])(session);
			session = nullptr;
			std::string m = model(p);
			call(ort, CreateSessionFromArray, env, (const void *)m.data(), m.size(), options, &session);
			last = operation;
		}
		if (!matrices[0]) {
			p.transposeA ? tensor(&matrices[0], x, p.k, p.m) : tensor(&matrices[0], x, p.m, p.k);
			p.transposeB ? tensor(&matrices[1], dy, p.n, p.k) : tensor(&matrices[1], dy, p.k, p.n);
			tensor(&matrices[2], y, p.m, p.n);
		}
		const char *inputs[] = {"a", "b"}, *outputs[] = {"c"};
		for (long i = 0; i < calls; i++)
			call(ort, Run, session, (void *)nullptr, inputs, matrices, (size_t)2, outputs, (size_t)1, &matrices[2]);
	}

	void loaded() override {
		for (void *&v : matrices) { // of other memory
			if (v) ((void (*)(void *))ort[ReleaseValue])(v);
			v = nullptr;
		}
		int64_t shape = n;
		const int float32 = 1;
		for (void **v : {&in, &out}) {
			if (*v) ((void (*)(void *))ort[ReleaseValue])(*v);
			call(ort, CreateTensorWithDataAsOrtValue, cpu, (void *)(v == &in ? x : y), 4 * n, &shape, (size_t)1, float32, v);
		}
	}

	void run(const std::string &operation, long calls) override {
		if (product p(operation); p.valid) return multiply(p, operation, calls);
		auto s = sessions.find(operation);
		if (s == sessions.end()) throw std::runtime_error("unknown operation " + operation);
		const char *inputs[] = {"x"}, *outputs[] = {"y"};
		for (long i = 0; i < calls; i++)
			call(ort, Run, s->second, (void *)nullptr, inputs, &in, (size_t)1, outputs, (size_t)1, &out);
	}
};

int main(int argc, char **argv) {
	try {
		void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : nullptr;
		void *symbol = library ? dlsym(library, "OrtGetApiBase") : nullptr;
		if (!symbol) throw std::runtime_error("not installed");
		auto *base = ((const api_base *(*)())symbol)();
		api *ort = base->get(1);
		if (!ort) throw std::runtime_error("another API");
		return onnxruntime(ort).serve(std::string("ONNX Runtime ") + base->version());
	} catch (const std::exception &e) {
		peer::fail(e);
		return 1;
	}
}
