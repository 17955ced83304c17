"""ONNX's LeakyRelu as a peer, by the NumPy expression of ONNX's backend test. It has the
requests load and result of the protocol in peer.go."""

import sys


def say(line):
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


try:
    import numpy as np
except ImportError as e:
    say(f"failed {e}")
    sys.exit(1)


def receive(n):
    v = np.empty(n, np.float32)
    if sys.stdin.buffer.readinto(v.view(np.uint8)) != v.nbytes:
        raise EOFError("values cut off")
    return v


def main():
    say(f"ready ONNX by NumPy {np.__version__}")
    np.seterr(all="ignore")  # infinities and NaNs are intended
    for line in sys.stdin.buffer:
        request, *args = line.decode().split()
        if request == "load":
            n = int(args[0])
            x, _ = receive(n), receive(n)
            alpha = np.float32(args[1])  # the attribute is a float32
            say("ok")
        elif (request, *args) == ("result", "forward"):
            y = np.clip(x, 0, np.inf) + np.clip(x, -np.inf, 0) * alpha
            sys.stdout.buffer.write(y.tobytes())
            sys.stdout.buffer.flush()
        else:
            raise ValueError(f"cannot {line.decode().strip()}")


try:
    main()
except Exception as e:
    say(f"failed {type(e).__name__}: {' '.join(str(e).split())}")
    sys.exit(1)
