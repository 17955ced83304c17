// The line below keeps this file out of the Go build; see peer.go for the protocol.
//go:build ignore

// OpenBLAS, with its best kernels: those that it chooses by itself are not, on processors that it
// does not know.

#include <dlfcn.h>

#include "peer.hpp"

struct openblas : peer {
	// cblas_sgemm, with 32-bit integers.
	void (*gemm)(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
		const float *b, int ldb, float beta, float *c, int ldc);

	openblas(void *gemm) { this->gemm = (decltype(this->gemm))gemm; }

	std::string operations() override { return ""; }

	void loaded() override {}

	void run(const std::string &operation, long calls) override {
		product p(operation);
		if (!p.valid) throw std::runtime_error("unknown operation " + operation);
		enum { rowMajor = 101, plain = 111, transposed = 112 };
		for (long i = 0; i < calls; i++)
			gemm(rowMajor, p.transposeA ? transposed : plain, p.transposeB ? transposed : plain, p.m, p.n, p.k, 1, x,
				p.transposeA ? p.m : p.k, dy, p.transposeB ? p.k : p.n, 0, y, p.n);
	}
};

int main() {
	try {
#ifdef __x86_64__
		if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
#endif
		setenv("OPENBLAS_NUM_THREADS", getenv("OMP_NUM_THREADS"), 1);
		void *library = dlopen("libopenblas.so.0", RTLD_NOW);
		void *gemm = library ? dlsym(library, "cblas_sgemm") : nullptr;
		auto config = library ? (char *(*)())dlsym(library, "openblas_get_config") : nullptr;
		auto core = library ? (char *(*)())dlsym(library, "openblas_get_corename") : nullptr;
		if (!gemm || !config || !core) throw std::runtime_error("not installed");
		std::string name = config();
		return openblas(gemm).serve(name.substr(0, name.find(' ', 9)) + " with the kernels of " + core());
	} catch (const std::exception &e) {
		peer::fail(e);
		return 1;
	}
}
