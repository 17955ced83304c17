"""PyTorch as a peer; see peer.go for the protocol."""

import ctypes
import os
import signal
import sys
import timeit

signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback for Ctrl-C


def say(line):
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


try:
    import torch
    import torch.nn.functional as F
except ImportError as e:
    say(f"failed {e}")
    sys.exit(1)

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_grad_enabled(False)  # as under torch.no_grad()

# Statements, so that no call of a Python function is timed. The first
# is what F.leaky_relu calls, with an output argument: torch.ops.aten.leaky_relu.out is the
# same kernel behind a dispatcher that takes a microsecond longer.
statements = {
    "forward": "leaky_relu(x, slope, out=y)",
    "fresh": "F.leaky_relu(x, slope)",
    "backward": "leaky_relu_backward(dy, x, slope, False, grad_input=y)",
    # From the output, so that the input need not be kept.
    "training": "(leaky_relu(x, slope, out=y), leaky_relu_backward(dy, y, slope, True, grad_input=g))[1]",
}

# Functions, by the names that this library has for them. A name with ".backward" is the
# gradient. Some need the output y0 of forward, which is kept from before.
aten = torch.ops.aten
functions = {
    "exp": "torch.exp(x, out=y)",
    "expm1": "torch.expm1(x, out=y)",
    "log": "torch.log(x, out=y)",
    "log1p": "torch.log1p(x, out=y)",
    "tanh": "torch.tanh(x, out=y)",
    "tanh.backward": "tanh_backward(dy, y0, grad_input=y)",
    "sigmoid": "torch.sigmoid(x, out=y)",
    "sigmoid.backward": "sigmoid_backward(dy, y0, grad_input=y)",
    "logSigmoid": "F.logsigmoid(x)",
    "erf": "torch.erf(x, out=y)",
    "softplus": "nn.softplus(x, out=y)",
    "softplus.backward": "softplus_backward(dy, x, 1, 20, grad_input=y)",
    "silu": "nn.silu(x, out=y)",
    "silu.backward": "silu_backward(dy, x, grad_input=y)",
    "gelu": "nn.gelu(x, out=y)",
    "gelu.backward": "gelu_backward(dy, x, grad_input=y)",
    "geluTanh": "nn.gelu(x, approximate='tanh', out=y)",
    "geluTanh.backward": "gelu_backward(dy, x, approximate='tanh', grad_input=y)",
    "mish": "nn.mish(x, out=y)",
    "mish.backward": "mish_backward(dy, x)",  # makes an output
    "softsign": "F.softsign(x)",  # likewise, as logsigmoid
}
statements.update(functions)

# The chain of chain.go, eager: one operation after the other.
chain = """(
    a := {x} * 0.75,
    b := a + 0.5,
    c := torch.clamp_min(torch.abs(torch.add({x}, b, alpha=0.5)), 0.25),
    d := torch.where({x} < 1, c, b) * 0.5,
    torch.mul(torch.add(b, d - a, alpha=0.5), 0.5, out={y}),
)[-1]"""
statements["chain"] = chain.format(x="x", y="y")
statements["chain_in_place"] = chain.format(x="z", y="z")
names = {
    "F": F,
    "torch": torch,
    "nn": torch._C._nn,
    "tanh_backward": aten.tanh_backward.grad_input,
    "sigmoid_backward": aten.sigmoid_backward.grad_input,
    "softplus_backward": aten.softplus_backward.grad_input,
    "silu_backward": aten.silu_backward.grad_input,
    "gelu_backward": aten.gelu_backward.grad_input,
    "mish_backward": aten.mish_backward.default,
    "leaky_relu": torch._C._nn.leaky_relu,
    "leaky_relu_backward": torch.ops.aten.leaky_relu_backward.grad_input,
}


def view(t):
    """The memory of a tensor, without NumPy."""
    return (ctypes.c_ubyte * (4 * t.numel())).from_address(t.data_ptr())


def receive(n):
    t = torch.empty(n)
    if sys.stdin.buffer.readinto(view(t)) != 4 * n:
        raise EOFError("values cut off")
    return t


def keep(request):
    """Computes the output of forward, for a gradient that needs it."""
    if "y0" in statements[request] and names.get("kept") != request:
        names["y0"] = None  # free the old memory first
        names.update(y0=eval(functions[request.removesuffix(".backward")], names).clone(), kept=request)


def main():
    say(f"ready PyTorch {torch.__version__}, called from Python {sys.version.split()[0]}")
    for line in sys.stdin.buffer:
        request, *args = line.decode().split()
        if request == "load":
            for name in "x", "dy", "y", "g", "z", "y0", "kept":  # free the old memory first
                names.pop(name, None)
            n = int(args[0])
            names.update(x=receive(n), dy=receive(n), y=torch.empty(n), g=torch.empty(n), slope=float(args[1]))
            names["z"] = names["x"].clone()
            say("ok")
        elif request == "operations":
            say(" ".join(functions))
        elif request == "result":
            keep(args[0])
            names["y"].fill_(float("nan"))  # to detect elements that are not written
            names["z"].copy_(names["x"])
            result = eval(statements[args[0]], names)
            for name in "abcd":  # temporaries of the chain
                names.pop(name, None)
            sys.stdout.buffer.write(view(result))
            sys.stdout.buffer.flush()
        else:
            calls = int(args[0])
            keep(request)
            timer = timeit.Timer(statements[request], globals=names)
            timer.timeit(1 + calls // 4)  # untimed, see contest.go
            say(repr(timer.timeit(calls) * 1e9 / calls))


try:
    main()
except Exception as e:
    say(f"failed {type(e).__name__}: {' '.join(str(e).split())}")
    sys.exit(1)
