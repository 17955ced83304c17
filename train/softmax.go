package train

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
)

// In these, most is the greatest logit of a row, sum that of exp(z-most) in the row, and column
// the index of a class.
var (
	power      = expr.MustParse("power(z, most) = exp(z - most)")
	logarithm  = expr.MustParse("logarithm(x) = log(x)")
	likelihood = expr.MustParse("likelihood(z, most, sum) = exp(z-most) / sum")
	first      = expr.MustParse("first(z, most, column) = where(z == most, column, frombits(0x7f800000))")

	labelLoss = expr.MustParse(`func labelLoss(z, most, logSum, column, label, classes float32) (loss float32) {
		isClass := label >= 0 && label < classes && floor(label) == label
		return where(column == label, logSum-(z-most), where(isClass, 0, frombits(0x7fc00000)))
	}`)
	labelGradient = expr.MustParse(`func labelGradient(z, most, sum, column, label, classes, scale float32) (dz float32) {
		isClass := label >= 0 && label < classes && floor(label) == label
		t := where(column == label, 1, where(isClass, 0, frombits(0x7fc00000)))
		return (exp(z-most)/sum - t) * scale
	}`)
	targetLoss     = expr.MustParse("targetLoss(z, most, logSum, t) = where(t == 0, 0, t*(logSum-(z-most)))")
	targetGradient = expr.MustParse("targetGradient(z, most, sum, t, scale) = (exp(z-most)/sum - t) * scale")
)

// Softmax makes probabilities of classes out of logits: exp(z) / sum(exp(z)), in each row of a
// matrix with a column for each class. It is computed from z less the greatest of the row, and
// so does not overflow.
//
// It holds three elements of the device for each row, which it reuses if the number of rows
// repeats, and one for each class, until Release. Its methods may be called from several
// goroutines at once. They read nothing from the device.
type Softmax struct {
	b       compute.Backend
	classes int
	columns compute.Buffer // 0, 1, 2 and so on

	mu                sync.Mutex
	most, sum, logSum compute.Buffer // of each row, or nil
	released          bool
}

// NewSoftmax returns a Softmax of 2 or more classes, on b. Errors: compute.ErrArgument for
// fewer, or more than 1<<24, which a float32 can count; compute.ErrUnavailable if b is nil;
// those of Backend.Upload.
func NewSoftmax(b compute.Backend, classes int) (*Softmax, error) {
	if err := opened(b, "softmax"); err != nil {
		return nil, err
	}
	if classes < 2 || classes > 1<<24 {
		return nil, fmt.Errorf("train: softmax of %d classes; it needs 2 to 1<<24 (BinaryCrossEntropy needs one logit for two): %w", classes, compute.ErrArgument)
	}
	index := make([]float32, classes)
	for i := range index {
		index[i] = float32(i)
	}
	columns, err := b.Upload(index)
	if err != nil {
		return nil, fmt.Errorf("train: softmax: %w", err)
	}
	return &Softmax{b: b, classes: classes, columns: columns}, nil
}

