package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
)

// The data set is the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin
// and C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49,
// licensed under CC BY 4.0: 1797 images of 8 by 8 pixels from 0 to 16, and the digit of each.
//
//go:embed digits.csv.gz
var compressed []byte

const (
	pixels = 64
	digits = 10
)

// A dataset has images, of pixels elements from 0 to 1, and the digit of each.
type dataset struct{ images, labels []float32 }

func (d *dataset) len() int { return len(d.labels) }

// load returns the data to learn from, and every fifth image, to test with.
func load() (learn, test *dataset, err error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, nil, fmt.Errorf("digits.csv.gz: %w", err)
	}
	r := csv.NewReader(unpacked)
	r.FieldsPerRecord = pixels + 1
	records, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("digits.csv.gz: %w", err)
	}
	learn, test = &dataset{}, &dataset{}
	for i, record := range records {
		d := learn
		if i%5 == 4 {
			d = test
		}
		for _, field := range record[:pixels] {
			v, err := strconv.ParseUint(field, 10, 5)
			if err != nil {
				return nil, nil, fmt.Errorf("digits.csv.gz: line %d: %w", i+1, err)
			}
			d.images = append(d.images, float32(v)/16)
		}
		digit, err := strconv.Atoi(record[pixels])
		if err != nil || digit < 0 || digit >= digits {
			return nil, nil, fmt.Errorf("digits.csv.gz: line %d: %q is no digit", i+1, record[pixels])
		}
		d.labels = append(d.labels, float32(digit))
	}
	return learn, test, nil
}
