package main

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/gmind-go/compute"
)

// A course is how a network learns.
type course struct {
	epochs int // how often it sees all images, in another order each time
	steps  int // the most steps in all; 0 for no limit
	batch  int // images in a step
	rate   float32
	seed   uint32
}

var standard = course{epochs: 30, batch: 64, rate: 0.002, seed: 1}

// A result is what came of a course.
type result struct {
	losses     []float32 // mean cross-entropy of each step
	accuracies []float32 // of each epoch, with the images of the test
	hash       string    // SHA-256 of the weights
}

// stepsPerEpoch leaves out what is less than a batch.
func (c course) stepsPerEpoch(images int) int { return images / c.batch }

// total returns the steps of the course.
func (c course) total(images int) int {
	n := c.epochs * c.stepsPerEpoch(images)
	if c.steps > 0 {
		n = min(n, c.steps)
	}
	return n
}

// run trains a network on b, and reports the number of each step. The images stay on the device:
// once in an epoch it gets the order in which they are used, and gives the losses.
func (c course) run(b compute.Backend, report func(step int, loss, accuracy float32)) (*result, error) {
	linear, ok := compute.As[compute.Linear](b)
	if !ok {
		return nil, fmt.Errorf("%s multiplies no matrices", b.Info().Name)
	}
	learn, test, err := load()
	if err != nil {
		return nil, err
	}
	nw, err := newNetwork(linear, c.batch, test, c.seed)
	if err != nil {
		return nil, err
	}
	r, err := c.teach(nw, learn, report)
	if err = errors.Join(err, nw.release()); err != nil {
		return nil, err
	}
	return r, nil
}

func (c course) teach(nw *network, learn *dataset, report func(step int, loss, accuracy float32)) (*result, error) {
	mem := nw.memory
	n := c.stepsPerEpoch(learn.len())
	images, labels := mem.upload(learn.images), mem.upload(learn.labels)
	order, losses := mem.alloc(learn.len()), mem.alloc(n)
	var indices, loss []compute.Buffer // by step of an epoch
	for i := range n {
		if mem.err != nil {
			break
		}
		indices = append(indices, mem.keep(order.View(i*c.batch, (i+1)*c.batch)))
		loss = append(loss, mem.keep(losses.View(i, i+1)))
	}
	if mem.err != nil {
		return nil, mem.err
	}
	r := &result{}
	random := rand.New(rand.NewPCG(uint64(c.seed), 0))
	for left := c.total(learn.len()); left > 0; left -= n {
		n = min(n, left)
		permutation := make([]float32, learn.len())
		for i, v := range random.Perm(len(permutation)) {
			permutation[i] = float32(v)
		}
		if err := order.Write(permutation); err != nil {
			return nil, err
		}
		for i := range n {
			err := errors.Join(
				nw.b.Gather(nw.learn.images, images, indices[i]),
				nw.b.Gather(nw.learn.labels, labels, indices[i]),
				nw.step(c.rate, loss[i]),
			)
			if err != nil {
				return nil, err
			}
		}
		means := make([]float32, n)
		accuracy, err := nw.accuracy()
		if err := errors.Join(err, losses.ReadAt(means, 0)); err != nil {
			return nil, err
		}
		r.losses = append(r.losses, means...)
		r.accuracies = append(r.accuracies, accuracy)
		report(len(r.losses), r.losses[len(r.losses)-1], accuracy)
	}
	hash, err := nw.hash()
	r.hash = fmt.Sprintf("%x", hash)
	return r, err
}