// CrossEntropy sets loss[i] to -log of the probability that row i of z gives to its target, and
// dz to the gradient of the mean of these losses with respect to z. It is PyTorch's
// cross_entropy. Either result may be nil, which is then not computed; dz may be z.
//
// target has one element for each row, which is the index of a class, or a row of
// probabilities for each row of z, such as one-hot ones. Where an index is not one of a class,
// the loss and the gradient of the row are NaN.
//
// Errors: compute.ErrLength, and those of Backend.Reduce.
func (s *Softmax) CrossEntropy(loss, dz, z, target compute.Buffer) error {
	if err := s.usable("cross-entropy"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.prepare("cross-entropy", z)
	if err != nil {
		return err
	}
	if check.IsNil(target) {
		return fmt.Errorf("train: cross-entropy: the target is nil: %w", compute.ErrForeignBuffer)
	}
	byLabel := target.Len() == rows
	if !byLabel && target.Len() != z.Len() {
		return fmt.Errorf("train: cross-entropy: the target has %d elements; %d rows of %d classes need %d indices of classes or %d probabilities: %w",
			target.Len(), rows, s.classes, rows, z.Len(), compute.ErrLength)
	}
	if !check.IsNil(loss) { // first, since dz may replace z
		if err := s.loss(loss, z, target, byLabel); err != nil {
			return fmt.Errorf("train: cross-entropy: %w", err)
		}
	}
	if !check.IsNil(dz) {
		if err := s.gradient(dz, z, target, byLabel); err != nil {
			return fmt.Errorf("train: cross-entropy: %w", err)
		}
	}
	return nil
}

func (s *Softmax) loss(loss, z, target compute.Buffer, byLabel bool) error {
	if err := s.b.Run(logarithm, s.logSum, s.sum); err != nil {
		return err
	}
	most, logSum := compute.Col(s.most), compute.Col(s.logSum)
	if byLabel {
		return s.b.Reduce(loss, compute.Sum, compute.Rows(s.classes), labelLoss, z, most, logSum, compute.Row(s.columns), compute.Col(target), compute.F32(s.classes))
	}
	return s.b.Reduce(loss, compute.Sum, compute.Rows(s.classes), targetLoss, z, most, logSum, target)
}

func (s *Softmax) gradient(dz, z, target compute.Buffer, byLabel bool) error {
	most, sum := compute.Col(s.most), compute.Col(s.sum)
	scale := compute.F32(1 / float32(s.most.Len()))
	if byLabel {
		return s.b.Run(labelGradient, dz, z, most, sum, compute.Row(s.columns), compute.Col(target), compute.F32(s.classes), scale)
	}
	return s.b.Run(targetGradient, dz, z, most, sum, target, scale)
}

// Probabilities sets p to the probabilities for the logits z. p may be z. Errors:
// compute.ErrLength, and those of Backend.Reduce.
func (s *Softmax) Probabilities(p, z compute.Buffer) error {
	if err := s.usable("probabilities"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.prepare("probabilities", z); err != nil {
		return err
	}
	return s.b.Run(likelihood, p, z, compute.Col(s.most), compute.Col(s.sum))
}

// Predict sets class[i] to the index of the greatest element of row i of z, the first of equal
// ones. It is +Inf, which is no class, if the row has a NaN. With Hit, it gives the accuracy:
//
//	err := s.Predict(class, z)
//	err = b.Reduce(accuracy, compute.Mean, compute.All(), train.Hit, class, label)
//
// Errors: compute.ErrLength, and those of Backend.Reduce.
func (s *Softmax) Predict(class, z compute.Buffer) error {
	if err := s.usable("predict"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.reserve("predict", z); err != nil {
		return err
	}
	rows := compute.Rows(s.classes)
	if err := s.b.Reduce(s.most, compute.Max, rows, nil, z); err != nil {
		return fmt.Errorf("train: predict: %w", err)
	}
	return s.b.Reduce(class, compute.Min, rows, first, z, compute.Col(s.most), compute.Row(s.columns))
}

// usable returns an error unless s is one of NewSoftmax.
func (s *Softmax) usable(op string) error {
	if s == nil || s.b == nil {
		return fmt.Errorf("train: %s: the Softmax has no backend; make one with NewSoftmax: %w", op, compute.ErrUnavailable)
	}
	return nil
}

// prepare sets most and sum for z, and returns the number of its rows.
func (s *Softmax) prepare(op string, z compute.Buffer) (rows int, err error) {
	rows, err = s.reserve(op, z)
	if err != nil {
		return 0, err
	}
	along := compute.Rows(s.classes)
	err = s.b.Reduce(s.most, compute.Max, along, nil, z)
	if err == nil {
		err = s.b.Reduce(s.sum, compute.Sum, along, power, z, compute.Col(s.most))
	}
	if err != nil {
		return 0, fmt.Errorf("train: %s: %w", op, err)
	}
	return rows, nil
}

// reserve makes what s holds for each row of z, unless it has it, and returns their number.
func (s *Softmax) reserve(op string, z compute.Buffer) (rows int, err error) {
	if s.released {
		return 0, fmt.Errorf("train: %s: the Softmax is released; make another: %w", op, compute.ErrClosed)
	}
	if check.IsNil(z) {
		return 0, fmt.Errorf("train: %s: the logits are nil: %w", op, compute.ErrForeignBuffer)
	}
	rows = z.Len() / s.classes
	if rows*s.classes != z.Len() {
		return 0, fmt.Errorf("train: %s: %d logits are no rows of %d classes: %w", op, z.Len(), s.classes, compute.ErrLength)
	}
	if s.most != nil && s.most.Len() == rows {
		return rows, nil
	}
	if err := s.releaseRows(); err != nil {
		return 0, err
	}
	for _, m := range []*compute.Buffer{&s.most, &s.sum, &s.logSum} {
		if *m, err = s.b.Alloc(rows); err != nil {
			*m = nil
			s.releaseRows()
			return 0, fmt.Errorf("train: %s: %w", op, err)
		}
	}
	return rows, nil
}

func (s *Softmax) releaseRows() error {
	var err error
	for _, m := range []*compute.Buffer{&s.most, &s.sum, &s.logSum} {
		if *m != nil {
			err = cmp.Or(err, (*m).Release())
		}
		*m = nil
	}
	return err
}

// Release releases what s holds on the device. Later calls of the methods return
// compute.ErrClosed. Errors: compute.ErrDevice.
func (s *Softmax) Release() error {
	if s.usable("release") != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = true
	return cmp.Or(s.releaseRows(), s.columns.Release())
}
