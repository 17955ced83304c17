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

// A peer is another library in a process of its own. It waits on standard input,
// so between its turns it costs nothing. A request is one line:
//
//	load N SLOPE   then N values of x and N of dy, as they lie in memory: "ok"
//	OP CALLS       the nanoseconds that one of so many calls took, untimed ones before
//	result OP      what OP computes: N values, as they lie in memory
//
// Its first line is "ready NAME". If it cannot go on, it says "failed REASON" instead
// of an answer and ends, as it does at the end of its input.
type peer struct {
	name string // "" if it never was ready
	err  error  // why it is of no use (any more)

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startPeer starts a command; err of the peer tells whether that went well.
func startPeer(command []string) *peer {
	p := &peer{cmd: exec.Command(command[0], command[1:]...)}
	if p.err = p.start(); p.err == nil {
		p.name, p.err = p.answer("ready ")
	}
	return p
}

func (p *peer) start() (err error) {
	// As many threads as Go uses. Nothing else is set: the threads of OpenMP spin for
	// their next work as long as they do for any user.
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
		p.cmd.Wait() // how it ended says nothing that err does not
	}
}

// answer returns what follows prefix in the next line.
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
	// A peer that fails ends its input, and its answer says more than that.
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
	fmt.Fprintf(p.in, "%s %d\n", op, calls) // an error shows in the answer
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

// bytesOf returns the memory of v.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}
