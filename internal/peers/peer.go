package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// A peer is another library in a process of its own. Between samples it waits for input,
// and uses no processor time. A request is one line:
//
//	load N SLOPE   followed by N values of x and N of dy, in binary; the answer is "ok"
//	OP CALLS       answers with the time of one call in ns, the mean of that many calls
//	result OP      answers with the result of OP: N values, in binary
//	operations     answers with the names of the operations on functions, separated by spaces
//
// Its first line is "ready NAME". If it fails, it answers "failed REASON" and exits. It exits
// at the end of its input, too.
type peer struct {
	name string // "" if it was never ready
	err  error  // why it cannot be used

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startPeer starts a command. It sets err of the peer if that fails.
func startPeer(command []string) *peer {
	p := &peer{cmd: exec.Command(command[0], command[1:]...)}
	if p.err = p.start(); p.err == nil {
		p.name, p.err = p.answer("ready ")
	}
	return p
}

func (p *peer) start() (err error) {
	// As many threads as Go uses. Nothing else is set: the threads of OpenMP spin as long as
	// they do for any user.
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.GOMAXPROCS(0)))
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		p.cmd.Process = nil
		return errors.New("not installed")
	}
	return nil
}

func (p *peer) stop() {
	if p.cmd.Process != nil {
		p.in.Close()
		p.cmd.Wait() // err has the reason, if it failed
	}
}

// answer returns the next line without prefix.
func (p *peer) answer(prefix string) (string, error) {
	line, err := p.out.ReadString('\n')
	line = strings.TrimSpace(line)
	if reason, ok := strings.CutPrefix(line, "failed "); ok {
		return "", errors.New(reason)
	}
	if err != nil {
		return "", fmt.Errorf("ended: %w", err)
	}
	text, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return "", fmt.Errorf("answered %q", line)
	}
	return text, nil
}

func (p *peer) load(slope float32, x, dy []float32) error {
	if p.err != nil {
		return p.err
	}
	_, err := fmt.Fprintf(p.in, "load %d %v\n", len(x), slope)
	if err == nil {
		_, err = p.in.Write(bytesOf(x))
	}
	if err == nil {
		_, err = p.in.Write(bytesOf(dy))
	}
	// If a peer fails, its answer is better than the error of writing to it.
	_, failed := p.answer("ok")
	p.err = failed
	if failed == nil {
		p.err = err
	}
	return p.err
}

func (p *peer) time(op string, calls int) (ns float64, err error) {
	if p.err != nil {
		return 0, p.err
	}
	fmt.Fprintf(p.in, "%s %d\n", op, calls) // if that fails, so does answer
	text, err := p.answer("")
	if err == nil {
		ns, err = strconv.ParseFloat(text, 64)
	}
	p.err = err
	return ns, err
}

func (p *peer) result(op string, dst []float32) error {
	if p.err != nil {
		return p.err
	}
	fmt.Fprintf(p.in, "result %s\n", op)
	_, p.err = io.ReadFull(p.out, bytesOf(dst))
	return p.err
}

// operations returns the names of the operations on functions: a function such as tanh, or its
// gradient, as tanh.backward.
func (p *peer) operations() []string {
	if p.err != nil {
		return nil
	}
	fmt.Fprintln(p.in, "operations")
	var text string
	text, p.err = p.answer("")
	return strings.Fields(text)
}

// bytesOf returns the bytes of v.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}
