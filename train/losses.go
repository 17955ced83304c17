package train

import "github.com/gmind-go/compute/expr"

// Losses of a prediction p and a target t, for each element. The loss of a batch, and its
// gradient, of n elements in all:
//
//	err := b.Reduce(loss, compute.Mean, compute.All(), train.SquaredError, p, t)
//	err = b.Run(train.SquaredError.Backward("p"), dp, compute.F32(1/float32(n)), p, t)
//
// SquaredError, BinaryCrossEntropy and Huber are PyTorch's losses with reduction="mean". Another
// factor than 1/n gives another scale, such as the 1/batch of G-Mind's MSELoss.
var (
	// SquaredError is (p-t)². Its mean is the MSE.
	SquaredError = expr.MustParse("squaredError(p, t) = (p-t) * (p-t)")

	// BinaryCrossEntropy is -t*log(s) - (1-t)*log(1-s), with s = sigmoid(z), for a logit z and
	// t from 0 to 1. It neither overflows nor loses small values, nor does its gradient,
	// Backward("z"): softplus(z) - t*z would, where t is 1 and z is large. It is PyTorch's
	// BCEWithLogitsLoss.
	BinaryCrossEntropy = expr.MustParse("binaryCrossEntropy(z, t) = t*softplus(-z) + (1-t)*softplus(z)")

	// Huber is (p-t)²/2 up to a distance of delta, and linear beyond (Huber, "Robust Estimation
	// of a Location Parameter", 1964).
	Huber = expr.MustParse(`func huber(p, t, delta float32) (loss float32) {
		d := abs(p - t)
		return where(d <= delta, 0.5*(d*d), delta*(d-0.5*delta))
	}`)

	// Hinge is max(1-t*p, 0), for targets of 1 and -1.
	Hinge = expr.MustParse("hinge(p, t) = max(1-t*p, 0)")

	// SmoothLabels moves a target of 0 or 1 toward 1/classes, by amount (Szegedy and others,
	// "Rethinking the Inception Architecture for Computer Vision", 2015).
	SmoothLabels = expr.MustParse("smoothLabels(t, amount, classes) = (1-amount)*t + amount/classes")

	// Hit is 1 where two class indices are equal, and otherwise 0. Its mean is the accuracy.
	Hit = expr.MustParse("hit(class, label) = where(class == label, 1, 0)")
)
