"""numexpr as a peer; see peer.go for the protocol. It computes the chain of chain.go."""

import os
import signal
import sys
import timeit

signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback for Ctrl-C


def say(line):
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


try:
    import numexpr as ne
    import numpy as np
except ImportError as e:
    say(f"failed {e}")
    sys.exit(1)

ne.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

# The constants are variables, since those in an expression are double. It has no fma and no
# max of two, and finds common subexpressions itself.
constants = {"k": np.float32(0.75), "h": np.float32(0.5), "q": np.float32(0.25), "one": np.float32(1)}
a = "(k*x)"
b = f"({a} + h)"
t = f"abs({b}*h + x)"
c = f"where({t} > q, {t}, q)"
d = f"where(x < one, {c}, {b})*h"
chain = f"(({d} - {a})*h + {b})*h"

operands = {}  # of a request: the input and the output


def evaluate(request):
    x, y = operands[request]
    return ne.evaluate(chain, {"x": x, **constants}, {}, out=y)


def receive(n):
    v = np.empty(n, np.float32)
    if sys.stdin.buffer.readinto(v.view(np.uint8)) != v.nbytes:
        raise EOFError("values cut off")
    return v


def main():
    say(f"ready numexpr {ne.__version__}")
    for line in sys.stdin.buffer:
        request, *args = line.decode().split()
        if request == "load":
            operands.clear()  # free the old memory first
            n = int(args[0])
            x, _ = receive(n), receive(n)
            z = x.copy()
            operands.update(chain=(x, np.empty_like(x)), chain_in_place=(z, z))
            say("ok")
        elif request == "result":
            operands["chain"][1].fill(np.nan)  # to detect elements that are not written
            np.copyto(operands["chain_in_place"][0], operands["chain"][0])
            sys.stdout.buffer.write(evaluate(args[0]).tobytes())
            sys.stdout.buffer.flush()
        else:
            calls = int(args[0])
            evaluate(request)  # what re_evaluate repeats, without parsing
            names = {"re_evaluate": ne.re_evaluate, "names": {"x": operands[request][0], **constants}}
            timer = timeit.Timer("re_evaluate(names)", globals=names)
            timer.timeit(1 + calls // 4)  # untimed, see contest.go
            say(repr(timer.timeit(calls) * 1e9 / calls))


try:
    main()
except Exception as e:
    say(f"failed {type(e).__name__}: {' '.join(str(e).split())}")
    sys.exit(1)
