package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// csvHeader are the columns of WriteCSV, called as in JSON.
var csvHeader = []string{
	"device", "op", "data", "cache", "n", "bytes", "calls", "runs",
	"median_ns", "min_ns", "p95_ns", "low_ns", "high_ns", "event_ns",
	"gbps", "limit", "of_limit", "verified", "slope", "input", "doubts",
}

// WriteCSV writes a header and a line for each result: all but its single times.
// Doubts are joined by "; ".
func (r *Report) WriteCSV(w io.Writer) error {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	c := csv.NewWriter(w)
	c.Write(csvHeader) // what fails is kept until the end
	for _, res := range r.Results {
		c.Write([]string{
			res.Device, res.Op, res.Data, res.Cache,
			strconv.Itoa(res.N), strconv.Itoa(res.Bytes), strconv.Itoa(res.Calls), strconv.Itoa(res.Runs()),
			number(res.MedianNS), number(res.MinNS), number(res.P95NS),
			number(res.LowNS), number(res.HighNS), number(res.EventNS),
			number(res.GBps), res.Limit, number(res.OfLimit), strconv.FormatBool(res.Verified),
			strconv.FormatFloat(float64(r.Slope), 'g', -1, 32), r.Input, strings.Join(res.Doubts, "; "),
		})
	}
	c.Flush()
	return c.Error()
}
