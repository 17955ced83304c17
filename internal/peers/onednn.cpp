// The line below keeps this file out of the Go build; see peer.go for the protocol.
//go:build ignore

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

using namespace dnnl;

// A call is a primitive and its arguments, made once, as oneDNN recommends.
struct call {
	primitive op;
	std::unordered_map<int, memory> args;
	memory dst;

	void run(stream &s, long calls) {
		for (long i = 0; i < calls; i++) {
			op.execute(s, args);
			s.wait(); // as a user who needs the result does
		}
	}
};

static void receive(memory &m, size_t n) {
	if (std::fread(m.get_data_handle(), 4, n, stdin) != n) throw std::runtime_error("values cut off");
}

int main() {
	try {
		engine cpu(engine::kind::cpu, 0);
		stream s(cpu);
		const version_t *v = version();
		std::printf("ready oneDNN %d.%d.%d\n", v->major, v->minor, v->patch);
		std::fflush(stdout);

		call forward, backward;
		auto run = [&](const char *name, long calls) {
			if (!std::strcmp(name, "forward")) forward.run(s, calls);
			else if (!std::strcmp(name, "backward")) backward.run(s, calls);
			else for (long i = 0; i < calls; i++) { // training
				forward.run(s, 1);
				backward.run(s, 1);
			}
		};
		size_t n = 0;
		char line[256];
		while (std::fgets(line, sizeof line, stdin)) {
			char name[64];
			long calls;
			float slope;
			if (std::sscanf(line, "load %zu %g", &n, &slope) == 2) {
				forward = backward = call(); // free the old memory first
				memory::desc md({(memory::dim)n}, memory::data_type::f32, memory::format_tag::a);
				memory x(md, cpu), dy(md, cpu), dst(md, cpu);
				receive(x, n);
				receive(dy, n);
				// For training, as the backward primitive requires.
				eltwise_forward::primitive_desc f({prop_kind::forward_training, algorithm::eltwise_relu, md, slope}, cpu);
				eltwise_backward::primitive_desc b({algorithm::eltwise_relu, md, md, slope}, cpu, f);
				forward = {eltwise_forward(f), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, dst}}, dst};
				backward = {eltwise_backward(b), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dst}}, dst};
				std::printf("ok\n");
			} else if (std::sscanf(line, "result %63s", name) == 1) {
				float *y = (float *)(std::strcmp(name, "forward") ? backward : forward).dst.get_data_handle();
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
			std::fflush(stdout);
		}
	} catch (const std::exception &e) {
		std::printf("failed %s\n", e.what());
		return 1;
	}
}
