// The line below keeps this file out of the Go build; see peer.go for the protocol.
//go:build ignore

#include <map>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

#include "peer.hpp"

using namespace dnnl;

// The functions of this library that oneDNN has, by their names here. Those with a parameter
// have it 1.
static const std::map<std::string, algorithm> functions = {
	{"exp", algorithm::eltwise_exp},
	{"log", algorithm::eltwise_log},
	{"tanh", algorithm::eltwise_tanh},
	{"sigmoid", algorithm::eltwise_logistic},
	{"logSigmoid", algorithm::eltwise_logsigmoid},
	{"softplus", algorithm::eltwise_soft_relu},
	{"silu", algorithm::eltwise_swish},
	{"gelu", algorithm::eltwise_gelu_erf},
	{"geluTanh", algorithm::eltwise_gelu_tanh},
	{"mish", algorithm::eltwise_mish},
};

// A call is a primitive and its arguments, made once, as oneDNN recommends.
struct call {
	primitive op;
	std::unordered_map<int, memory> args;
};

struct onednn : peer {
	engine cpu{engine::kind::cpu, 0};
	stream s{cpu};
	std::map<std::string, call> made;

	std::string operations() override {
		std::string list;
		for (auto &f : functions) list += f.first + " " + f.first + ".backward ";
		return list;
	}

	void loaded() override { made.clear(); }

	void run(const std::string &operation, long calls) override {
		if (operation == "training") {
			call &f = get("forward"), &b = get("backward");
			for (long i = 0; i < calls; i++) {
				execute(f);
				execute(b);
			}
			return;
		}
		call &c = get(operation);
		for (long i = 0; i < calls; i++) execute(c);
	}

	void execute(call &c) {
		c.op.execute(s, c.args);
		s.wait(); // as a user who needs the result does
	}

	call &get(const std::string &operation) {
		auto found = made.find(operation);
		if (found == made.end()) found = made.emplace(operation, make(operation)).first;
		return found->second;
	}

	call make(const std::string &operation) {
		memory::desc md({(memory::dim)n}, memory::data_type::f32, memory::format_tag::a);
		memory in(md, cpu, x), gradient(md, cpu, dy), out(md, cpu, y);
		auto dot = operation.find('.');
		auto f = functions.find(operation.substr(0, dot));
		bool leaky = operation == "forward" || operation == "backward";
		if (!leaky && f == functions.end()) throw std::runtime_error("unknown operation " + operation);
		algorithm a = leaky ? algorithm::eltwise_relu : f->second;
		float alpha = leaky ? slope : 1;
		// For training, as the backward primitive requires.
		eltwise_forward::primitive_desc forward({prop_kind::forward_training, a, md, alpha}, cpu);
		if (operation == "forward" || (!leaky && dot == std::string::npos))
			return {eltwise_forward(forward), {{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}}};
		eltwise_backward::primitive_desc backward({a, md, md, alpha}, cpu, forward);
		return {eltwise_backward(backward), {{DNNL_ARG_SRC, in}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, out}}};
	}
};

int main() {
	const version_t *v = version();
	char name[64];
	std::snprintf(name, sizeof name, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
	try {
		return onednn().serve(name);
	} catch (const std::exception &e) {
		peer::fail(e);
		return 1;
	}
}
