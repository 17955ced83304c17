// The line below keeps this file out of the Go build.
//go:build ignore

// What the peers in C++ share: the protocol of peer.go.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

// A product is an operation on matrices: y, of m rows and n columns, is that of x and dy. Its name
// is as "tn-8-16-32": whether x and dy are transposed, m, k and n.
struct product {
	int m, k, n;
	bool transposeA, transposeB, valid;

	product(const std::string &operation) {
		char a, b, rest;
		valid = std::sscanf(operation.c_str(), "%c%c-%d-%d-%d%c", &a, &b, &m, &k, &n, &rest) == 5;
		transposeA = a == 't', transposeB = b == 't';
	}
};

struct peer {
	size_t n = 0;
	float slope = 0;
	float *x = nullptr, *dy = nullptr, *y = nullptr; // y has the results

	virtual std::string operations() = 0; // besides those on LeakyReLU
	virtual void loaded() = 0; // n, slope and the arrays are others
	virtual void run(const std::string &operation, long calls) = 0; // into y

	int serve(const std::string &name) {
		std::printf("ready %s\n", name.c_str());
		std::fflush(stdout);
		try {
			char line[256];
			while (std::fgets(line, sizeof line, stdin)) {
				answer(line);
				std::fflush(stdout);
			}
		} catch (const std::exception &e) {
			fail(e);
			return 1;
		}
		return 0;
	}

	// fail answers that the peer cannot go on.
	static void fail(const std::exception &e) {
		std::string reason = e.what();
		std::replace(reason.begin(), reason.end(), '\n', ' ');
		std::printf("failed %s\n", reason.c_str());
	}

private:
	void answer(const char *line) {
		char name[64];
		long calls;
		if (std::sscanf(line, "load %zu %g", &n, &slope) == 2) {
			for (float **p : {&x, &dy, &y}) std::free(*p); // first
			for (float **p : {&x, &dy, &y}) {
				*p = (float *)std::aligned_alloc(64, (4 * n + 63) / 64 * 64);
				if (!*p) throw std::bad_alloc();
			}
			for (float *p : {x, dy})
				if (std::fread(p, 4, n, stdin) != n) throw std::runtime_error("values cut off");
			loaded();
			std::printf("ok\n");
		} else if (std::string(line) == "operations\n") {
			std::printf("%s\n", operations().c_str());
		} else if (std::sscanf(line, "result %63s", name) == 1) {
			std::fill(y, y + n, NAN); // to detect elements that are not written
			run(name, 1);
			std::fwrite(y, 4, n, stdout);
		} else if (std::sscanf(line, "%63s %ld", name, &calls) == 2) {
			run(name, 1 + calls / 4); // untimed, see contest.go
			auto start = std::chrono::steady_clock::now();
			run(name, calls);
			std::chrono::duration<double, std::nano> d = std::chrono::steady_clock::now() - start;
			std::printf("%.17g\n", d.count() / calls);
		} else {
			throw std::runtime_error(std::string("unknown request ") + line);
		}
	}
};
